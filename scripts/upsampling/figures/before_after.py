"""One variant's outputs for probe signals, before and after training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from upsampling.config.sections import STAGES
from upsampling.decibels import power_to_db
from upsampling.figures.drawing import Drawing, Titled, drawn_from
from upsampling.figures.spectrograms import add_colorbar, draw_spectrogram, output_spectrogram
from upsampling.figures.style import MUTED, PALETTE, TEXT_WIDTH, new_figure
from upsampling.files import content_of, load_arrays
from upsampling.measures.from_waveform import comb_frequencies, comb_spacings
from upsampling.measures.spectra import mean_spectrum


@dataclass(frozen=True)
class BeforeAfterSettings:
    """Probe signals as rows, each with two input files in order: initialised, then trained.

    `strides` (deepest first) marks the tones of the outermost layer in the mean spectra, whose
    axis runs from `spectrum_floor` dBFS.
    """

    rows: tuple[Titled, ...] = ()
    title: str = ""
    floor: float = -150.0
    strides: tuple[int, ...] = ()
    spectrum_floor: float = -140.0

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError("no rows; list the signals as {name, title} under 'rows'")


def _draw_mean_spectra(
    axes: Axes, paths: Sequence[Path], settings: BeforeAfterSettings
) -> dict[str, Any]:
    """Draw the mean spectra of both stages; return their arrays."""
    arrays: dict[str, Any] = {}
    for stage, path, color in zip(STAGES, paths, PALETTE, strict=False):
        stored = load_arrays(path, ("output", "input_samplerate"))
        with content_of(path):
            samplerate = int(stored["input_samplerate"])
            frequencies, power = mean_spectrum(stored["output"], samplerate)
        levels = power_to_db(power)
        label = stage if np.any(stored["output"]) else f"{stage}: silent"
        axes.plot(frequencies / 1000, levels, color=color, label=label, linewidth=0.6)
        arrays |= {"frequencies": frequencies, stage: levels.astype(np.float32)}
    for spacing in comb_spacings(settings.strides, samplerate)[:1]:
        for line in comb_frequencies(spacing, samplerate):
            axes.axvline(line / 1000, color=MUTED, linewidth=0.4, linestyle=":", zorder=0)
    # Lines at 0 Hz and at half the sampling rate stand inside the frame.
    axes.set_xlim(-0.01 * samplerate / 2000, 1.01 * samplerate / 2000)
    top = max(0.0, *(float(arrays[stage].max()) for stage in STAGES))
    axes.set_ylim(settings.spectrum_floor, top + 5)
    axes.yaxis.set_label_position("right")
    axes.yaxis.tick_right()
    axes.set_ylabel("dBFS per bin")
    return arrays


@drawn_from(BeforeAfterSettings, inputs=lambda given: 2 * len(given.rows))
def before_after(settings: BeforeAfterSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw a row per signal: spectrograms initialised and trained, and both mean spectra.

    Panels: `{signal}_initialised`, `{signal}_trained` as spectrograms, `{signal}_mean` with
    `frequencies` in Hz and the arrays `initialised` and `trained` in dBFS per bin. A row whose
    input is silent has no input maximum to refer to; its spectrograms are in dBFS, and say so.
    """
    rows = settings.rows
    figure = new_figure(TEXT_WIDTH, 1.25 * len(rows) + 0.4)
    axes = figure.subplots(len(rows), 3, squeeze=False, width_ratios=[1, 1, 1.1])
    arrays = {}
    for index, row in enumerate(rows):
        paths = inputs[2 * index : 2 * index + 2]
        for axis, stage, path in zip(axes[index], STAGES, paths, strict=False):
            shown, seconds = output_spectrogram(path)
            arrays[f"{row.name}_{stage}"] = shown.arrays()
            image = draw_spectrogram(axis, shown, seconds, settings.floor)
        silent = not np.any(load_arrays(paths[0], ("input",))["input"])
        title = f"{row.title or row.name} (dBFS)" if silent else row.title or row.name
        axes[index, 0].set_ylabel(f"{title}\nfrequency (kHz)")
        arrays[f"{row.name}_mean"] = _draw_mean_spectra(axes[index, 2], paths, settings)
        labels = [line.get_label() for line in axes[index, 2].lines]
        if index == 0 or any(str(label).endswith("silent") for label in labels):
            axes[index, 2].legend(frameon=False, loc="upper right", handlelength=1.2)
    for axis, title in zip(axes[0], (*STAGES, "mean spectrum"), strict=True):
        axis.set_title(title)
    for axis, label in zip(axes[-1], ("time (s)", "time (s)", "frequency (kHz)"), strict=True):
        axis.set_xlabel(label)
    add_colorbar(figure, image, axes[:, :2], "dB relative to the input's maximum", 0.9)
    figure.suptitle(settings.title, fontsize=8)
    figure.align_ylabels()
    return Drawing(figure, arrays)
