"""A table in every format, by file name suffix; numbers over seeds as text."""

import math

import pandas as pd

from upsampling.tables.captions import Description, extent
from upsampling.tables.latex import latex
from upsampling.tables.markdown_html import html, markdown
from upsampling.tables.sheet import SILENT, Column, Sheet, number


def in_all_formats(table: pd.DataFrame, sheet: Sheet, tex: str = "") -> dict[str, str]:
    """A text by suffix: `table` as csv, its rounded `sheet` as md, html and, without `tex`, tex."""
    return {
        "csv": table.to_csv(index=False),
        "md": markdown(sheet),
        "tex": tex or latex(sheet),
        "html": html(sheet),
    }


def trained_markdown(
    title: str,
    columns: list[Column],
    cells: list[list[str]],
    caption: str,
    description: Description,
    notes: list[str],
) -> str:
    """A table of trained models as Markdown; the extent of training ends its caption."""
    facts = ", ".join(extent(description))
    caption += f"{f' ({facts})' if facts else ''}; mean ± standard deviation over seeds."
    footnotes = [("", note) for note in notes]
    return markdown(Sheet(columns, cells, [True] * len(cells), caption, footnotes, title=title))


def with_spread(mean: float, deviation: float, digits: int) -> str:
    """A mean ± a standard deviation, which is left out if it is NaN, as that of one value."""
    return number(mean, digits) + ("" if math.isnan(deviation) else f" ± {deviation:.{digits}f}")


def spread(values: pd.Series, digits: int) -> str:
    """Mean ± standard deviation over seeds."""
    return with_spread(values.mean(), values.std(), digits)


def level(values: pd.Series, silent: float) -> str:
    """Levels in dBFS as `spread`; `SILENT` if none is above `silent`."""
    return SILENT if len(values) and (values <= silent).all() else spread(values, 1)
