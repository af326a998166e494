"""An audit's figure: a spectrogram, and the lines in the colors of the layers that make them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.figures.drawing import Drawing, drawn_from
from upsampling.figures.spectrograms import add_colorbar, draw_spectrogram
from upsampling.figures.style import INK, MUTED, PALETTE, TEXT_WIDTH, new_figure
from upsampling.files import UNREADABLE, load_arrays, read_json
from upsampling.measures.spectra import N_FFT, reference_magnitude, spectrogram

FLOOR_DB = -100.0
# Lines further below the loudest one are not drawn.
LINES_DB = 120.0
SEVERAL, NOBODY = "several layers", "no single layer"
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class AuditFigure:
    """The title of the audit."""

    title: str = ""


@drawn_from(AuditFigure, inputs=2)
def audit_panels(settings: AuditFigure, inputs: Sequence[Path]) -> Drawing:
    """Draw an audit from its report (.json) and arrays (.npz).

    Panels `sound`, a spectrogram of the response to noise or of a recording, and `lines`:
    `frequencies` in Hz, `decibels` in dBFS and `layers`, the names of those that make each line of
    a network's response to silence (to a constant if silence has none); a recording's mean
    spectrum. After a repair, a second row shows the same of the repaired network.
    """
    report, arrays = read_json(inputs[0]), load_arrays(inputs[1])
    network = "recordings" not in report
    rows = ["", "_repaired"] if report.get("repair") else [""]
    figure = new_figure(TEXT_WIDTH, 1.75 * len(rows) + 0.2)
    axes = figure.subplots(len(rows), 2, squeeze=False)
    shown: dict[str, Any] = {"sound": {}, "lines": {}}
    reference = None
    for (left, right), suffix in zip(axes, rows, strict=True):
        sound = arrays[f"sound{suffix}"]
        if sound.ndim != 1 or not len(sound):
            raise UserError(f"{inputs[1]}: 'sound{suffix}' is no sound; {UNREADABLE}")
        if len(sound) >= N_FFT:
            # A repaired network is shown relative to the network as it was.
            reference = reference or reference_magnitude(sound)
            panel = spectrogram(sound, int(arrays["samplerate"]), reference)
            image = draw_spectrogram(left, panel, len(sound) / panel.samplerate, FLOOR_DB)
            add_colorbar(figure, image, left, "dB")
            shown["sound"] |= _named(panel.arrays(), suffix)
        kind = ("noise" if network else "recording") + (", repaired" if suffix else "")
        left.set_title(f"{settings.title}: {kind}", loc="left")
        left.set_ylabel("frequency (kHz)")
        draw = _network_lines if network else _recording_lines
        shown["lines"] |= _named(draw(right, report, arrays, suffix), suffix)
        right.set_ylabel("dBFS")
    axes[-1, 0].set_xlabel("time (s)")
    axes[-1, 1].set_xlabel("frequency (kHz)")
    return Drawing(figure, shown)


def _named(content: Arrays, suffix: str) -> dict[str, Any]:
    return {f"{name}{suffix}": array for name, array in content.items()}


def _network_lines(axes: Axes, report: Any, arrays: Arrays, suffix: str) -> dict[str, Any]:
    """Draw the lines of one steady period; return their frequencies, levels and layers."""
    silent = report["attribution"]["input"] == "silence"
    period = arrays[f"silence{suffix}"] if silent else arrays[f"constants{suffix}"][0]
    count = period.shape[-1]
    power = np.max(np.abs(np.fft.rfft(period, axis=-1)[:, 1:] / count) ** 2, axis=0)
    power[: (count - 1) // 2] *= 2
    levels = power_to_db(power, -300.0)
    frequencies = np.arange(1, len(levels) + 1) * float(arrays["samplerate"]) / count
    makers = _makers(report, frequencies)
    names = [layer["name"] for layer in report["layers"]]
    colors = {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(names)}
    colors |= {SEVERAL: INK, NOBODY: MUTED}
    floor = report["silence"]["floor_dbfs"]
    audible = levels > max(floor, levels.max(initial=floor) - LINES_DB)
    low = float(levels[audible].min(initial=-100.0)) - 5
    lines = zip(frequencies[audible], levels[audible], makers[audible], strict=True)
    for frequency, level, maker in lines:
        axes.vlines(frequency / 1000, low, level, color=colors[maker], linewidth=0.8)
    if audible.any():
        drawn = [name for name in colors if name in makers[audible]]
        handles = [Line2D([], [], color=colors[name], label=name) for name in drawn]
        axes.legend(handles=handles, loc="upper right", frameon=False, ncols=2)
        axes.set_ylim(low, float(levels.max()) + 15)
    else:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no line above the rounding", transform=axes.transAxes, ha="center")
    axes.set_xlim(0, float(arrays["samplerate"]) / 2000)
    axes.set_title(f"{'silence' if silent else 'a constant'}: lines by layer", loc="left")
    return {"frequencies": frequencies, "decibels": levels, "layers": makers}


def _makers(report: Any, frequencies: NDArray[Any]) -> NDArray[np.str_]:
    """The layer of each line as the report names it, or of the comb that the line is on."""
    makers = np.full(len(frequencies), NOBODY, dtype=object)
    for spacing, comb in zip(report["attribution"]["combs_hz"], report["combs"], strict=True):
        on = np.abs(frequencies / spacing - np.rint(frequencies / spacing)) < 1e-6
        makers[on & (makers == NOBODY)] = _one(comb["made_by"])
    lines = report["silence"]["lines"]
    named = {round(line["frequency_hz"], 3): _one(line["layers"]) for line in lines}
    shown = zip(frequencies, makers, strict=True)
    return np.array([named.get(round(float(hertz), 3), maker) for hertz, maker in shown], dtype=str)


def _one(layers: Sequence[str]) -> str:
    return layers[0] if len(layers) == 1 else SEVERAL if layers else NOBODY


def _recording_lines(axes: Axes, report: Any, arrays: Arrays, suffix: str) -> dict[str, Any]:
    """Draw a recording's mean spectrum, with marks at the lines of the combs that stand out."""
    recording = report["recordings"][int(arrays["place"])]
    frequencies, decibels = arrays["frequencies"], arrays["decibels"]
    axes.plot(frequencies / 1000, decibels, color=MUTED, linewidth=0.4, rasterized=True)
    combs = [comb for comb in recording["combs"] if comb["stands_out"]]
    for place, comb in enumerate(combs):
        lines = np.array([line["frequency_hz"] for line in comb["lines"]])
        levels = decibels[np.rint(lines / frequencies[1]).astype(int)]
        look: dict[str, Any] = {"color": PALETTE[place % len(PALETTE)], "markersize": 2}
        axes.plot(lines / 1000, levels, ".", label=f"{comb['spacing_hz']:.2f} Hz", **look)
    if combs:
        axes.legend(loc="upper right", frameon=False)
    low, high = recording["band_hz"]
    axes.set_xlim(0, float(arrays["samplerate"]) / 2000)
    axes.axvspan(low / 1000, high / 1000, color=MUTED, alpha=0.12, linewidth=0)
    axes.set_title(Path(recording["file"]).name, loc="left")
    return {"frequencies": frequencies, "decibels": decibels}
