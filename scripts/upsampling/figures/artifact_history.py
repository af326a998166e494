"""Artifacts through training: a line per upsampler, over epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, ScalarFormatter

from upsampling.figures.artifact_overviews import LOWEST
from upsampling.figures.drawing import Drawing, Titled, drawn_from
from upsampling.figures.style import INK, PALETTE, TEXT_WIDTH, new_figure
from upsampling.tables.artifact_history import IMBALANCE, artifact_history, milestones, read_history
from upsampling.tables.table2 import STANDS_OUT_DB

# Titles of the upper panels by column of the table.
PANELS = {
    "silence_dbfs": "tone in silence\n(dBFS)",
    "noise_db": "tone in white noise\n(dB over its surroundings)",
    "largest_imbalance": "largest polyphase imbalance\nof any layer (ratio)",
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# With more measured epochs, lines have no markers.
MOST_MARKED = 24
MOST_TICKS = 8


@dataclass(frozen=True)
class HistorySettings:
    """Upsamplers, and the seeds of each one's runs."""

    rows: tuple[Titled, ...] = ()
    seeds: tuple[int, ...] = ()


@drawn_from(HistorySettings, inputs=lambda given: len(given.rows) * len(given.seeds))
def artifact_curves(settings: HistorySettings, inputs: Sequence[Path]) -> Drawing:
    """Draw the tones and the largest imbalance over epochs, and below the imbalance of each layer.

    `inputs` has an artifact_history.csv for each seed of each row. Lines are means over seeds,
    shades standard deviations. Panel `all`: `variants`, `epochs`, and for each panel {column} and
    {column}_spread [variants, epochs] (see `by_epoch`), NaN where nothing was measured.
    """
    titles = {row.name: row.title or row.name for row in settings.rows}
    runs = zip(product(titles, settings.seeds), inputs, strict=True)
    table = artifact_history({run: read_history(path) for run, path in runs})
    layers = [name for name in table.columns if name.startswith(IMBALANCE)]
    epochs = sorted({int(epoch) for epoch in table["epoch"]})
    arrays: dict[str, Any] = {
        "variants": np.array(list(titles), dtype=str),
        "epochs": np.array(epochs, dtype=int),
    }
    for name in (*PANELS, *layers):
        arrays |= over_seeds(table, name, list(titles), epochs)
    figure = new_figure(TEXT_WIDTH, 4.2)
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=[1.2, 1])[:, 0]
    for axes, (name, title) in zip(upper.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        curves(axes, arrays, name)
        axes.set_title(title)
        if name == "noise_db":
            axes.axhline(STANDS_OUT_DB, color=INK, linewidth=0.6, linestyle=":")
    row = lower.subplots(1, max(len(layers), 1), sharey=True, squeeze=False)[0]
    for number, (axes, name) in enumerate(zip(row, layers, strict=False), start=1):
        curves(axes, arrays, name)
        end = {1: " (deepest)", len(layers): " (outermost)"}.get(number, "")
        axes.set_title(f"layer {number}{end}")
    row[0].set_ylabel("polyphase imbalance (ratio)")
    if not epochs:
        row[0].text(0.5, 0.5, "not measured", ha="center", transform=row[0].transAxes)
    handles = [
        Line2D([], [], label=title, **look(place, 1)) for place, title in enumerate(titles.values())
    ]
    upper.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    return Drawing(figure, {"all": arrays})


def over_seeds(
    table: pd.DataFrame, name: str, variants: list[str], epochs: list[int]
) -> dict[str, Any]:
    """Mean and standard deviation over seeds of a column, each [variants, epochs]."""
    groups = table.groupby(["variant", "epoch"])[name]
    statistics = {name: groups.mean(), f"{name}_spread": groups.std(ddof=1)}
    return {
        key: values.unstack("epoch").reindex(index=variants, columns=epochs).to_numpy(float)
        for key, values in statistics.items()
    }


def curves(axes: Axes, arrays: Mapping[str, Any], name: str) -> None:
    """Draw a line and a shade per upsampler; levels below `LOWEST` lie on the lower edge."""
    epochs = arrays["epochs"]
    lowest = LOWEST.get(name, -np.inf)
    rows = zip(arrays[name], arrays[f"{name}_spread"], strict=True)
    for place, (mean, spread) in enumerate(rows):
        there = np.isfinite(mean)
        style = look(place, int(there.sum()))
        axes.plot(epochs[there], np.maximum(mean[there], lowest), **style)
        low, high = (np.maximum(mean + side * spread, lowest)[there] for side in (-1, 1))
        axes.fill_between(epochs[there], low, high, color=style["color"], alpha=0.15, linewidth=0)
    # Logarithmic, but for the step from the initialisation to the first epoch.
    axes.set_xscale("symlog", base=2, linthresh=1)
    ticks = milestones(epochs.tolist())[::-1]
    axes.set_xticks(ticks[:: 1 + len(ticks) // MOST_TICKS])
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("epoch")
    axes.spines[["top", "right"]].set_visible(False)


def look(place: int, points: int) -> dict[str, Any]:
    """Color, marker and line of the upsampler at `place`, drawn through so many `points`."""
    return {
        "color": PALETTE[place % len(PALETTE)],
        "marker": MARKERS[place % len(MARKERS)] if points <= MOST_MARKED else "",
        "markersize": 2.5,
        "linestyle": ("-", "--", "-.", ":")[place // len(PALETTE) % 4],
    }
