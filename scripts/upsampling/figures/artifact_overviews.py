"""Artifacts of all variants side by side: before and after training, and over random seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from upsampling.config.sections import STAGES
from upsampling.figures.drawing import Drawing, Titled, drawn_from
from upsampling.figures.style import INK, MUTED, PALETTE, TEXT_WIDTH, new_figure
from upsampling.measures.artifact_rows import read_rows
from upsampling.measures.ecma418 import prominence_limit
from upsampling.tables.table2 import QUANTITIES, summarize

ROW_HEIGHT = 0.12
COLORS = dict(zip(STAGES, PALETTE, strict=False))
THEORY_COLOR = PALETTE[1]
MARKS: dict[str, dict[str, Any]] = {
    "initialised": {"marker": "o", "markerfacecolor": "white"},
    "trained": {"marker": "o"},
}
# Titles and units of the panels of `init_statistics` by measure, in reading order.
PANEL_TITLES = {
    "polyphase_imbalance": "polyphase imbalance\n(ratio)",
    "tone_to_constant": "tone of a constant\n(dB re constant)",
    "tone_level": "tone in silence\n(dBFS)",
    "comb_prominence_mean": "comb prominence\nin white noise (dB)",
    "tone_to_noise_ratio": "tone-to-noise ratio\nin white noise (dB)",
    "prominence_ratio": "prominence ratio\nin white noise (dB)",
    "stationarity": "stationarity\nin white noise (ratio)",
    "notch_depth": "notch depth\nin white noise (dB)",
    "image_to_base": "images of white noise\n(dB re base band)",
    "droop": "gain at 0.9 of\nold Nyquist (dB)",
    "boundary_error": "boundary error\n(dB re steady state)",
    "shift_error_sample": "error of a shift\nby one sample (dB)",
}
# Least ratios of a tone above 1 kHz that ECMA-418-1 calls prominent.
LIMITS = {
    ratio: prominence_limit(1000, ratio) for ratio in ("tone_to_noise_ratio", "prominence_ratio")
}
# Lower values are drawn as an arrow at this edge.
LOWEST = {
    "tone_to_constant": -100.0,
    "tone_level": -150.0,
    "boundary_error": -40.0,
    "shift_error_sample": -60.0,
    "silence_level": -150.0,
    "silence_dbfs": -150.0,
}


@dataclass(frozen=True)
class OverviewSettings:
    """Variants in the order of the rows."""

    rows: tuple[Titled, ...] = ()


@drawn_from(OverviewSettings, inputs=1)
def artifact_changes(settings: OverviewSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw each number of Table 2 in a panel: a row per variant, before training and after.

    `inputs` is artifacts.csv. Bars are standard deviations over seeds. Panel `all`: `variants`, and
    {quantity}_{stage} and {quantity}_{stage}_spread [variants].
    """
    titles = {row.name: row.title for row in settings.rows}
    table = summarize(read_rows(inputs[0]), list(titles))
    figure, grid = _grid(len(QUANTITIES), 3, list(titles.values()))
    for axes, quantity in zip(grid.flat, QUANTITIES, strict=True):
        lowest = LOWEST.get(quantity.name, -np.inf)
        before, after = (table[f"{quantity.name}_{stage}"].to_numpy(float) for stage in STAGES)
        for row in np.flatnonzero(np.isfinite(before) & np.isfinite(after)):
            ends = np.maximum([before[row], after[row]], lowest)
            axes.plot(ends, [row] * 2, color=MUTED, linewidth=0.6)
        for stage, middle in zip(STAGES, (before, after), strict=True):
            spread = table[f"{quantity.name}_{stage}_spread"].fillna(0).to_numpy(float)
            for row in np.flatnonzero(np.isfinite(middle)):
                _dot(axes, middle[row], int(row), stage, lowest, spread[row])
        axes.set_title(f"{quantity.title} ({quantity.unit})")
    handles = [
        Line2D([], [], linestyle="", color=COLORS[stage], label=label, **MARKS[stage])
        for stage, label in zip(STAGES, ("before training", "after training"), strict=True)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    arrays = {name: table[name].to_numpy(float) for name in table.columns if name != "variant"}
    return Drawing(figure, {"all": {"variants": np.array(list(titles), dtype=str)} | arrays})


@drawn_from(OverviewSettings, inputs=1)
def init_statistics(settings: OverviewSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw the spread of each artifact of random initialisations over seeds as violins.

    `inputs` is init_statistics.csv. Dots are medians; orange marks the expected value, or the
    expected median and middle 90 %; dotted lines the limits of prominent tones in ECMA-418-1. Panel
    `all`: `variants` and, for each measure, its values [variants, seeds], NaN where there are none.
    """
    titles = {row.name: row.title for row in settings.rows}
    table = read_rows(inputs[0])
    figure, grid = _grid(len(PANEL_TITLES), 4, list(titles.values()))
    seeds = int(table[table["stage"] == STAGES[0]]["seed"].nunique())
    arrays: dict[str, Any] = {"variants": np.array(list(titles), dtype=str)}
    for axes, (measure, title) in zip(grid.flat, PANEL_TITLES.items(), strict=True):
        of_measure = table[table["measure"] == measure]
        arrays[measure] = np.full((len(titles), seeds), np.nan)
        for row, variant in enumerate(titles):
            rows = of_measure[of_measure["variant"] == variant]
            by_seed = rows[rows["stage"] == STAGES[0]].sort_values("seed")["value"].to_numpy(float)
            arrays[measure][row, : len(by_seed)] = by_seed
            _violin(axes, by_seed, row, LOWEST.get(measure, -np.inf))
            _expectation(axes, rows, row)
        if measure in LIMITS:
            axes.axvline(LIMITS[measure], color=INK, linewidth=0.6, linestyle=":")
        axes.set_title(title)
    handles = [
        Line2D([], [], color=COLORS["initialised"], marker=".", label=f"{seeds} initialisations"),
        Line2D([], [], color=THEORY_COLOR, marker="|", label="theory: value, or median and 90 %"),
        Line2D([], [], color=INK, linestyle=":", label="prominent (ECMA-418-1)"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    return Drawing(figure, {"all": arrays})


def _grid(panels: int, columns: int, titles: Sequence[str]) -> tuple[Any, Any]:
    """A figure of panels that share rows, the first column labeled with `titles`."""
    lines = -(-panels // columns)
    figure = new_figure(TEXT_WIDTH, 0.3 + lines * (0.45 + ROW_HEIGHT * len(titles)))
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
    for axes in grid.flat:
        axes.set_yticks(range(len(titles)), titles, fontsize=5.5)
        axes.set_ylim(len(titles) - 0.4, -0.6)
        axes.grid(axis="y", color=MUTED, linewidth=0.2, alpha=0.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return figure, grid


def _dot(axes: Axes, value: float, row: int, stage: str, lowest: float, spread: float) -> None:
    """Draw a stage's mark with its spread; an arrow at `lowest` if it lies below."""
    style = MARKS[stage] | {"color": COLORS[stage], "markersize": 3.5}
    if value < lowest:
        axes.plot(lowest, row, **style | {"marker": "<"})
        return
    if spread:
        axes.plot([value - spread, value + spread], [row] * 2, color=COLORS[stage])
    axes.plot(value, row, **style)


def _violin(axes: Axes, values: Any, row: int, lowest: float) -> None:
    """Draw a violin of `values`: their density by a Gaussian kernel, and their median."""
    color = COLORS["initialised"]
    if not len(values):
        return
    middle = float(np.median(values))
    # Equal values, such as those of a silent output, have no density.
    if np.ptp(values) > 1e-6 * max(1.0, abs(middle)) and middle >= lowest:
        shown = np.maximum(values, lowest)
        look: dict[str, Any] = {"orientation": "horizontal", "widths": 0.85, "showextrema": False}
        for body in axes.violinplot(shown, [row], **look)["bodies"]:  # type: ignore[attr-defined]
            body.set(facecolor=color, alpha=0.45, linewidth=0)
    marker = "<" if middle < lowest else "."
    axes.plot(max(middle, lowest), row, marker, color=color, markersize=3)


def _expectation(axes: Axes, rows: pd.DataFrame, row: int) -> None:
    """Draw the expected value, if there is one: a mark, or one with a bar from 5 % to 95 %."""
    by_stage = rows.set_index("stage")["value"]
    low, middle, high = (by_stage.get(f"expected_q{percent}") for percent in ("05", "50", "95"))
    if low is not None and high is not None:
        axes.plot([low, high], [row + 0.38] * 2, color=THEORY_COLOR, linewidth=0.8)
    value = by_stage.get("expected", middle)
    if value is not None:
        axes.plot(value, row, "|", color=THEORY_COLOR, markersize=5, markeredgewidth=1)
