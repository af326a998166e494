"""Table 2 as a reader sees it: equal cells in all formats, captions, footnotes, its program."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from noted import assert_noted
from table2_example import DESCRIPTION, ROWS, example_artifacts
from table_texts import NASTY, compile_latex, html_rows, latex_rows, markdown_rows

from upsampling.tables.table2 import QUANTITIES
from upsampling.tables.table2_cells import render, standing, table2

NOTED = Path(__file__).with_name("noted")
SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.fixture(scope="module")
def table():
    return table2(example_artifacts(), ROWS)


def test_all_formats_have_the_same_cells(table):
    texts = render(table, "demo", DESCRIPTION)
    rows = html_rows(texts["html"])
    assert rows == markdown_rows(texts["md"])
    assert [row[0] for row in rows] == [" ".join(NASTY.split()), "Quiet", "Not trained"]
    assert rows[0][1:5] == ["-29.0 ± 1.4", "-69.0 ± 1.4", "61.0 ± 1.4", "21.0 ± 1.4"]
    assert rows[1][1:5] == ["none", "none", "0.0 ± 0.0", "0.0 ± 0.0"]
    assert rows[2][2] == "–"
    # In LaTeX, spreads before training are left out.
    before = [[re.sub(" ± .*", "", cell) if n % 2 else cell for n, cell in enumerate(row)]
              for row in rows]  # fmt: skip
    assert latex_rows(texts["tex"]) == before


@pytest.mark.parametrize("suffix", ["md", "tex", "html"])
def test_caption_names_the_scale_and_the_footnote_the_papers_claim(suffix, table):
    text = render(table, "demo", DESCRIPTION)[suffix]
    assert "demo scale: 4 epochs, 12 channels; not comparable with the paper" in text
    assert "Sec. 6" in text
    assert "Table 1" not in text
    assert "not comparable" not in render(table, "paper", DESCRIPTION)[suffix]


def test_the_table_is_numbered_and_its_labels_are_escaped(table):
    texts = render(table, "demo", DESCRIPTION)
    assert "<h1>Table 2</h1>" in texts["html"]
    assert "<script>" not in texts["html"]
    assert "\\label{tab:table2}" in texts["tex"]
    assert texts["md"].startswith("**Table 2.**")


def test_the_footnote_names_models_with_tones_after_training(table):
    trained = table[table["trained"]]
    assert standing(trained, "music") == NASTY
    assert standing(trained, "silence") == NASTY
    # -69 dBFS is audible, and -150 dBFS is less than a step of 24-bit audio.
    faint = trained.assign(silence_level_trained=-150.0)
    assert standing(faint, "silence") == "none"
    assert standing(trained.assign(music_trained=9.9), "music") == "none"
    assert "Sec. 6" in render(table, "demo", DESCRIPTION)["md"]
    unmeasured = table.assign(silence_trained=float("nan"))
    assert "Sec. 6" not in render(unmeasured, "demo", DESCRIPTION)["md"]


def test_a_label_that_is_a_number_is_printed_as_it_is(table):
    labels = ["1,024", "Quiet", "Not trained"]
    tex = render(table.assign(label=labels), "demo", DESCRIPTION)["tex"]
    assert [row[0] for row in latex_rows(tex)] == labels


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(table, tmp_path):
    names = ["Nearest neighbor interpolation", "Transposed, nearest at init"]
    plain = table.assign(label=[*names, "Quiet"])
    for level in QUANTITIES:
        plain[f"{level.name}_trained"] -= 150.0
    tex = render(plain, "demo", DESCRIPTION)["tex"]
    overfull, lines = compile_latex(tex, tmp_path, names)
    assert overfull == []
    assert max(lines) <= 2


def test_the_program_writes_the_formats_that_are_asked_for(table, tmp_path):
    example_artifacts().to_csv(tmp_path / "artifacts.csv", index=False)
    command = [sys.executable, SCRIPTS / "table2.py", "--artifacts", tmp_path / "artifacts.csv"]
    command += ["--rows", json.dumps([asdict(row) for row in ROWS])]
    command += ["--description", json.dumps({"epochs": 4, "channels": 12})]
    command += ["--csv", tmp_path / "table2.csv", "--md", tmp_path / "table2.md"]
    subprocess.run(list(map(str, command)), check=True)
    texts = render(table, "demo", DESCRIPTION)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        *("artifacts.csv", "table2.csv", "table2.md"),
    }
    assert (tmp_path / "table2.md").read_text() == texts["md"]


@pytest.mark.parametrize("scale", ["demo", "paper"])
def test_whole_tables_are_those_that_were_noted(table, scale):
    texts = render(table, scale, DESCRIPTION)
    assert_noted(NOTED / f"table2 {scale}.txt", "\n".join(texts.values()).splitlines())
