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
