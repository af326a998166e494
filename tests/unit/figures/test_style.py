"""Figures are equal bytes for equal data, under any settings of the user."""

import matplotlib
import numpy as np
import pytest

from upsampling.figures import style


def drawing() -> style.Drawing:
    figure = style.new_figure(style.COLUMN_WIDTH, 1.0)
    axes = figure.subplots()
    style.stems(axes, np.array([0.5, -1.0, 2.0]))
    axes.set_title("costs $5 or $6")
    return style.Drawing(figure, {"a": {"samples": np.arange(3)}})


def written(folder) -> list[bytes]:
    with style.style():
        paths = style.save(
            drawing(), folder / "f.pdf", folder / "f.png", str(folder / "f_{panel}.npz")
        )
    return [path.read_bytes() for path in paths]


def test_files_are_equal_bytes_without_dates(tmp_path):
    first = written(tmp_path / "1")
    assert len(first) == 3
    before = matplotlib.rcParams["font.size"]
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9}):
        assert written(tmp_path / "2") == first
    assert matplotlib.rcParams["font.size"] == before
    assert b"CreationDate" not in first[0]
    assert b"Software" not in first[1]


def test_the_size_is_that_of_the_page(tmp_path):
    from PIL import Image

    written(tmp_path)
    with Image.open(tmp_path / "f.png") as image:
        assert image.size == (round(style.COLUMN_WIDTH * style.DPI), style.DPI)


@pytest.mark.parametrize("samples", [[1.0, 2.0], [-1.0, -2.0], [-1.0, 2.0]])
def test_stems_stand_inside_the_axes_with_their_zero_line(samples):
    axes = style.new_figure(2, 2).subplots()
    style.stems(axes, np.array(samples))
    low, high = axes.get_ylim()
    assert low < min(0, *samples)
    assert high > max(0, *samples)


def test_pages_are_those_of_two_columns():
    """Inches and dots per inch of a paper; colors of Okabe and Ito."""
    assert (style.COLUMN_WIDTH, style.TEXT_WIDTH, style.DPI) == (3.4, 7.0, 300)
    assert (style.PALETTE[0], style.PALETTE[1], len(set(style.PALETTE))) == (
        "#0072b2",
        "#d55e00",
        8,
    )


def test_text_is_readable_beside_the_papers_and_embedded_as_type():
    """7 points and somewhat less, thin lines, and TrueType fonts, which can be searched."""
    points = {key: value for key, value in style.SETTINGS.items() if not isinstance(value, str)}
    assert points == {
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 7, "axes.titlesize": 7, "axes.labelsize": 6.5, "legend.fontsize": 6,
        "xtick.labelsize": 6, "ytick.labelsize": 6, "axes.titlepad": 3, "axes.labelpad": 2,
        "axes.linewidth": 0.5, "lines.linewidth": 0.8,
        "xtick.major.size": 2, "ytick.major.size": 2, "xtick.major.width": 0.5,
        "ytick.major.width": 0.5, "xtick.major.pad": 2, "ytick.major.pad": 2,
        "text.parse_math": False, "pdf.fonttype": 42,
    }  # fmt: skip


@pytest.mark.parametrize(("samples", "limits"), [
    ([1.0, 3.0], (-0.12, 3.36)), ([-1.0, -3.0], (-3.36, 0.36)), ([-1.0, 3.0], (-1.48, 3.48)),
])  # fmt: skip
def test_stems_have_a_margin_of_an_eighth_and_a_third_of_it_below_zero(samples, limits):
    axes = style.new_figure(2, 2).subplots()
    style.stems(axes, np.array(samples))
    assert axes.get_ylim() == pytest.approx(limits)
    zero, stems = axes.collections
    assert zero.get_segments()[0].tolist() == [[-0.5, 0], [1.5, 0]]
    assert [segment[1].tolist() for segment in stems.get_segments()] == [
        [0, samples[0]], [1, samples[1]],
    ]  # fmt: skip
    (dots,) = axes.get_lines()
    assert dots.get_xydata().tolist() == [[0, samples[0]], [1, samples[1]]]
    widths = [zero.get_linewidth()[0], stems.get_linewidth()[0], dots.get_markersize()]
    assert widths == [0.5, 0.8, 2.2]
    shown = {side for side, spine in axes.spines.items() if spine.get_visible()}
    assert shown == {"left", "bottom"}


def test_panels_stand_a_fiftieth_of_an_inch_from_the_edge():
    layout = style.new_figure(3, 2).get_layout_engine()
    spaces = {"w_pad": 0.02, "h_pad": 0.02, "wspace": 0.02, "hspace": 0.02}
    assert layout.get() | spaces == layout.get()
