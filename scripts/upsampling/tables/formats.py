"""A table in every format, by file name suffix."""

import pandas as pd

from upsampling.tables.markdown_html import html, markdown
from upsampling.tables.sheet import Sheet


def in_all_formats(table: pd.DataFrame, sheet: Sheet, tex: str) -> dict[str, str]:
    """A text by suffix: `table` as csv, its rounded `sheet` as md and html, and `tex` as it is."""
    return {
        "csv": table.to_csv(index=False),
        "md": markdown(sheet),
        "tex": tex,
        "html": html(sheet),
    }
