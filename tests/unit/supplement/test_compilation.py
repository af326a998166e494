"""PDFs of the supplement: equal bytes, any text, and the cause of a failure in one line."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import matplotlib.figure
import pytest
from table1_example import DESCRIPTION, example_table
from table_texts import NASTY

from upsampling.errors import UserError
from upsampling.supplement.compilation import compile_pdf
from upsampling.supplement.document import Content, Item, document
from upsampling.tables import table1_cells

PROGRAM = Path(__file__).parents[3] / "scripts" / "supplement.py"
# Characters of scripts that the fonts do not have.
FOREIGN = "日本 ελ"
CONTENT = Content(
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

pytestmark = pytest.mark.skipif(
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


def test_the_program_writes_the_same_bytes_anywhere_at_any_time(tmp_path):
    made = []
    for place, clock in (("one", "1"), ("another/place", "1700000000")):
        tex = write_results(tmp_path / place)
        pdf = tex.with_suffix(".pdf")
        command = [sys.executable, PROGRAM, "--content", json.dumps(asdict(CONTENT))]
        command += ["--tex", tex, "--pdf", pdf]
        environment = os.environ | {"SOURCE_DATE_EPOCH": clock, "FORCE_SOURCE_DATE": "1"}
        subprocess.run(list(map(str, command)), check=True, env=environment)
        assert tex.read_text() == document(CONTENT)
        assert CONTENT.files == INCLUDED
        assert {path.name for path in tex.parent.iterdir()} == {tex.name, pdf.name}
        made.append(pdf.read_bytes())
    assert made[0] == made[1]
    assert made[0].startswith(b"%PDF")
    assert b"CreationDate" not in made[0]


def test_large_figures_fit_the_page_and_small_ones_keep_their_size(tmp_path):
    tex = write_results(tmp_path)
    tex.write_text(document(CONTENT))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", tex.name]
    done = subprocess.run(command, cwd=tex.parent, capture_output=True, text=True, check=True)
    assert "Overfull \\vbox" not in done.stdout
    assert "Float too large" not in done.stdout
    # TeX points: 2 in are 144.54 pt; 0.8 of the text height of 245 mm is 557.7 pt.
    log = tex.with_suffix(".log").read_text()
    assert "Requested size: 144.54" in log
    assert "Requested size: 278.8" in log


def test_a_failure_is_told_with_its_cause_and_leaves_no_pdf(tmp_path, capsys):
    tex = write_results(tmp_path)
    tex.write_text(document(CONTENT))
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


def test_no_command_in_a_document_is_executed(tmp_path):
    tex = tmp_path / "a.tex"
    tex.write_text(
        r"\documentclass{article}\begin{document}\immediate\write18{touch executed}a\end{document}"
    )
    compile_pdf(tex, tmp_path / "a.pdf")
    assert {path.name for path in tmp_path.iterdir()} == {"a.tex", "a.pdf"}
