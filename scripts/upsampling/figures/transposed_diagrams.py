"""Figs. 2-5: transposed convolutions fed with ones, and their banded matrices (Sec. 2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from upsampling.errors import UserError
from upsampling.figures.drawing import Drawing, drawn_from
from upsampling.figures.style import COLUMN_WIDTH, INK, MUTED, PALETTE, new_figure, stems

Floats = NDArray[np.floating[Any]]

BORDER_SHADE = "#e9e4da"
TAP_NAMES = "abcdefghijklmnopqrstuvwxyz"
# Columns of the drawing left of the matrix, where the vector of inputs stands.
MARGIN = 3.2
WEIGHT_TITLES = {"ones": "all weights 1", "random": "random weights"}


@dataclass(frozen=True)
class TransposedSettings:
    """A one-channel transposed convolution without bias, fed with `inputs` ones.

    `weights` is `ones`, or `random`: U(-1, 1) / sqrt(kernel_size), PyTorch's default.
    """

    kernel_size: int = 3
    stride: int = 3
    inputs: int = 5
    weights: str = "random"
    seed: int = 0

    def filter(self) -> Floats:
        """Return the filter [kernel_size]; raises `UserError` for settings that give none."""
        if not 1 <= self.stride <= self.kernel_size or self.inputs < 1:
            raise UserError(
                f"a transposed convolution of kernel_size {self.kernel_size} and stride "
                f"{self.stride} with {self.inputs} inputs cannot be drawn; "
                "set 1 <= stride <= kernel_size and inputs >= 1"
            )
        if self.weights == "ones":
            return np.ones(self.kernel_size)
        if self.weights == "random":
            rng = np.random.default_rng([self.seed, self.kernel_size, self.stride])
            return rng.uniform(-1, 1, self.kernel_size) / np.sqrt(self.kernel_size)
        raise UserError(f"unknown weights '{self.weights}'; choose from ones, random")

    @property
    def overlap(self) -> str:
        """The paper's name for the situation: no, partial or full overlap."""
        if self.kernel_size == self.stride:
            return "no overlap"
        return "partial overlap" if self.kernel_size % self.stride else "full overlap"

    @property
    def steady(self) -> tuple[int, int]:
        """First and one-past-last output sample of the steady state, between the borders.

        Output n gets input i through weight n - i stride; all before kernel_size - stride, and all
        from inputs x stride on, lack neighbors: the boundary artifacts.
        """
        return self.kernel_size - self.stride, self.inputs * self.stride


def transposed_matrix(weights: Floats, stride: int, inputs: int) -> Floats:
    """A transposed convolution as a banded matrix W [inputs, (inputs - 1) stride + kernel_size].

    Row i is the filter, shifted by i strides, so that x W is the upsampled signal.
    """
    matrix = np.zeros((inputs, (inputs - 1) * stride + len(weights)))
    for row in range(inputs):
        matrix[row, row * stride : row * stride + len(weights)] = weights
    return matrix


def upsampled_ones(settings: TransposedSettings) -> dict[str, Floats]:
    """Arrays of a stem panel: `samples` (the output for ones) and `weights` (the filter)."""
    weights = settings.filter()
    matrix = transposed_matrix(weights, settings.stride, settings.inputs)
    return {"samples": np.ones(settings.inputs) @ matrix, "weights": weights}


def shade_borders(axes: Axes, settings: TransposedSettings, count: int) -> None:
    """Shade the output samples, of `count`, that fewer inputs reach than those of the middle."""
    first, last = settings.steady
    for low, high in ((0, first), (last, count)):
        if high > low:
            axes.axvspan(low - 0.5, high - 0.5, color=BORDER_SHADE, linewidth=0, zorder=0)


def _draw_cell(axes: Axes, column: float, row: float, text: str, color: str) -> None:
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=color, edgecolor="white"))
    look: dict[str, Any] = {"color": "white", "fontsize": 6, "parse_math": True}
    axes.text(column, row, text, ha="center", va="center", **look)


def _draw_product(axes: Axes, settings: TransposedSettings, count: int) -> None:
    """Draw the vector of ones beside the matrix whose columns stand above their output samples."""
    for row in range(settings.inputs):
        _draw_cell(axes, -2.5, row, "1", MUTED)
        for tap in range(settings.kernel_size):
            letter = TAP_NAMES[tap % len(TAP_NAMES)]
            text = "1" if settings.weights == "ones" else rf"$w_{letter}$"
            _draw_cell(axes, row * settings.stride + tap, row, text, PALETTE[tap % len(PALETTE)])
    axes.add_patch(
        Rectangle((-0.5, -0.5), count, settings.inputs, fill=False, edgecolor=MUTED, linewidth=0.5)
    )
    axes.text(-1.25, (settings.inputs - 1) / 2, "×", ha="center", va="center", fontsize=9)
    filter_text = f"filter W, length {settings.kernel_size}, stride {settings.stride}"
    for column, text in ((-2.5, "input"), ((count - 1) / 2, filter_text)):
        axes.text(column, -0.8, text, ha="center", va="bottom")
    axes.set_ylim(settings.inputs - 0.4, -1.5)
    axes.axis("off")


def _mark_period(axes: Axes, settings: TransposedSettings, samples: Floats) -> None:
    """Mark one period with an arrow, or say that there is none; a short signal shows neither."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.32 * (high - low))
    first, last = settings.steady
    middle = samples[first:last]
    if len(middle) < 2 * settings.stride:
        return
    if np.allclose(middle, middle[0]):
        axes.text((first + last - 1) / 2, high, "no period", ha="center", va="bottom", fontsize=6)
        return
    start = first + settings.stride * ((last - first) // (2 * settings.stride) - 1)
    start += int(np.argmax(samples[start : start + settings.stride]))
    arrow = {"arrowstyle": "<->", "color": INK, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (start, high), (start + settings.stride, high), arrowprops=arrow)
    text = f"period {settings.stride} samples"
    axes.text(start + settings.stride + 0.3, high, text, va="center", fontsize=6)


@drawn_from(TransposedSettings, inputs=0)
def diagram(settings: TransposedSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw Fig. 2, 3 or 4; its one panel is `a`."""
    arrays = upsampled_ones(settings)
    samples = arrays["samples"]
    matrix_height = (COLUMN_WIDTH - 0.35) * (settings.inputs + 1.1) / (len(samples) + MARGIN)
    figure = new_figure(COLUMN_WIDTH, matrix_height + 1.1)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[matrix_height, 1.0])
    _draw_product(top, settings, len(samples))
    shade_borders(bottom, settings, len(samples))
    stems(bottom, samples)
    _mark_period(bottom, settings, samples)
    bottom.set_xlim(-MARGIN, len(samples) - 0.4)
    bottom.set_xticks(range(0, len(samples), 1 if len(samples) < 20 else 5))
    bottom.spines["left"].set_position(("data", -0.9))
    bottom.spines["bottom"].set_bounds(-0.9, len(samples) - 0.5)
    bottom.set_xlabel("output sample", x=(MARGIN + len(samples) / 2) / (len(samples) + MARGIN))
    bottom.set_ylabel("output")
    if settings.steady[0] > 0:
        at = bottom.get_xaxis_transform()
        bottom.text(-0.4, 1.0, "border", fontsize=5.5, color=MUTED, va="top", transform=at)
    return Drawing(figure, {"a": arrays})


@dataclass(frozen=True)
class OverlapSettings:
    """Rows of Fig. 5; `inputs` and `seed` replace those of all rows."""

    rows: tuple[TransposedSettings, ...] = (
        TransposedSettings(kernel_size=8, stride=6, weights="ones"),
        TransposedSettings(kernel_size=8, stride=6, weights="random"),
        TransposedSettings(kernel_size=8, stride=4, weights="ones"),
        TransposedSettings(kernel_size=8, stride=4, weights="random"),
    )
    inputs: int = 10
    seed: int = 0


@drawn_from(OverlapSettings, inputs=0)
def overlap_stems(settings: OverlapSettings, inputs: Sequence[Path]) -> Drawing:
    """Draw Fig. 5: the output of each row for ones; panels `1`, `2`, ..."""
    figure = new_figure(COLUMN_WIDTH, 0.95 * len(settings.rows) + 0.15)
    panels = figure.subplots(len(settings.rows), 1, squeeze=False)[:, 0]
    arrays = {}
    for number, (axes, row) in enumerate(zip(panels, settings.rows, strict=True), start=1):
        transposed = replace(row, inputs=settings.inputs, seed=settings.seed)
        arrays[str(number)] = upsampled_ones(transposed)
        samples = arrays[str(number)]["samples"]
        shade_borders(axes, transposed, len(samples))
        stems(axes, samples, PALETTE[0] if transposed.weights == "ones" else PALETTE[1])
        axes.set_xlim(-1, len(samples))
        axes.set_title(
            f"row {number}: length {transposed.kernel_size}, stride {transposed.stride}, "
            f"{WEIGHT_TITLES[transposed.weights]}, {transposed.overlap}",
            loc="left",
        )
    panels[-1].set_xlabel("output sample")
    figure.supylabel("output", fontsize=6.5)
    return Drawing(figure, arrays)
