"""Figs. 1 and 6-10 and the like: spectrogram panels of inputs, layers and model outputs."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from upsampling.figures.drawing import Drawing, Titled, drawn_from
from upsampling.figures.plan import SIDES
from upsampling.figures.style import COLORMAP, COLUMN_WIDTH, MARGIN_SHADE, TEXT_WIDTH, new_figure
from upsampling.files import content_of, load_arrays
from upsampling.measures.spectra import HOP, Spectrogram, reference_magnitude, spectrogram

# Rows of a panel, about its height in pixels: fewer would fill in narrow valleys.
DISPLAY_ROWS = 256
TITLE_CHARACTERS_PER_INCH = 16


@dataclass(frozen=True)
class Panel(Titled):
    """One panel of a grid, and the `floor` of its range in dB, if it has one of its own."""

    floor: float | None = None


@dataclass(frozen=True)
class GridSettings:
    """Panels in the order of the input files; `letters` puts "(name)" before each title.

    Without `columns`, there are four or three, whichever leaves fewer empty places.
    """

    panels: tuple[Panel, ...] = ()
    columns: int | None = None
    floor: float = -150.0
    letters: bool = False

    def __post_init__(self) -> None:
        if not self.panels:
            raise ValueError("no panels; list them as {name, title} under 'panels'")


@dataclass(frozen=True)
class StackSettings:
    """Titles of the columns, `left` and `right` (over two lines if they have a line break)."""

    left: str = ""
    right: str = ""
    floor: float = -100.0


def output_spectrogram(path: Path) -> tuple[Spectrogram, float]:
    """Spectrogram of a model's `output` for a probe, dB re its input; and the input's seconds."""
    arrays = load_arrays(path, ("input", "input_samplerate", "output"))
    with content_of(path):
        samplerate = int(arrays["input_samplerate"])
        reference = reference_magnitude(arrays["input"])
        shown = spectrogram(arrays["output"], samplerate, reference)
        return shown, len(arrays["input"]) / samplerate


def for_display(decibels: NDArray[Any], rows: int = DISPLAY_ROWS) -> NDArray[Any]:
    """Average the power of neighboring bins: [bins, frames] in dB to at most [rows, frames].

    A panel has fewer pixels than bins. Picking some of them would lose tones one bin wide, and
    averaging decibels would dim them; averaged power is that of a coarser analysis.
    """
    edges = np.unique(np.linspace(0, len(decibels), rows, endpoint=False).astype(int))
    counts = np.diff(np.append(edges, len(decibels)))[:, None]
    power = np.add.reduceat(10 ** (decibels.astype(np.float64) / 10), edges, axis=0) / counts
    return 10 * np.log10(power)


def draw_spectrogram(
    axes: Axes, panel: Spectrogram, seconds: float, floor: float, center: bool = False
) -> AxesImage:
    """Draw `panel` over 0 to `seconds`, from `floor` dB to 0 dB; return the image.

    Where the frames end before the signal does (`center=False`) the panel stays white, the
    stripes of the appendix.
    """
    hop = HOP / panel.samplerate
    start = panel.times[0] - (hop / 2 if center else 0)
    nyquist = panel.samplerate / 2000
    image = axes.imshow(
        np.maximum(for_display(panel.decibels), floor),
        cmap=COLORMAP,
        vmin=floor,
        vmax=0,
        origin="lower",
        aspect="auto",
        extent=(start, start + hop * len(panel.times), 0, nyquist),
        interpolation="antialiased",
        interpolation_stage="data",
    )
    axes.set_xlim(0, seconds)
    # A gray margin, so that tones at 0 Hz and at half the sampling rate, which may be as light as
    # the page, contrast with their surroundings and are not under the frame.
    margin = 0.02 * nyquist
    for edge in (-margin, nyquist):
        axes.axhspan(edge, edge + margin, color=MARGIN_SHADE, linewidth=0, zorder=-1)
    axes.set_ylim(-margin, nyquist + margin)
    axes.locator_params(axis="x", nbins=6, integer=seconds >= 2)
    axes.locator_params(axis="y", nbins=5)
    return image


def add_colorbar(
    figure: Figure, image: AxesImage, axes: Any, label: str, shrink: float = 1
) -> None:
    """Add a slim color bar beside `axes` (one or an array of them)."""
    bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02, aspect=25, shrink=shrink)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label(label)
    bar.locator = MaxNLocator(5)


@drawn_from(GridSettings, inputs=lambda given: len(given.panels))
def grid(settings: GridSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw one panel per model: Figs. 1 and 9, all variants, or a single one."""
    panels = settings.panels
    columns = settings.columns or min((4, 3), key=lambda count: -len(panels) % count)
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    width = COLUMN_WIDTH if columns < 3 else TEXT_WIDTH
    characters = int(TITLE_CHARACTERS_PER_INCH * width / columns)
    figure = new_figure(width, 1.4 * rows + 0.15)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    arrays = {}
    for index, (axis, panel, path) in enumerate(zip(axes, panels, inputs, strict=False)):
        shown, seconds = output_spectrogram(path)
        arrays[panel.name] = shown.arrays()
        floor = settings.floor if panel.floor is None else panel.floor
        image = draw_spectrogram(axis, shown, seconds, floor)
        title = f"({panel.name}) {panel.title}" if settings.letters else panel.title
        axis.set_title(textwrap.fill(title, characters), loc="left")
        last = index % columns == columns - 1 or index == len(panels) - 1
        add_colorbar(figure, image, axis, "dB" if last else "")
        if index % columns == 0:
            axis.set_ylabel("frequency (kHz)")
        if index + columns >= len(panels):
            axis.set_xlabel("time (s)")
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    figure.align_ylabels()
    return Drawing(figure, arrays)


def stack_panels(path: Path, center: bool = False) -> tuple[dict[str, Spectrogram], float]:
    """Spectrograms `signal`, `1`, `2`, `3` of a stack of operators; and the signal's seconds.

    All in dB relative to the input's maximum; the input with `center=True`, as the paper does.
    """
    names = ("signal", "layer_1", "layer_2", "layer_3")
    arrays = load_arrays(path, (*names, "samplerates"))
    with content_of(path):
        rates = [int(rate) for rate in arrays["samplerates"]]
        reference = reference_magnitude(arrays["signal"])
        panels = {"signal": spectrogram(arrays["signal"], rates[0], reference, center=True)}
        for index, name in enumerate(names[1:], start=1):
            panels[str(index)] = spectrogram(arrays[name], rates[index], reference, center)
        return panels, len(arrays["signal"]) / rates[0]


def _draw_columns(
    columns: Sequence[tuple[dict[str, Spectrogram], float, bool]], settings: StackSettings
) -> Drawing:
    """Draw columns of panels: (panels from top to bottom, seconds, center), as many in each."""
    rows = len(columns[0][0])
    figure = new_figure(COLUMN_WIDTH, 1.1 * rows + 0.4)
    axes = figure.subplots(rows, 2, squeeze=False, sharex=True)
    arrays = {}
    for column, (side, (panels, seconds, center)) in enumerate(zip(SIDES, columns, strict=True)):
        for row, (name, panel) in enumerate(panels.items()):
            axis = axes[row, column]
            centered = center or name == "signal"
            image = draw_spectrogram(axis, panel, seconds, settings.floor, centered)
            arrays[f"{side}_{name}"] = panel.arrays()
            if column == 0:
                label = "input" if name == "signal" else f"layer {name}"
                axis.set_ylabel(f"{label}\nfrequency (kHz)")
        axes[0, column].set_title(getattr(settings, side))
        axes[-1, column].set_xlabel("time (s)")
    add_colorbar(figure, image, axes, "dB relative to the input's maximum", 0.6)
    figure.align_ylabels()
    return Drawing(figure, arrays)


@drawn_from(StackSettings, inputs=2)
def stacks(settings: StackSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw Fig. 6, 7 or 8: input and three layers of two stacks (input files: left, right)."""
    return _draw_columns([(*stack_panels(path), False) for path in inputs], settings)


@drawn_from(StackSettings, inputs=1)
def stft_setups(settings: StackSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw Fig. 10: the layers of one stack with `center=False` (left) and `True` (right)."""
    columns = [(*stack_panels(inputs[0], center), center) for center in (False, True)]
    for panels, _, _ in columns:
        del panels["signal"]
    return _draw_columns(columns, settings)
