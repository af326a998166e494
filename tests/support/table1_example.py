"""A small Table 1: its rows, their scores, timings and parameters, and comparisons."""

import math
from typing import Any

import pandas as pd
from table_texts import NASTY

from upsampling.scoring import published, significance
from upsampling.tables import table1, table1_cells
from upsampling.tables.captions import Description
from upsampling.tables.sheet import Sheet

PLAIN = "Demucs-like (Fig. 1, b): transposed CNN (full-overlap)"
NOTE = "With randomized equivariant stabilization: 5.58 dB SDR."
ROWS: list[dict[str, Any]] = [
    {
        "variant": "transposed",
        "label": PLAIN,
        "printed": {"sdr": 5.35, "epoch_seconds": 319, "parameters": "703M"},
    },
    {"variant": "mine", "label": NASTY, "printed": None},
    {"label": "WaveUnet [2]", "source": "Stoller", "printed": {"sdr": 3.23, "parameters": "10M"}},
    {
        "label": "Demucs [3]",
        "source": "Défossez",
        "printed": {"sdr": 5.34, "parameters": "648M"},
        "note": NOTE,
    },
]
DESCRIPTION = Description("synthetic <songs>", test_tracks=2, epochs=5, channels=8)
COUNTS = {"parameters": 4212345, "parameters_paper": 737265008}


def scores(*levels: float, real: float | None = None) -> pd.DataFrame:
    """Scores of two demo tracks whose SDR is `levels` per source, and of a real one at `real`."""
    columns = ["track", "origin", "source", "frame", "metric", "value"]
    rows = []
    for source, level in zip(published.SOURCES, levels, strict=True):
        for track, offset in (("A", -0.125), ("B", 0.125)):
            values = (level + offset, math.nan, level + offset - 9, level + offset + 2)
            rows += [(track, "demo", source, n, "SDR", value) for n, value in enumerate(values)]
        if real is not None:
            rows.append(("Falcon", "real", source, 0, "SDR", real))
    return pd.DataFrame(rows, columns=columns)


SCORES = {
    "transposed": {
        0: scores(1.0, 2.0, 3.0, 4.005, real=2.75),
        1: scores(1.5, 2.5, 3.5, 4.505, real=3.25),
    },
    "mine": {0: scores(-7.0, 0.25, 1.0, 2.0, real=1.0)},
}
TIMINGS = {"transposed": {0: pd.Series([9.0, 12.34, 13.0]), 1: pd.Series([12.34])}}
# The measured arguments of `table1`.
MEASURED = (SCORES, TIMINGS, {"transposed": COUNTS})
# The first of two rows differs from the second.
COMPARISONS = pd.DataFrame(
    [("transposed", "mine", 50, 3.69, 3.0, 4.0, 1e-3, 1e-3, True)],
    columns=significance.COMPARISON_COLUMNS,
)


def example_table() -> pd.DataFrame:
    """Table 1 of these rows."""
    return table1.table1(table1.read_rows(ROWS), *MEASURED, comparisons=COMPARISONS)


def example_sheet() -> Sheet:
    """The table with all its columns."""
    return table1_cells.sheet(example_table(), table1_cells.WHOLE, "A caption", ["A footnote."])


def three_rows(*, differing: str) -> pd.DataFrame:
    """A table of rows x, y and z with 3, 2 and 1 dB, of which pairs such as "xz" differ."""
    levels = dict(zip("xyz", (3.0, 2.0, 1.0), strict=True))
    by_row = {key: {0: scores(*[level] * 4)} for key, level in levels.items()}
    pairs = ["xy", "xz", "yz"]
    values = [(a, b, 50, 1.0, 0.5, 1.5, 0.01, 0.03, a + b in differing.split()) for a, b in pairs]
    comparisons = pd.DataFrame(values, columns=significance.COMPARISON_COLUMNS)
    rows = table1.read_rows([{"variant": key, "label": f"row {key}"} for key in "zxy"])
    return table1.table1(rows, by_row, {}, {}, comparisons=comparisons)
