"""Lines of losses: in their gradients, and in the outputs of models trained with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from upsampling.figures.artifact_overviews import LOWEST
from upsampling.figures.drawing import Drawing, drawn_from
from upsampling.figures.style import MUTED, PALETTE, TEXT_WIDTH, new_figure
from upsampling.files import load_arrays, read_table
from upsampling.tables.loss_lines import COLUMNS, QUANTITIES, LossRow

MARKERS = ("o", "s", "^", "D", "v")


@dataclass(frozen=True)
class LossLinesSettings:
    """Trained variants, their losses and groups; the lowest level of spectra in dB."""

    rows: tuple[LossRow, ...] = ()
    floor: float = -60.0


@drawn_from(LossLinesSettings, inputs=2)
def loss_lines_panels(settings: LossLinesSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw the spectrum of each loss's gradient above; below, lines in outputs, a dot per run.

    `inputs` are training_losses.npz and loss_lines.csv. Panel `gradients`: `frequencies` Hz, and
    {variant} dB [bins] re the gradient's RMS, of one variant per loss; panel `outputs`: columns of
    loss_lines.csv [runs].
    """
    losses: dict[str, str] = {}
    for entry in settings.rows:
        losses.setdefault(entry.loss, entry.variant)
    names = [f"{variant}_measured" for variant in losses.values()]
    spectra = load_arrays(inputs[0], ["frequencies", *names])
    table = read_table(inputs[1], COLUMNS, keep_default_na=False, na_values=[""])
    figure = new_figure(TEXT_WIDTH, 4.2)
    upper, lower = figure.subfigures(2, 1, squeeze=False)[:, 0]
    gradients: dict[str, Any] = {"frequencies": spectra["frequencies"]}
    row = upper.subplots(1, len(losses), sharey=True, squeeze=False)[0]
    for axes, (loss, variant) in zip(row, losses.items(), strict=True):
        gradients[variant] = spectra[f"{variant}_measured"]
        shown = np.maximum(gradients[variant], settings.floor)
        axes.plot(gradients["frequencies"] / 1000, shown, color=PALETTE[5], linewidth=0.5)
        axes.set_title(f"gradient of {loss}", fontsize=6)
        axes.set_xlabel("frequency (kHz)")
    row[0].set_ylabel("dB re its RMS")
    groups = list(dict.fromkeys(row.group for row in settings.rows))
    panels = lower.subplots(1, len(QUANTITIES))
    for axes, (name, (title, unit)) in zip(panels, QUANTITIES.items(), strict=True):
        dots(axes, table, name, list(losses), groups)
        axes.set_title(title)
        axes.set_ylabel(unit)
    labels = {row.variant: row.label for row in settings.rows}
    handles = [
        Line2D([], [], linestyle="", label=labels.get(group, group), **mark(place))
        for place, group in enumerate(groups)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    outputs = {name: table[name].to_numpy() for name in ("seed", "gradient_db", *QUANTITIES)}
    outputs |= {name: table[name].fillna("").to_numpy(str) for name in ("variant", "group", "loss")}
    return Drawing(figure, {"gradients": gradients, "outputs": outputs})


def dots(
    axes: Axes, table: pd.DataFrame, name: str, losses: Sequence[str], groups: Sequence[str]
) -> None:
    """Draw a run as a dot over its loss, and bars at the means of each loss and group."""
    lowest = LOWEST.get(name, -np.inf)
    for place, group in enumerate(groups):
        shift = 0.3 * (place - (len(groups) - 1) / 2)
        for position, loss in enumerate(losses):
            runs = table[(table["group"] == group) & (table["loss"] == loss)][name].dropna()
            shown = np.maximum(runs.to_numpy(float), lowest)
            if len(shown):
                axes.plot(np.full(len(shown), position + shift), shown, linestyle="", **mark(place))
                ends = [position + shift - 0.12, position + shift + 0.12]
                axes.plot(ends, [shown.mean()] * 2, color=mark(place)["color"], linewidth=1)
    axes.set_xticks(range(len(losses)), losses, rotation=30, ha="right", fontsize=5.5)
    axes.grid(axis="y", color=MUTED, linewidth=0.2, alpha=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def mark(place: int) -> dict[str, Any]:
    """Color and marker of a group."""
    return {
        "color": PALETTE[place % len(PALETTE)],
        "marker": MARKERS[place % len(MARKERS)],
        "markersize": 2.5,
    }
