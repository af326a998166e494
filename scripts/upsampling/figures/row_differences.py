"""Difference of each upsampler from a reference, track by track."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from upsampling.errors import UserError
from upsampling.figures.drawing import Drawing, drawn_from
from upsampling.figures.style import COLUMN_WIDTH, MUTED, PALETTE, new_figure
from upsampling.files import content_of, read_table

COLORS = (PALETTE[0], PALETTE[1])
DOT: dict[str, Any] = {"markersize": 2.5, "markeredgewidth": 0}
BAR: dict[str, Any] = {"linewidth": 2}
MEAN: dict[str, Any] = {"marker": "D", "markersize": 3.5}


@dataclass(frozen=True)
class DifferenceSettings:
    """The row that all others are compared with, and titles of rows by name."""

    reference: str = ""
    titles: Mapping[str, str] | None = None


@drawn_from(DifferenceSettings, inputs=2)
def track_differences(settings: DifferenceSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw a line of dots per row, one dot per track, and the row's difference and interval.

    `inputs` are comparisons.csv and track_scores.csv. A dot is the track's score (mean over sources
    and seeds) minus that of the reference. Panel `all`: `rows`, `tracks`, `differences`
    [rows, tracks], and `difference`, `low`, `high`, `p_corrected` [rows], in dB.
    """
    # It imports SciPy's statistics, which no other figure needs.
    from upsampling.scoring.significance import read_comparisons

    comparisons = against(settings.reference, read_comparisons(inputs[0]))
    scores = read_tracks(inputs[1])
    rows = list(comparisons.index)
    with content_of(inputs[1]):
        dots = dots_of(scores, settings.reference, rows)
    titles = settings.titles or {}
    figure = new_figure(COLUMN_WIDTH, 0.75 + 0.28 * max(len(rows), 1))
    axes = figure.subplots()
    axes.axvline(0, color=MUTED, linewidth=0.5)
    # Spread over the row's height in a fixed pattern, so that neighboring dots stay visible.
    heights = 0.5 * (0.618 * np.arange(dots.shape[1]) % 1 - 0.5)
    for row, pair in enumerate(comparisons.to_dict("records")):
        color = COLORS[bool(pair["differs"])]
        axes.plot(dots.iloc[row], row + heights, ".", color=MUTED, **DOT)
        axes.plot([pair["low"], pair["high"]], [row] * 2, color=color, **BAR)
        axes.plot(pair["difference"], row, color=color, **MEAN)
    handles = [Line2D([], [], linestyle="", marker=".", color=MUTED, label="a track")]
    for differs, label in enumerate(("not told apart, 95 %", "differs, 95 %")):
        handles.append(Line2D([], [], color=COLORS[differs], label=label, **BAR | MEAN))
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    axes.set_yticks(range(len(rows)), [titles.get(row, row) for row in rows])
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(f"SDR minus that of {titles.get(settings.reference, settings.reference)} (dB)")
    if not rows:
        axes.text(0.5, 0.5, "no other row to compare", ha="center", transform=axes.transAxes)
    columns = ("difference", "low", "high", "p_corrected")
    arrays = {name: comparisons[name].to_numpy(np.float64) for name in columns}
    names = {"rows": np.array(rows, dtype=str), "tracks": dots.columns.to_numpy(dtype=str)}
    return Drawing(figure, {"all": names | {"differences": dots.to_numpy(np.float64)} | arrays})


def against(reference: str, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Comparisons with `reference` alone, as row minus reference, by row, the best first."""
    as_given = comparisons[comparisons["second"] == reference].set_index("first")
    negated = comparisons[comparisons["first"] == reference].set_index("second")
    negated = negated.assign(
        difference=-negated["difference"], low=-negated["high"], high=-negated["low"]
    )
    columns = ["tracks", "difference", "low", "high", "p_corrected", "differs"]
    both = pd.concat([as_given[columns], negated[columns]])
    return both[both["tracks"] > 0].sort_values("difference", ascending=False, kind="stable")


def dots_of(scores: pd.DataFrame, reference: str, rows: list[str]) -> pd.DataFrame:
    """Differences to `reference`, rows by the reference's tracks; NaN where a row lacks one."""
    by_track = scores.groupby(["row", "track"])["value"].mean().unstack("track")
    if reference not in by_track.index:
        raise UserError(f"no scores of the reference '{reference}' to compare with")
    base = by_track.loc[reference].dropna()
    return by_track.reindex(index=rows, columns=base.index) - base


def read_tracks(path: Path) -> pd.DataFrame:
    """Read track_scores.csv: one line per row, seed, track and source."""
    types = {"row": str, "track": str, "value": float}
    missing: dict[str, Any] = {"keep_default_na": False, "na_values": {"value": "nan"}}
    return read_table(path, types, may_be_empty=True, **missing)
