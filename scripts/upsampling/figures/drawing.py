"""A figure's function: it takes settings and files, and returns a drawing."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from matplotlib.figure import Figure

from upsampling.config.declared import read_settings
from upsampling.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Titled:
    """A panel or row of a figure: `name` in file names, `title` as it is shown."""

    name: str
    title: str = ""


@dataclass(frozen=True)
class Drawing:
    """A finished figure and the arrays of its panels: panel name -> array name -> array."""

    figure: Figure
    arrays: dict[str, dict[str, Any]]


# A figure as the registry calls it, with its settings as JSON gives them, input files, and name.
Draw = Callable[[Mapping[str, Any], Sequence[Path], str], Drawing]


def drawn_from(
    settings: type[T], inputs: int | Callable[[T], int]
) -> Callable[[Callable[[T, Sequence[Path]], Drawing]], Draw]:
    """Let a drawing function take a dataclass of `settings` and so many `inputs`.

    Raises `UserError` for other settings, or another number of input files.
    """

    def decorate(draw: Callable[[T, Sequence[Path]], Drawing]) -> Draw:
        @functools.wraps(draw)
        def checked(values: Mapping[str, Any], files: Sequence[Path], where: str) -> Drawing:
            built = read_settings(settings, values, where)
            count = inputs if isinstance(inputs, int) else inputs(built)
            if len(files) != count:
                raise UserError(f"{where}: {count} input files needed, {len(files)} given")
            return draw(built, files)

        return checked

    return decorate
