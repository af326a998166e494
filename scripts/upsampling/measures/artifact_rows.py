"""Tidy rows of artifact measures: one number per variant, seed, stage, probe and frequency."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from upsampling.files import read_table, write_csv
from upsampling.measures.from_waveform import Measurement

if TYPE_CHECKING:
    import pandas as pd

# As pandas reads them; "Int64" may be missing.
ROW_TYPES: dict[str, type | str] = {
    "variant": str,
    "seed": "Int64",
    "stage": str,
    "probe": str,
    "measure": str,
    "frequency_hz": float,
    "value": float,
    "unit": str,
}
ROW_COLUMNS = list(ROW_TYPES)
# In the column `probe`, for measures that need no test signal.
WEIGHTS = "weights"


def tidy(measurements: Sequence[Measurement], head: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return measurements as tidy rows; `head` has the columns `variant` to `probe`."""
    return [dict(head) | dict(measurement) for measurement in measurements]


def read_rows(path: str | Path) -> "pd.DataFrame":
    """Read tidy rows of artifact measures, such as artifacts.csv."""
    return read_table(path, ROW_TYPES)


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write tidy rows as CSV; ValueError for a value that is not finite, a fault of its measure."""
    for row in rows:
        if not np.isfinite(row["value"]):
            raise ValueError(f"not finite: {row}")
    write_csv(path, [{column: row[column] for column in ROW_COLUMNS} for row in rows])
