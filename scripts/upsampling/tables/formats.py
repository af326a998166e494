"""A table in every format, by file name suffix."""

import pandas as pd

from upsampling.tables.latex import latex
from upsampling.tables.markdown_html import html, markdown
from upsampling.tables.sheet import Sheet


def in_all_formats(table: pd.DataFrame, sheet: Sheet, tex: str = "") -> dict[str, str]:
    """A text by suffix: `table` as csv, its rounded `sheet` as md, html and, without `tex`, tex."""
    return {
        "csv": table.to_csv(index=False),
        "md": markdown(sheet),
        "tex": tex or latex(sheet),
        "html": html(sheet),
    }
