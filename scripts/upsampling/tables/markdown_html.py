"""A sheet as Markdown and HTML; all text is escaped."""

import itertools

from upsampling.tables.captions import Description, extent
from upsampling.tables.sheet import Column, Sheet, escaper

HTML_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --line: #767676; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e6e1; --line: #8b8f96; --paper: #15171a; } }
body {
  font: 16px/1.45 system-ui, sans-serif; margin: 1.5rem; color: var(--ink);
  background: var(--paper);
}
h1 { font-size: 1.4rem; margin: 0 0 .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption {
  text-align: left; font-size: 1rem; padding-bottom: .75rem;
  max-width: min(60rem, calc(100vw - 3rem));
}
th, td { padding: .3rem .4rem; text-align: right; white-space: nowrap; }
th[scope=col] { white-space: normal; vertical-align: bottom; }
th[scope=row], th.text { text-align: left; white-space: normal; font-weight: normal; }
thead, tbody { border-bottom: 1px solid var(--ink); }
thead { border-top: 2px solid var(--ink); }
th[scope=row] { min-width: 13rem; position: sticky; left: 0; background: var(--paper); }
@media (max-width: 40rem) { th[scope=row] { min-width: 8rem; } }
@page { size: landscape; }
@media print { .scroll { overflow: visible; } table { font-size: .6rem; } }
th[scope=colgroup] { text-align: center; border-bottom: 1px solid var(--line); }
.notes { max-width: 60rem; font-size: .875rem; }
"""
escape_html = escaper({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
# Entities, not backslashes, where GitHub's table parser or an HTML block reads first.
escape_markdown = escaper(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "\\": "&#92;", "`": "&#96;"}
    | {character: f"\\{character}" for character in "*_[]~#$!"}
)


def markdown(sheet: Sheet) -> str:
    """A GitHub-flavored table; groups go into the heads, as Markdown knows no spanning cells."""
    escape = escape_markdown
    heads = [f"{c.group}: {c.head}" if c.group else c.head for c in sheet.columns]

    def cell(text: str, _: Column, bold: bool) -> str:
        return f"**{escape(text)}**" if bold else escape(text)

    rows = [[escape(head) for head in heads], *itertools.chain(*sheet.bodies(cell))]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join([":--", *["--:"] * (len(heads) - 1)]) + " |")
    blocks = [
        f"**{escape(sheet.title)}.** {escape(sheet.caption)}",
        "\n".join(lines),
        *(escape(f"{mark} {text}".strip()) for mark, text in sheet.footnotes),
    ]
    return "\n\n".join(blocks) + "\n"


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


def html(sheet: Sheet) -> str:
    """A self-contained page with the table, its caption and its footnotes."""
    escape = escape_html
    top, second = [], []
    for group, columns in sheet.spans():
        if group:
            top.append(f'<th scope="colgroup" colspan="{len(columns)}">{escape(group)}</th>')
            second += [f'<th scope="col">{escape(c.head)}</th>' for c in columns]
        else:
            top += [f'<th scope="col" rowspan="2" class="text">{escape(columns[0].head)}</th>']
    groups = "".join(f'<colgroup span="{len(columns)}"></colgroup>' for _, columns in sheet.spans())

    def cell(text: str, _: Column, bold: bool) -> str:
        return f"<strong>{escape(text)}</strong>" if bold else escape(text)

    def line(row: list[str]) -> str:
        data = "".join(f"<td>{text}</td>" for text in row[1:])
        return f'<tr><th scope="row">{row[0]}</th>{data}</tr>'

    bodies = ["\n".join(map(line, body)) for body in sheet.bodies(cell)]
    between = "\n</tbody>\n<tbody>\n"
    notes = "\n".join(f"<p>{escape(f'{mark} {text}')}</p>" for mark, text in sheet.footnotes)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(sheet.title)}</title>
<style>{HTML_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(sheet.title)}</h1>
<div class="scroll" role="region" aria-label="{escape(sheet.title)}" tabindex="0">
<table aria-describedby="notes">
<caption>{escape(sheet.caption)}</caption>
{groups}
<thead>
<tr>{"".join(top)}</tr>
<tr>{"".join(second)}</tr>
</thead>
<tbody>
{between.join(bodies)}
</tbody>
</table>
</div>
<div class="notes" id="notes">
{notes}
</div>
</main>
</body>
</html>
"""
