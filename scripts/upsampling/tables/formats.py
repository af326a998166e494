"""A table in every format, by file name suffix."""

import pandas as pd

from upsampling.tables.latex import latex
from upsampling.tables.markdown_html import html, markdown
from upsampling.tables.sheet import Sheet


def in_all_formats(table: pd.DataFrame, sheet: Sheet) -> dict[str, str]:
    """A text by suffix: `table` as csv, and its rounded `sheet` as md, tex and html."""
    return {
        "csv": table.to_csv(index=False),
        "md": markdown(sheet),
        "tex": latex(sheet),
        "html": html(sheet),
    }
