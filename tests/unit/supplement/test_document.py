"""The supplement's LaTeX: all contents in order, captions, and text that acts nowhere."""

from dataclasses import replace

import pytest
from table_texts import NASTY

from upsampling.errors import UserError
from upsampling.supplement.document import Content, Item, document, latex_of_rst
from upsampling.tables.latex import escape_latex

CONTENT = Content(
    scale="demo",
    captions={"one": "The first.", "many": "Drawn with ``center``, as *written*.\n"},
    figures=(
        Item("../figures/b.pdf", "one"),
        Item("../figures/variants/my_own.pdf", "many", NASTY),
    ),
    tables=("../tables/table1.tex", "../tables/table1_sources.tex"),
    data=(Item("../tables/my_data.csv", "one"),),
)


def test_contents_come_in_order_with_their_captions():
    lines = document(CONTENT).splitlines()
    places = [
        lines.index(line)
        for line in (
            r"\renewcommand{\thetable}{1}",
            r"\input{../tables/table1.tex}",
            r"\renewcommand{\thetable}{1, sources}",
            r"\input{../tables/table1_sources.tex}",
            r"\par\medskip\noindent\texttt{../tables/my\_data.csv}: The first.",
            r"\includegraphics{../figures/b.pdf}",
            r"\caption{The first.}",
            r"\includegraphics{../figures/variants/my_own.pdf}",
            rf"\caption{{{escape_latex(NASTY)}. "
            r"Drawn with \texttt{center}, as \emph{written}.}",
            r"\end{document}",
        )
    ]
    assert places == sorted(places)


def test_text_of_a_configuration_is_literal():
    text = document(replace(CONTENT, scale=NASTY))
    assert r"\input{/etc/passwd}" not in text
    assert text.count(escape_latex(NASTY)) == 2


@pytest.mark.parametrize("name", ["a}b.pdf", "a b.pdf", "$x$.pdf", "a%.pdf", "", "\\input"])
def test_file_names_that_latex_acts_on_are_refused(name):
    for changed in (
        replace(CONTENT, figures=(Item(name, "one"),)),
        replace(CONTENT, data=(Item(name, "one"),)),
        replace(CONTENT, tables=(name,)),
    ):
        with pytest.raises(UserError, match="rename the file"):
            document(changed)


def test_a_missing_caption_is_named():
    with pytest.raises(UserError, match="no caption 'other' for a"):
        document(replace(CONTENT, figures=(Item("a.pdf", "other"),)))


@pytest.mark.parametrize(
    ("rst", "latex"),
    [
        ("plain\n  text", "plain text"),
        ("*a* b *c*", r"\emph{a} b \emph{c}"),
        ("*a* , *c* *d*", r"\emph{a} , \emph{c} \emph{d}"),
        ("(`first` minus\n``second``), 95 %", r"(\texttt{first} minus \texttt{second}), 95 \%"),
        ("2 * 3 * 4", "2 {*} 3 {*} 4"),
        ("*a_b*: c", r"\emph{a\_b}: c"),
        ("``$x$`` and ``}``", r"\texttt{\$x\$} and \texttt{\}}"),
        ("", ""),
    ],
)
def test_markup_of_captions(rst, latex):
    assert latex_of_rst(rst) == latex
