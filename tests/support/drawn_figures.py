"""Figures as text, one line per thing that is drawn, compared with the text that was noted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.figure import FigureBase
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch
from matplotlib.text import Annotation, Text
from noted import ROUNDING, assert_noted

from upsampling.config.mapping import merge
from upsampling.figures import style
from upsampling.figures.registry import FIGURES

NOTED = Path(__file__).parents[1] / "unit" / "figures" / "noted"
# Of places in the layout, in widths of the figure, which depend on the lengths of texts to a pixel.
LAYOUT = 4e-3


def assert_drawn(case: str, name: str, inputs: list[Path], /, **settings: Any) -> None:
    """Draw figure `name` and compare it with the noted text of `case`."""
    draw, defaults = FIGURES[name]
    with style.style():
        drawing = draw(merge(defaults, settings), inputs, name)
        FigureCanvasAgg(drawing.figure).draw()
        found = list(described(drawing.figure))
    assert_noted(
        NOTED / f"{case}.txt",
        found,
        lambda line: LAYOUT if line.strip().startswith("at ") else ROUNDING / 10,
    )


def described(figure: Any) -> Iterator[str]:
    """Lines of text: the figure and its legends, then each of its axes with its content."""
    yield f"figure {numbers(figure.get_size_inches())}"
    for part in (figure, *figure.subfigs):
        yield from of_part(part)
    for place, axes in enumerate(figure.axes):
        yield f"axes {place}" + ("" if axes.get_visible() else " hidden")
        if axes.get_visible():
            yield from (f"  {line}" for line in of_axes(axes, figure))


def of_part(part: FigureBase) -> Iterator[str]:
    """Texts and legends of a figure or subfigure."""
    for text in part.texts:
        yield f"  {of_text(text)}"
    for legend in part.legends:
        yield from (f"  {line}" for line in of_legend(legend))


def of_axes(axes: Axes, figure: Any) -> Iterator[str]:
    """Frame, axis and content of axes."""
    yield f"at {numbers(axes.get_position().bounds)}"
    yield f"view {numbers([*axes.get_xlim(), *axes.get_ylim()])} {axes.get_xscale()}"
    if not axes.axison:
        yield "no frame"
    yield "frame " + ", ".join(of_spine(*item) for item in axes.spines.items())
    titles = (axes.title, getattr(axes, "_left_title"), getattr(axes, "_right_title"))  # noqa: B009
    yield from (f"title {of_text(t)}" for t in titles if t.get_text())
    inverse = figure.transFigure.inverted()
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if axis.label.get_text():
            along = axis.label.get_position()[name == "y"]
            yield f"{name} label {of_text(axis.label, [along])}"
            yield f"at {numbers(inverse.transform(axis.label.get_window_extent().p0))}"
        low, high = sorted(axis.get_view_interval())
        ticks = [t for t in axis.get_major_ticks() if low - 1e-9 <= t.get_loc() <= high + 1e-9]
        labels = [t for tick in ticks for t in (tick.label1, tick.label2) if t.get_visible()]
        yield f"{name} ticks {numbers([t.get_loc() for t in ticks])}"
        yield f"{name} labels {[t.get_text() for t in labels]}" + "".join(
            f" {t.get_fontsize():.3f} {t.get_rotation():.3f} {t.get_ha()}" for t in labels[:1]
        )
        for tick in ticks[:1]:
            line, grid = tick.tick1line, tick.gridline
            yield f"{name} tick {line.get_markersize():.3f} {line.get_markeredgewidth():.3f} " + (
                f"pad {tick.get_pad():.3f} grid {of_line(grid, data=False)}"
                if grid.get_visible()
                else f"pad {tick.get_pad():.3f}"
            )
    skipped = {*axes.spines.values(), axes.xaxis, axes.yaxis, axes.patch, *titles}
    for artist in axes.get_children():
        if artist not in skipped:
            yield from of_artist(artist)


def of_spine(name: str, spine: Any) -> str:
    """One side of a frame: width, color, place and bounds."""
    if not spine.get_visible():
        return f"no {name}"
    look = f"{name} {spine.get_linewidth():.3f} {color(spine.get_edgecolor())}"
    if name == "outline" or spine.get_position() == ("outward", 0.0):
        return look
    return f"{look} {spine.get_position()} {numbers(spine.get_bounds())}"


def of_artist(artist: Any) -> Iterator[str]:
    """Whatever stands in axes."""
    clip = "" if artist.get_clip_on() else " not clipped"
    match artist:
        case Legend():
            yield from of_legend(artist)
        case Line2D():
            yield of_line(artist) + clip
        case Annotation():
            arrow = artist.arrow_patch
            yield f"annotation {numbers([*artist.xy, *artist.get_position()])} {of_patch(arrow)}"
        case Text():
            if artist.get_text():
                yield of_text(artist)
        case AxesImage():
            array = np.ma.filled(artist.get_array(), np.nan)
            interpolation = f"{artist.get_interpolation()} {artist.get_interpolation_stage()}"
            yield (
                f"image {array.shape} {numbers(artist.get_extent())} {summary(array.ravel())} "
                + (
                    f"{artist.get_cmap().name} {numbers(artist.get_clim())} {artist.origin} "
                    f"{interpolation}"
                )
            )
        case Collection():
            paths = [path.vertices for path in artist.get_paths()]
            points = np.concatenate(paths) if paths else np.zeros((0, 2))
            faces = [color(c) for c in artist.get_facecolor()[:1]]
            edges = [color(c) for c in artist.get_edgecolor()[:1]]
            yield f"{type(artist).__name__} {len(paths)} {faces} {edges} " + (
                f"{numbers(artist.get_linewidth()[:1])} {summary(points[:, 0])} "
                f"{summary(points[:, 1])}"
            )
        case Patch():
            yield of_patch(artist)


def of_line(line: Line2D, data: bool = True) -> str:
    """Look of a line and its markers, and its points."""
    look = f"line {color(line.get_color())} {line.get_linestyle()} {line.get_linewidth():.3f}"
    if line.get_alpha() is not None:
        look += f" alpha {line.get_alpha():.3f}"
    if line.get_marker() not in ("None", "", None):
        look += (
            f" {line.get_marker()} {line.get_markersize():.3f} {line.get_markeredgewidth():.3f} "
            f"{color(line.get_markerfacecolor())} {color(line.get_markeredgecolor())}"
        )
    if not data:
        return look
    label = str(line.get_label())
    named = "" if label.startswith("_") else f" {label!r}"
    return f"{look}{named} {summary(line.get_xdata())} {summary(line.get_ydata())}"


def of_patch(patch: Any) -> str:
    """Look and box of a patch."""
    if isinstance(patch, FancyArrowPatch):
        style = type(patch.get_arrowstyle()).__name__
        shrink = f"{patch.shrinkA:.3f} {patch.shrinkB:.3f}"
        return f"{style} {color(patch.get_edgecolor())} {patch.get_linewidth():.3f} {shrink}"
    box = patch.get_path().get_extents(patch.get_patch_transform()).extents
    edge = f"{color(patch.get_edgecolor())} {patch.get_linewidth():.3f} {patch.get_zorder():.1f}"
    return f"patch {patch.get_fill()} {color(patch.get_facecolor())} {edge} {numbers(box)}"


def of_text(text: Text, place: Any = None) -> str:
    """A text and where it stands."""
    look = f"{color(text.get_color())} {text.get_ha()} {text.get_va()} {text.get_parse_math()}"
    where = numbers(text.get_position() if place is None else place)
    return f"text {text.get_text()!r} {text.get_fontsize():.3f} {look} {where}"


def of_legend(legend: Any) -> Iterator[str]:
    """Columns, spaces, and entries of a legend."""
    spaces = numbers([legend.handlelength, legend.handletextpad, legend.columnspacing])
    place = legend.get_loc() if hasattr(legend, "get_loc") else legend._get_loc()
    yield f"legend {legend._ncols} {place} {legend._outside_loc} {spaces} " + str(
        legend.get_frame_on()
    )
    for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
        yield f"  entry {text.get_text()!r} {text.get_fontsize():.3f} {of_line(handle, data=False)}"


def color(value: Any) -> str:
    """A color as #rrggbb or #rrggbbaa."""
    return colors.to_hex(value, keep_alpha=colors.to_rgba(value)[3] < 1)


def numbers(values: Any) -> str:
    """Numbers with six significant digits."""
    return " ".join(number(value) for value in np.asarray(values, float).ravel())


def number(value: float) -> str:
    """A number with a point, by which it is known from those in names."""
    text = f"{value + 0.0:.6g}"
    mantissa, exponential, exponent = text.partition("e")
    return text if "." in text or "n" in text else f"{mantissa}.0{exponential}{exponent}"


def summary(values: Any) -> str:
    """Few numbers themselves; of more, their count, ends, mean, and projection on fixed noise."""
    array = np.asarray(values, float).ravel()
    if len(array) <= 6:
        return f"[{numbers(array)}]"
    there = np.nan_to_num(array)
    noise = np.random.default_rng(0).standard_normal(len(array))
    projection = noise @ there / np.sqrt(len(array))
    return f"[{len(array)}: {numbers([array[0], array[-1], there.mean(), projection])}]"
