"""Figs. 6-8 beside their predictions: spectra, tones, valleys and replicas of each panel."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from upsampling.decibels import power_to_db
from upsampling.figures.drawing import Drawing, drawn_from
from upsampling.figures.plan import SIDES
from upsampling.figures.spectrograms import (
    StackSettings,
    add_colorbar,
    draw_spectrogram,
    stack_panels,
)
from upsampling.figures.style import INK, PALETTE, PREDICTED, TEXT_WIDTH, new_figure
from upsampling.files import load_arrays
from upsampling.measures.spectra import FLOOR_DB, N_FFT, Spectrogram, reference_magnitude

MEASURED: dict[str, Any] = {"color": "#a8a8a8", "linewidth": 1.6}
LAYER_COLORS = (PALETTE[0], PALETTE[2], PALETTE[3])
# Tones point at the spectrum's peaks, valleys away from them.
MARKERS = {"line": (">", "tone"), "valley": ("<", "valley")}
EMPTY: dict[str, Any] = {"linestyle": "", "markeredgewidth": 0.7}
# The arrays of each layer that has a prediction.
PREDICTION = (
    *("predicted", "line_power"),
    *("lines", "line_layer", "line_replica"),
    *("valleys", "valley_layer", "valley_replica"),
)
# Position of markers, right of the spectrum, in axes widths.
EDGE = 1.06


def mean_levels(panel: Spectrogram) -> NDArray[Any]:
    """Mean power over the frames of a spectrogram, in dB [bins]."""
    return 10 * np.log10(np.mean(10 ** (panel.decibels.astype(np.float64) / 10), axis=1))


def in_decibels(power: NDArray[Any], reference: float) -> NDArray[Any]:
    """Power in the units of `mean_spectrum` in dB re an STFT magnitude, at least `FLOOR_DB`."""
    window_sum = N_FFT / 2
    return power_to_db(np.asarray(power, np.float64) * (window_sum / reference) ** 2, FLOOR_DB)


def predictions(path: Path, layer: int, reference: float) -> dict[str, NDArray[Any]]:
    """The prediction of one layer, in dB re `reference`; empty where there is no closed form."""
    stored = load_arrays(path)
    if not stored:
        return {}
    arrays = {name: stored[f"{name}_{layer}"] for name in PREDICTION}
    return arrays | {name: in_decibels(arrays[name], reference) for name in PREDICTION[:2]}


def draw_spectrum(axes: Axes, shown: Mapping[str, NDArray[Any]], floor: float) -> None:
    """Draw a measured and a predicted spectrum upright, and markers at its right edge."""
    khz = shown["frequencies"] / 1000
    axes.plot(np.maximum(shown["measured"], floor - 10), khz, **MEASURED)
    if "predicted" in shown:
        axes.plot(np.maximum(shown["predicted"], floor - 10), khz, **PREDICTED)
    edge: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "clip_on": False}
    for kind in MARKERS:
        names = (f"{kind}s", f"{kind}_layer", f"{kind}_replica")
        for hertz, layer, replica in zip(*(shown.get(name, ()) for name in names), strict=True):
            look = marker(kind, LAYER_COLORS[(layer - 1) % len(LAYER_COLORS)], replica)
            axes.plot(EDGE, hertz / 1000, markersize=3.2, **edge, **look)
    axes.set_xlim(floor - 5, 5)
    axes.tick_params(labelleft=False)
    axes.locator_params(axis="x", nbins=3)
    axes.spines[["top", "right"]].set_visible(False)


def marker(kind: str, color: str, replica: bool) -> dict[str, Any]:
    """The look of a tone or valley; replicas are hollow."""
    face = "white" if replica else color
    shape = {"marker": MARKERS[kind][0], "markeredgecolor": color, "markerfacecolor": face}
    return EMPTY | shape


def add_legend(figure: Figure, kinds: Sequence[str]) -> None:
    """Explain lines, markers and colors below the panels; `kinds` are those that occur."""
    handles = [
        Line2D([], [], label="measured", **MEASURED),
        Line2D([], [], label="predicted", **PREDICTED),
    ]
    for kind, replica in product(kinds, (False, True)):
        label = f"{'replica of a ' if replica else ''}{MARKERS[kind][1]}"
        handles.append(Line2D([], [], label=label, markersize=3.6, **marker(kind, INK, replica)))
    for layer, color in enumerate(LAYER_COLORS, start=1):
        look: dict[str, Any] = {"color": color, "marker": "s", "markersize": 3.6}
        handles.append(Line2D([], [], label=f"of layer {layer}", **look, **EMPTY))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=5, frameon=False, handlelength=1.6
    )


@drawn_from(StackSettings, inputs=4)
def stacks_and_theory(settings: StackSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw Fig. 6, 7 or 8 beside its prediction (inputs: two stacks, then their predictions).

    Panels `{side}_{layer}`: `frequencies` Hz, `measured` and `predicted` dB [bins] re the input's
    maximum; `lines` Hz, `line_power` dB, `line_layer`, `line_replica`; `valleys` Hz,
    `valley_layer`, `valley_replica`. The last seven are missing where there is no closed form.
    """
    figure = new_figure(TEXT_WIDTH, 1.15 * 4 + 0.6)
    # Space between the last label of one axis of levels and the first of the next axis.
    figure.get_layout_engine().set(wspace=0.05)  # type: ignore[union-attr, call-arg]
    axes = figure.subplots(4, 4, squeeze=False, width_ratios=[1, 0.75, 1, 0.75])
    arrays: dict[str, dict[str, Any]] = {}
    kinds = set()
    for column, side, stack, theory in zip((0, 2), SIDES, inputs[:2], inputs[2:], strict=True):
        panels, seconds = stack_panels(stack)
        reference = reference_magnitude(load_arrays(stack, ("signal",))["signal"])
        for row, (name, panel) in enumerate(panels.items()):
            left, right = axes[row, column : column + 2]
            image = draw_spectrogram(left, panel, seconds, settings.floor, name == "signal")
            shown = {"frequencies": panel.frequencies, "measured": mean_levels(panel)}
            if name != "signal":
                shown |= predictions(theory, int(name), reference)
            kinds |= {kind for kind in MARKERS if len(shown.get(f"{kind}s", ()))}
            draw_spectrum(right, shown, settings.floor)
            right.set_ylim(left.get_ylim())
            arrays[f"{side}_{name}"] = shown
            label = "input" if name == "signal" else f"layer {name}"
            left.set_ylabel(f"{label}\nfrequency (kHz)" if column == 0 else "")
            for axis in (left, right):
                axis.tick_params(labelbottom=row == 3)
        axes[0, column].set_title(getattr(settings, side))
        axes[0, column + 1].set_title("mean spectrum")
        axes[-1, column].set_xlabel("time (s)")
        axes[-1, column + 1].set_xlabel("dB re input's max.")
    add_colorbar(figure, image, axes[:, -1], "dB relative to the input's maximum", 0.6)
    add_legend(figure, [kind for kind in MARKERS if kind in kinds])
    figure.align_ylabels()
    return Drawing(figure, arrays)
