"""The supplement: its LaTeX in order, with text that acts nowhere; PDFs of equal bytes."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib.figure
import pytest
from table1_example import DESCRIPTION, example_table
from table_texts import NASTY

from upsampling.errors import UserError
from upsampling.supplement.document import Content, Item, compile_pdf, document, latex_of_rst
from upsampling.tables import table1_cells
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


PROGRAM = Path(__file__).parents[3] / "scripts" / "supplement.py"
# Characters of scripts that the fonts do not have.
FOREIGN = "日本 ελ"
PRINTED = Content(
    scale=NASTY,
    captions={"all": f"A caption, {NASTY} {FOREIGN}"},
    figures=(Item("../figures/small.pdf", "all"), Item("../figures/large.pdf", "all", FOREIGN)),
    tables=("../tables/table1.tex", "../tables/table1_sources.tex"),
    data=(Item("../tables/table1.csv", "all"),),
)

INCLUDED = [
    "../tables/table1.tex",
    "../tables/table1_sources.tex",
    "../figures/small.pdf",
    "../figures/large.pdf",
]

needs_pdflatex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex is not installed"
)


def write_results(folder: Path) -> Path:
    """Figures and tables as the workflow's; return the path of the document."""
    (folder / "figures").mkdir(parents=True)
    for name, width, height in (("small", 2, 1), ("large", 30, 60)):
        drawn = matplotlib.figure.Figure(figsize=(width, height))
        drawn.savefig(folder / "figures" / f"{name}.pdf", metadata={"CreationDate": None})
    (folder / "tables").mkdir()
    texts = table1_cells.render(example_table(), "demo", DESCRIPTION, "A statement.")
    for name, key in (("table1", "tex"), ("table1_sources", "sources_tex")):
        (folder / "tables" / f"{name}.tex").write_text(texts[key])
    (folder / "supplement").mkdir()
    return folder / "supplement" / "supplement.tex"


@needs_pdflatex
def test_the_program_writes_the_same_bytes_anywhere_at_any_time(tmp_path):
    made = []
    for place, clock in (("one", "1"), ("another/place", "1700000000")):
        tex = write_results(tmp_path / place)
        pdf = tex.with_suffix(".pdf")
        command = [sys.executable, PROGRAM, "--content", json.dumps(asdict(PRINTED))]
        command += ["--tex", tex, "--pdf", pdf]
        environment = os.environ | {"SOURCE_DATE_EPOCH": clock, "FORCE_SOURCE_DATE": "1"}
        subprocess.run(list(map(str, command)), check=True, env=environment)
        assert tex.read_text() == document(PRINTED)
        assert PRINTED.files == INCLUDED
        assert {path.name for path in tex.parent.iterdir()} == {tex.name, pdf.name}
        made.append(pdf.read_bytes())
    assert made[0] == made[1]
    assert made[0].startswith(b"%PDF")
    assert b"CreationDate" not in made[0]


@needs_pdflatex
def test_large_figures_fit_the_page_and_small_ones_keep_their_size(tmp_path):
    tex = write_results(tmp_path)
    tex.write_text(document(PRINTED))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", tex.name]
    done = subprocess.run(command, cwd=tex.parent, capture_output=True, text=True, check=True)
    assert "Overfull \\vbox" not in done.stdout
    assert "Float too large" not in done.stdout
    # TeX points: 2 in are 144.54 pt; 0.8 of the text height of 245 mm is 557.7 pt.
    log = tex.with_suffix(".log").read_text()
    assert "Requested size: 144.54" in log
    assert "Requested size: 278.8" in log


@needs_pdflatex
def test_a_failure_is_told_with_its_cause_and_leaves_no_pdf(tmp_path, capsys):
    tex = write_results(tmp_path)
    tex.write_text(document(PRINTED))
    (tmp_path / "figures" / "small.pdf").unlink()
    pdf = tex.with_suffix(".pdf")
    with pytest.raises(UserError, match=r"File `\.\./figures/small\.pdf' not found") as error:
        compile_pdf(tex, pdf)
    assert "\n" not in str(error.value)
    printed = capsys.readouterr().out
    assert "small.pdf" in printed
    assert printed.count("\n") == 25
    assert "no output PDF file produced" in printed
    assert not pdf.exists()


@needs_pdflatex
def test_no_command_in_a_document_is_executed(tmp_path):
    tex = tmp_path / "a.tex"
    tex.write_text(
        r"\documentclass{article}\begin{document}\immediate\write18{touch executed}a\end{document}"
    )
    compile_pdf(tex, tmp_path / "a.pdf")
    assert {path.name for path in tmp_path.iterdir()} == {"a.tex", "a.pdf"}
