"""The artifacts of all variants side by side: before and after training, and over random seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from upsampling.config.declared import read_settings
from upsampling.config.sections import STAGES
from upsampling.figures.spectrograms import expect_inputs
from upsampling.figures.style import INK, MUTED, PALETTE, TEXT_WIDTH, Drawing, new_figure
from upsampling.measures.ecma418 import prominence_limit
from upsampling.tables.table2 import QUANTITIES, read_artifacts, summarize

ROW_HEIGHT = 0.12
COLORS = dict(zip(STAGES, PALETTE, strict=False))
THEORY = PALETTE[1]
MARKS: dict[str, dict[str, Any]] = {
    "initialised": {"marker": "o", "markerfacecolor": "white"},
    "trained": {"marker": "o"},
}
# Each measure's name and unit over its panel, in reading order.
MEASURES = {
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
# From where on ECMA-418-1 calls a tone above 1 kHz prominent.
LIMITS = {
    ratio: prominence_limit(1000, ratio) for ratio in ("tone_to_noise_ratio", "prominence_ratio")
}
EXPECTED = "expected"
QUANTILES = ("expected_q05", "expected_q50", "expected_q95")


# What lies further down, if anything does, is drawn as an arrow at the edge.
LOWEST = {
    "tone_to_constant": -100.0,
    "tone_level": -150.0,
    "boundary_error": -40.0,
    "shift_error_sample": -60.0,
    "silence_level": -150.0,
}


@dataclass(frozen=True)
class OverviewSpec:
    """Variants in the order of the rows, each {name, title}."""

    rows: tuple[Mapping[str, str], ...] = ()

    @property
    def titles(self) -> dict[str, str]:
        """Titles of variants by name."""
        return {row["name"]: row["title"] for row in self.rows}


def artifact_changes(values: Mapping[str, Any], inputs: Sequence[Path], where: str) -> Drawing:
    """Draw each number of Table 2 in a panel: a row per variant, before training and after.

    `inputs` is artifacts.csv. Bars are standard deviations over seeds. Panel `all`: `variants`, and
    {quantity}_{stage} and {quantity}_{stage}_spread [variants].
    """
    expect_inputs(inputs, 1, where)
    titles = read_settings(OverviewSpec, values, where).titles
    table = summarize(read_artifacts(inputs[0]), list(titles))
    figure, grid = _grid(len(QUANTITIES), 3, list(titles.values()))
    for axes, quantity in zip(grid.flat, QUANTITIES, strict=True):
        lowest = LOWEST.get(quantity.name, -np.inf)
        before, after = (table[f"{quantity.name}_{stage}"].to_numpy(float) for stage in STAGES)
        for place in np.flatnonzero(np.isfinite(before) & np.isfinite(after)):
            ends = np.maximum([before[place], after[place]], lowest)
            axes.plot(ends, [place] * 2, color=MUTED, linewidth=0.6)
        for stage, middle in zip(STAGES, (before, after), strict=True):
            spread = table[f"{quantity.name}_{stage}_spread"].fillna(0).to_numpy(float)
            for place in np.flatnonzero(np.isfinite(middle)):
                _dot(axes, middle[place], int(place), stage, lowest, spread[place])
        axes.set_title(f"{quantity.title} ({quantity.unit})")
    handles = [
        Line2D([], [], linestyle="", color=COLORS[stage], label=label, **MARKS[stage])
        for stage, label in zip(STAGES, ("before training", "after training"), strict=True)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    arrays = {name: table[name].to_numpy(float) for name in table.columns if name != "variant"}
    return Drawing(figure, {"all": {"variants": np.array(list(titles), dtype=str)} | arrays})


def init_statistics(values: Mapping[str, Any], inputs: Sequence[Path], where: str) -> Drawing:
    """Draw how each artifact of a random initialisation is spread over seeds: violins.

    `inputs` is distribution.csv. Dots are medians, orange marks what theory expects: a value, or
    the median and the middle 90 %; dotted lines where ECMA-418-1 calls a tone prominent. Panel
    `all`: `variants` and, for each measure, its values [variants, seeds], NaN where there are none.
    """
    expect_inputs(inputs, 1, where)
    titles = read_settings(OverviewSpec, values, where).titles
    table = read_artifacts(inputs[0])
    figure, grid = _grid(len(MEASURES), 4, list(titles.values()))
    seeds = int(table[table["stage"] == STAGES[0]]["seed"].nunique())
    arrays: dict[str, Any] = {"variants": np.array(list(titles), dtype=str)}
    for axes, (measure, title) in zip(grid.flat, MEASURES.items(), strict=True):
        own = table[table["measure"] == measure]
        arrays[measure] = np.full((len(titles), seeds), np.nan)
        for place, variant in enumerate(titles):
            rows = own[own["variant"] == variant]
            drawn = rows[rows["stage"] == STAGES[0]].sort_values("seed")["value"].to_numpy(float)
            arrays[measure][place, : len(drawn)] = drawn
            _violin(axes, drawn, place, LOWEST.get(measure, -np.inf))
            _theory(axes, rows, place)
        if measure in LIMITS:
            axes.axvline(LIMITS[measure], color=INK, linewidth=0.6, linestyle=":")
        axes.set_title(title)
    handles = [
        Line2D([], [], color=COLORS["initialised"], marker=".", label=f"{seeds} initialisations"),
        Line2D([], [], color=THEORY, marker="|", label="theory: value, or median and 90 %"),
        Line2D([], [], color=INK, linestyle=":", label="prominent (ECMA-418-1)"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    return Drawing(figure, {"all": arrays})


def _grid(panels: int, columns: int, titles: Sequence[str]) -> tuple[Any, Any]:
    """A figure of panels that share rows, the first column labelled with `titles`."""
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


def _dot(
    axes: Axes, value: float, place: int, stage: str, lowest: float, spread: float = 0.0
) -> None:
    """A stage's mark with its spread in the row `place`; an arrow at `lowest` if it lies below."""
    style = MARKS[stage] | {"color": COLORS[stage], "markersize": 3.5}
    if value < lowest:
        axes.plot(lowest, place, **style | {"marker": "<"})
        return
    if spread:
        axes.plot([value - spread, value + spread], [place] * 2, color=COLORS[stage])
    axes.plot(value, place, **style)


def _violin(axes: Axes, values: Any, place: int, lowest: float) -> None:
    """A violin of `values` around the row `place`: their density by a Gaussian kernel."""
    color = COLORS["initialised"]
    if not len(values):
        return
    middle = float(np.median(values))
    # Equal values, such as those of a silent output, have no density.
    if np.ptp(values) > 1e-6 * max(1.0, abs(middle)) and middle >= lowest:
        drawn = np.maximum(values, lowest)
        parts = axes.violinplot(
            drawn, [place], orientation="horizontal", widths=0.85, showextrema=False
        )
        for body in parts["bodies"]:  # type: ignore[attr-defined]
            body.set(facecolor=color, alpha=0.45, linewidth=0)
    shown = max(middle, lowest)
    axes.plot(shown, place, "<" if middle < lowest else ".", color=color, markersize=3)


def _theory(axes: Axes, rows: pd.DataFrame, place: int) -> None:
    """What theory expects of a row, if it does: a mark, with a bar from 5 % to 95 %."""
    known = rows.set_index("stage")["value"]
    low, high = (known.get(QUANTILES[0]), known.get(QUANTILES[2]))
    if low is not None and high is not None:
        axes.plot([low, high], [place + 0.38] * 2, color=THEORY, linewidth=0.8)
    value = known.get(EXPECTED, known.get(QUANTILES[1]))
    if value is not None:
        axes.plot(value, place, "|", color=THEORY, markersize=5, markeredgewidth=1)
