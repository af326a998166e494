"""Functions of figures get their settings as a dataclass, and as many files as they draw."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from upsampling.errors import UserError
from upsampling.figures.drawing import Drawing, Titled, drawn_from


@drawn_from(Titled, inputs=lambda settings: len(settings.name))
def letters(settings: Titled, inputs: list[Path]) -> Drawing:
    """Draw a file per letter."""
    return Drawing(Figure(), {settings.name: dict.fromkeys(map(str, inputs), settings.title)})


def test_settings_and_files_are_those_that_are_given():
    drawing = letters({"name": "ab", "title": "AB"}, [Path("1"), Path("2")], "x")
    assert drawing.arrays == {"ab": {"1": "AB", "2": "AB"}}
    assert letters.__doc__ == "Draw a file per letter."


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "abc"}, "^x: 3 input files needed, 1 given$"),
        ({"name": "a", "titel": ""}, r"^x\.titel: unknown key 'titel' .*did you mean 'title'"),
        ({}, "^x: the key 'name' is missing; add it$"),
    ],
)
def test_mistakes_name_the_figure(values, message):
    with pytest.raises(UserError, match=message):
        letters(values, [Path("1")], "x")
