"""The supplement in LaTeX, where names and captions of a configuration are literal, and its PDF."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from upsampling.errors import UserError
from upsampling.files import atomic_path
from upsampling.tables.latex import escape_latex
from upsampling.tables.sheet import one_line

# The tables' columns are those of the paper. A PDF has neither dates nor a random identifier, and
# figures are as large as drawn where they fit. A character that no font has becomes '?'.
PREAMBLE = r"""\documentclass[twocolumn]{article}
\usepackage[a4paper, textwidth=178mm, textheight=245mm]{geometry}
\usepackage{booktabs, float, graphicx, siunitx, tabularx}
\setlength{\columnsep}{6mm}
\raggedbottom
\ifdefined\pdfsuppressptexinfo
  \pdfsuppressptexinfo=-1
  \pdfinfoomitdate=1
  \pdftrailerid{}
\fi
\makeatletter
\def\naturalwidth{\ifdim\Gin@nat@width>\linewidth\linewidth\else\Gin@nat@width\fi}
\def\naturalheight{\ifdim\Gin@nat@height>.8\textheight.8\textheight\else\Gin@nat@height\fi}
\def\UTFviii@undefined@err#1{?}
\makeatother
\setkeys{Gin}{width=\naturalwidth, height=\naturalheight, keepaspectratio}
\renewcommand{\thefigure}{S\arabic{figure}}"""
# A paragraph on a data file, and a figure where it stands: file name and caption.
DATA = r"\par\medskip\noindent\texttt{%s}: %s"
FIGURE = r"""\begin{figure}[H]
\centering
\includegraphics{%s}
\caption{%s}
\end{figure}"""
# Words between backquotes are literal, between asterisks emphasized.
MARKUP = re.compile(r"(?P<quotes>``?)(?P<literal>[^`]+)(?P=quotes)|\*(?P<emphasis>[^*\s][^*]*)\*")
# File names in the document need no escapes.
SAFE_NAME = re.compile(r"[A-Za-z0-9_./-]+")
# Of the messages of pdflatex, if it fails.
SHOWN_LINES = 25


@dataclass(frozen=True)
class Item:
    """A figure or data file: its name relative to the document, the key of its caption, a title."""

    file: str
    caption: str
    title: str = ""


@dataclass(frozen=True)
class Content:
    """The contents in order: figures (PDF), tables (LaTeX), data (CSV); captions by their key.

    Captions are reStructuredText of which `literal`, ``literal`` and *emphasis* are understood.
    """

    scale: str
    captions: Mapping[str, str]
    figures: tuple[Item, ...] = ()
    tables: tuple[str, ...] = ()
    data: tuple[Item, ...] = ()

    @property
    def files(self) -> list[str]:
        """The files that the document includes, relative to its folder."""
        return [*self.tables, *(item.file for item in self.figures)]


def document(content: Content) -> str:
    """The complete document; a file name or caption key that is not usable is a `UserError`."""
    scale = escape_latex(content.scale)
    lines = [
        PREAMBLE,
        rf"\title{{Upsampling artifacts in neural audio synthesis: figures and tables at {scale} "
        r"scale}",
        r"\author{}",
        r"\date{}",
        r"\begin{document}",
        r"\maketitle",
        *(line for table in content.tables for line in table_lines(table)),
        r"\section*{Data}",
        r"\begingroup\raggedright Tables too long to print, by names relative to this document:",
        *(DATA % (escape_latex(safe(item.file)), caption(item, content)) for item in content.data),
        r"\par\endgroup",
        r"\clearpage",
        r"\onecolumn\raggedbottom",
        r"\section*{Figures}",
        "Figs. 1 to 10 in captions are those of the paper.",
        *(FIGURE % (safe(item.file), caption(item, content)) for item in content.figures),
        r"\end{document}",
    ]
    return "\n".join(lines) + "\n"


def table_lines(file: str) -> list[str]:
    """A table, numbered by its file: table1.tex is Table 1, table1_sources.tex 1, sources."""
    number = PurePosixPath(file).stem.removeprefix("table").replace("_", ", ")
    return [rf"\renewcommand{{\thetable}}{{{number}}}", rf"\input{{{safe(file)}}}"]


def caption(item: Item, content: Content) -> str:
    """The item's title, if it has one, and its caption, in LaTeX."""
    if item.caption not in content.captions:
        raise UserError(f"supplement: there is no caption '{item.caption}' for {item.file}")
    text = latex_of_rst(content.captions[item.caption])
    return f"{escape_latex(item.title)}. {text}" if item.title else text


def safe(file: str) -> str:
    """The file name, if LaTeX takes it as it is."""
    if not SAFE_NAME.fullmatch(file):
        raise UserError(f"supplement: '{file}' has characters that LaTeX acts on; rename the file")
    return file


def latex_of_rst(text: str) -> str:
    """LaTeX of a paragraph of reStructuredText."""
    parts = MARKUP.split(one_line(text))
    latex = escape_text(parts[0])
    for _, literal, emphasis, after in zip(*(parts[n::4] for n in range(1, 5)), strict=True):
        command = "texttt" if literal else "emph"
        latex += rf"\{command}{{{escape_latex(literal or emphasis)}}}{escape_text(after)}"
    return latex


def escape_text(text: str) -> str:
    """Literal text between markup, with the spaces around it."""
    return " " * text.startswith(" ") + escape_latex(text) + " " * text[1:].endswith(" ")


def compile_pdf(tex: Path, pdf: Path) -> None:
    """Write `pdf` from `tex`, whose relative file names are relative to its folder.

    Messages of pdflatex are printed where it fails, and the first of them is the `UserError`. No
    shell command in the document is executed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
        done = subprocess.run(
            [*command, f"-output-directory={folder}", tex.name],
            cwd=tex.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode:
            lines = done.stdout.splitlines()
            print("\n".join(lines[-SHOWN_LINES:]))
            problem = next((line for line in lines if line.startswith("!")), "it failed")
            raise UserError(f"pdflatex on {tex}: {problem.removeprefix('! ')}")
        with atomic_path(pdf) as temporary:
            shutil.copyfile(Path(folder, tex.name).with_suffix(".pdf"), temporary)
