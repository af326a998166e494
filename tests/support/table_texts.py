"""Tables read back from their HTML, Markdown and LaTeX, with all escapes undone."""

import html
import re
import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from upsampling.tables.latex import escape_latex

# Characters that act in some format, a line break among them.
NASTY = "[2] <script>alert('x')</script> & a_b 50% \\input{/etc/passwd} | `c` *s* ~^$#{}\n-- \"é\""


class Cells(HTMLParser):
    """Collects table rows and tags, and checks that tags nest."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & {*self.open}:
            self.rows[-1][-1] += data


def html_rows(text: str) -> list[list[str]]:
    """Rows of cells below the two rows of heads."""
    parser = Cells()
    parser.feed(text)
    assert not parser.open
    return parser.rows[2:]


def markdown_rows(text: str) -> list[list[str]]:
    """Rows of cells below the head."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [[unescape_markdown(cell) for cell in row] for row in cells]


def unescape_markdown(text: str) -> str:
    """The text that a Markdown cell shows, apart from bold."""
    return html.unescape(re.sub(r"\\(.)", r"\1", text))


def latex_rows(text: str) -> list[list[str]]:
    """Rows of cells between the head and the bottom rule."""
    body = text[text.index("\\midrule") : text.index("\\bottomrule")]
    lines = [line.removesuffix(r" \\") for line in body.splitlines() if line.endswith(r" \\")]
    return [[unescape_latex(cell) for cell in re.split(r"(?<!\\) & ", line)] for line in lines]


def unescape_latex(text: str) -> str:
    """The text of a LaTeX cell; fails where a character is left that LaTeX would act on."""
    names = {
        "textbackslash": "\\", "textasciicircum": "^", "textasciitilde": "~", "textless": "<",
        "textgreater": ">", "textbar": "|", "char34": '"', "textendash": "–",
    }  # fmt: skip
    text = text.removeprefix("\\bfseries ")
    text = re.sub(r"\{\$\{\}\\pm\{\}\$(.*)\}$", r" ± \1", text)
    text = re.sub(r"\{\\textsuperscript\{(.*)\}\}$", r"\1", text).replace(r"$\pm$", "±")
    text = text.replace(r"$\dagger$", "†")
    text = re.sub(r"^\{([^\[\]*].*)\}$", r"\1", text)
    pattern = r"\\([a-z]+\d*)\{\}|\\([&%$#_{}])|\{([\[\]*])\}|([-'`,])\{\}"

    def restore(match: re.Match) -> str:
        return names[match[1]] if match[1] else match[2] or match[3] or match[4]

    rest = re.sub(pattern, "", text)
    assert not {*rest} & {*'\\&%$#_{}^~[]*|<>"'}, rest
    return re.sub(pattern, restore, text)


PREAMBLE = (
    r"\documentclass[twocolumn]{article}\usepackage{booktabs,siunitx,tabularx}"
    r"\setlength{\textwidth}{178mm}\setlength{\columnsep}{6mm}"
    # At the end of a row's name: the width of its column.
    r"\newcount\lines\newlength{\names}\DeclareRobustCommand{\setnames}{\global\names=\hsize}"
)


def compile_latex(
    table: str, folder: Path, names: Sequence[str] = ()
) -> tuple[list[str], list[int]]:
    """Compile a table in a two-column document, with columns of the paper's 8.6 cm.

    Return the log's lines on overfull boxes, and the number of lines that each of `names` takes in
    the table's first column.
    """
    marked = table.replace("arraybackslash}X", r"arraybackslash}X<{\setnames}")
    assert marked != table
    (folder / "table.tex").write_text(marked)
    measured = [
        rf"\setbox0\vbox{{\scriptsize\hsize=\names\raggedright {escape_latex(name)}\par"
        r"\global\lines=\prevgraf}\immediate\write16{LINES \the\lines}"
        for name in names
    ]
    (folder / "document.tex").write_text(
        rf"{PREAMBLE}\begin{{document}}\input{{table.tex}}{''.join(measured)}\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    overfull = re.findall(r"Overfull .*", done.stdout)
    return overfull, [int(lines) for lines in re.findall(r"LINES (\d+)", done.stdout)]
