"""A table as text cells, from which each format is rendered.

pandas' Styler does not replace it. Its HTML has no `scope`, heads the row names with empty cells,
does not separate groups of rows, leaves captions unescaped, and gives cells random ids. Its LaTeX
escapes neither brackets at the start of a row nor ±, – and †, puts spreads where siunitx expects a
number, has no rules under spanning heads, and no place for footnotes. Its Markdown needs tabulate.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

MISSING = "–"
# The level of an output of exact zeros.
SILENT = "none"


def number(value: float, digits: int) -> str:
    """A number with `digits` decimals, without the sign of a rounded zero."""
    if math.isnan(value):
        return MISSING
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def with_spread(mean: float, deviation: float, digits: int) -> str:
    """A mean ± a standard deviation, which is left out if it is NaN, as that of one value."""
    return number(mean, digits) + ("" if math.isnan(deviation) else f" ± {deviation:.{digits}f}")


def spread(values: pd.Series, digits: int) -> str:
    """Mean ± standard deviation over seeds."""
    return with_spread(values.mean(), values.std(), digits)


def level(values: pd.Series, silent: float) -> str:
    """Levels in dBFS as `spread`; `SILENT` if none is above `silent`."""
    return SILENT if len(values) and (values <= silent).all() else spread(values, 1)


@dataclass(frozen=True)
class Column:
    """A column's head and the group ('' for none) whose head spans it and its neighbors.

    Cells of a `numeric` column are numbers like -1,234.5, perhaps with " ± 0.1" or a mark, or
    `MISSING`.
    """

    head: str
    group: str
    numeric: bool = True


@dataclass(frozen=True)
class Sheet:
    """A table as text: `cells[row][column]`, `trained[row]`, footnotes as (mark, text).

    `bold` holds the (row, column) of cells to print in bold. The first column names the row; a line
    separates rows that were trained from the others. `title` numbers the table, as in "Table 1".
    """

    columns: list[Column]
    cells: list[list[str]]
    trained: list[bool]
    caption: str
    footnotes: list[tuple[str, str]]
    bold: set[tuple[int, int]] = field(default_factory=set)
    title: str = "Table 1"

    def bodies(self, render: Callable[[str, Column, bool], str]) -> list[list[list[str]]]:
        """Cells by `render(text, column, bold)`; consecutive rows all trained, or all not."""
        rows = [
            [
                render(text, column, (row, index) in self.bold)
                for index, (text, column) in enumerate(zip(cells, self.columns, strict=True))
            ]
            for row, cells in enumerate(self.cells)
        ]
        pairs = zip(self.trained, rows, strict=True)
        return [[c for _, c in run] for _, run in itertools.groupby(pairs, lambda pair: pair[0])]

    def spans(self) -> list[tuple[str, list[Column]]]:
        """Consecutive columns of one group; a column without a group stands alone."""
        key = enumerate(self.columns)
        runs = itertools.groupby(key, lambda item: item[1].group or item[0])
        return [(group[0][1].group, [c for _, c in group]) for _, run in runs if (group := [*run])]


def one_line(text: str) -> str:
    """Text without control characters or line breaks, which would end a cell in some format."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def escaper(replacements: dict[str, str]) -> Callable[[str], str]:
    """A function that makes text literal by replacing single characters."""
    mapping = str.maketrans(replacements)
    return lambda text: one_line(text).translate(mapping)
