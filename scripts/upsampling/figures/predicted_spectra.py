"""Measured spectra and their predictions: of operators, of replicas by kind, of gradients."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from upsampling.errors import UserError
from upsampling.figures.drawing import Drawing, Titled, drawn_from
from upsampling.figures.style import INK, MUTED, PALETTE, PREDICTED, TEXT_WIDTH, new_figure
from upsampling.files import load_arrays

Array = NDArray[Any]

MEASURED: dict[str, Any] = {"color": PALETTE[5]}
LINE: dict[str, Any] = {
    "linestyle": "",
    "marker": "o",
    "markersize": 3,
    "markerfacecolor": "none",
    "markeredgewidth": 0.6,
    "clip_on": False,
}
# Bins from a line to the spectrum beside it, outside the line's own lobe.
ASIDE = 5
KINDS = {
    "tones": "replicas of tones",
    "filtering": "replicas of filtering artifacts",
    "offsets": "replicas of an offset",
}
TITLE_CHARACTERS = 30
# The arrays of a panel whose operator has a closed form.
CLOSED_FORM = ("predicted", "lines", "levels")
LOSSES = {"score": "discriminator score", "features": "feature matching"}


@dataclass(frozen=True)
class ReplicaSettings:
    """Titles of the rows, in the order of the operators; the lowest level of spectra in dB."""

    rows: tuple[str, ...] = ()
    floor: float = -120.0


@dataclass(frozen=True)
class OperatorSettings:
    """Panels in order, at most `columns` side by side; the lowest level of spectra in dB."""

    panels: tuple[Titled, ...] = ()
    columns: int = 4
    floor: float = -130.0

    def __post_init__(self) -> None:
        if not self.panels:
            raise ValueError("no panels; list them as {name, title} under 'panels'")


@dataclass(frozen=True)
class LossSettings:
    """The network's layers and stride, for titles; the lowest level of spectra in dB."""

    layers: int = 3
    stride: int = 4
    floor: float = -60.0


def _draw_panel(
    axes: Axes, spectra: Mapping[str, Array], prefix: str, names: Sequence[str], floor: float
) -> dict[str, Array]:
    """Draw a panel's measured spectrum and its predicted one, if it has one, and lines.

    Returns the arrays `names` of those of `prefix`, and the frequencies.
    """
    content = {name: spectra[f"{prefix}_{name}"] for name in names}
    content["frequencies"] = spectra["frequencies"]
    khz = content["frequencies"] / 1000
    predicted = content.get("predicted")
    width = 0.6 if predicted is None else 1.2
    axes.plot(khz, np.maximum(content["measured"], floor - 20), linewidth=width, **MEASURED)
    if predicted is not None:
        axes.plot(khz, np.maximum(predicted, floor - 20), **PREDICTED)
    for hertz, level in zip(content.get("lines", ()), content.get("levels", ()), strict=True):
        beside = round(hertz / 1000 / khz[1]) - ASIDE
        noise = np.median(content["measured"]) if predicted is None else predicted[beside]
        if level >= floor:
            # A line below the noise beside it is hidden.
            color = PALETTE[1] if level >= noise else MUTED
            axes.plot(hertz / 1000, level, color=color, **LINE)
    axes.set_xlim(-0.01 * khz[-1], 1.01 * khz[-1])
    axes.set_ylim(floor, None)
    axes.spines[["top", "right"]].set_visible(False)
    return content


@drawn_from(ReplicaSettings, inputs=1)
def replica_panels(settings: ReplicaSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw each kind of replica in its own panel, a row per operator that follows.

    Panels `{kind}_{row}` (rows from 1): `frequencies` Hz, `measured` and `predicted` dB [bins];
    `lines` Hz and `levels` dB of the predicted lines.
    """
    spectra = load_arrays(inputs[0])
    missing = [row for row in range(len(settings.rows)) if f"tones_{row}_measured" not in spectra]
    if missing or not settings.rows:
        raise UserError("replicas: rows: one title per operator of the input file is needed")
    figure = new_figure(TEXT_WIDTH, 1.3 * len(settings.rows) + 0.45)
    axes = figure.subplots(len(settings.rows), len(KINDS), squeeze=False, sharex=True, sharey="row")
    arrays: dict[str, dict[str, Any]] = {}
    for row, title in enumerate(settings.rows):
        for axis, (kind, heading) in zip(axes[row], KINDS.items(), strict=True):
            names = ("measured", *CLOSED_FORM)
            content = _draw_panel(axis, spectra, f"{kind}_{row}", names, settings.floor)
            arrays[f"{kind}_{row + 1}"] = content
            if row == 0:
                axis.set_title(heading)
        axes[row, 0].set_ylabel(f"{title}\nlevel (dBFS per bin)")
        tops = [arrays[f"{kind}_{row + 1}"]["measured"].max() for kind in KINDS]
        axes[row, 0].set_ylim(settings.floor, max(tops) + 5)
    for axis in axes[-1]:
        axis.set_xlabel("frequency (kHz)")
    _legend(figure, spectrum=True)
    figure.align_ylabels()
    return Drawing(figure, arrays)


@drawn_from(OperatorSettings, inputs=1)
def operator_panels(settings: OperatorSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw a panel per operator: its output for a constant and white noise, and its prediction.

    Panels by name: `frequencies` Hz, `measured` dB [bins]; with a closed form also `predicted` dB
    [bins], and `lines` Hz and `levels` dB of the predicted lines.
    """
    panels = settings.panels
    spectra = load_arrays(inputs[0])
    columns = min(settings.columns, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(TEXT_WIDTH, 1.2 * rows + 0.5)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    arrays: dict[str, dict[str, Any]] = {}
    for index, (axis, panel) in enumerate(zip(axes.ravel(), panels, strict=False)):
        names = ["measured"]
        if any(f"{panel.name}_{name}" in spectra for name in CLOSED_FORM):
            names += CLOSED_FORM
        arrays[panel.name] = _draw_panel(axis, spectra, panel.name, names, settings.floor)
        axis.set_title(textwrap.fill(panel.title, TITLE_CHARACTERS), loc="left")
        if index + columns >= len(panels):
            axis.set_xlabel("frequency (kHz)")
            axis.tick_params(labelbottom=True)
    for axis in axes.ravel()[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("level (dBFS per bin)")
    top = max(content["measured"].max() for content in arrays.values())
    axes[0, 0].set_ylim(settings.floor, top + 5)
    _legend(figure, spectrum=True)
    figure.align_ylabels()
    return Drawing(figure, arrays)


def _legend(figure: Any, spectrum: bool) -> None:
    handles = [
        Line2D([], [], label="measured", **MEASURED),
        Line2D([], [], color=PALETTE[1], label="predicted lines", **LINE),
    ]
    if spectrum:
        handles.insert(1, Line2D([], [], label="predicted spectrum", **PREDICTED))
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)


@drawn_from(LossSettings, inputs=1)
def loss_panels(settings: LossSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw the spectrum of each loss's gradient, with and without strides.

    Panels `waveform`, `score_strided`, `score_dense`, `features_strided`, `features_dense`:
    `frequencies` Hz, `measured` dB [bins] re the gradient's RMS; all but `waveform` with `lines` Hz
    and `levels` dB; and `coverage`: `lengths` [count], `ones` and `random` dB.
    """
    spectra = load_arrays(inputs[0])
    figure = new_figure(TEXT_WIDTH, 3.5)
    axes = figure.subplots(2, 3, squeeze=False)
    strides = " x ".join([str(settings.stride)] * settings.layers)
    networks = {"strided": f"strides {strides}", "dense": "stride 1"}
    titles = {
        f"{loss}_{network}": f"{title}, {label}"
        for loss, title in LOSSES.items()
        for network, label in networks.items()
    }
    arrays: dict[str, dict[str, Any]] = {}
    for axis, (name, title) in zip(axes[:, :2].T.flat, titles.items(), strict=True):
        names = ("measured", "lines", "levels")
        arrays[name] = _draw_panel(axis, spectra, name, names, settings.floor)
        axis.set_title(title)
    waveform = _draw_panel(axes[0, 2], spectra, "waveform", ["measured"], settings.floor)
    axes[0, 2].set_title("L1 of the waveform")
    # In the order of its file: frequencies first.
    arrays["waveform"] = dict(sorted(waveform.items()))
    top = max(axis.get_ylim()[1] for axis in axes.ravel()[:5])
    for axis in axes.ravel()[:5]:
        axis.set_ylim(settings.floor, top)
        axis.set_xlabel("frequency (kHz)")
    for axis in axes[:, 0]:
        axis.set_ylabel("gradient (dB re its RMS)")
    arrays["coverage"] = _draw_coverage(axes[1, 2], spectra, settings.stride)
    _legend(figure, spectrum=False)
    figure.align_ylabels()
    return Drawing(figure, arrays)


def _draw_coverage(axes: Axes, spectra: Mapping[str, Array], stride: int) -> dict[str, Array]:
    """Draw the loudest line of one strided convolution's gradient over its kernel size."""
    content = {key: spectra[f"coverage_{key}"] for key in ("lengths", "ones", "random")}
    lengths, ones = content["lengths"], content["ones"]
    present = ones > -100
    low = ones[present].min(initial=-20.0) - 8
    axes.axhline(0, color=MUTED, linewidth=0.5)
    dots: dict[str, Any] = {"linestyle": "", "markersize": 3}
    axes.plot(lengths, content["random"], marker="s", color=INK, label="random", **dots)
    axes.plot(lengths[present], ones[present], marker="o", color=PALETTE[0], label="ones", **dots)
    none = np.full((~present).sum(), low)
    axes.plot(lengths[~present], none, marker="v", color=PALETTE[0], label="ones: none", **dots)
    axes.set_title(f"loudest line of one layer, stride {stride}")
    axes.set_xlabel("length (samples)")
    axes.set_ylabel("dB re the constant")
    axes.set_ylim(low - 4, 16)
    axes.locator_params(axis="x", integer=True, nbins=8)
    axes.legend(frameon=False, ncols=3, loc="upper center", handletextpad=0.1, columnspacing=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    return content
