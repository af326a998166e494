"""LaTeX: text that acts nowhere, columns as wide as their numbers, and a table that compiles."""

import shutil

import pytest
from table1_example import PLAIN, example_sheet, example_table
from table_texts import NASTY, compile_latex, unescape_latex

from upsampling.tables import table1_cells
from upsampling.tables.latex import cell, column_type, escape_latex, latex
from upsampling.tables.sheet import Column

NUMERIC = Column("head", "")
TEXT = Column("head", "", numeric=False)


@pytest.mark.parametrize("text", [NASTY, "\\", "--- '' `` ,,", "[x]", "*", "a\\|b", "\\\\|", "€"])
def test_escapes_restore_the_text(text):
    assert unescape_latex(escape_latex(text)) == " ".join(text.split())


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1.25", "–"], "S[table-format=1.2]"),
        (["-0.5", "12.25"], "S[table-format=-2.2]"),
        (
            ["4,212,345"],
            "S[table-format=7.0,group-digits=integer,group-minimum-digits=4,group-separator={,}]",
        ),
        (
            ["2.75 ± 0.35", "1.00"],
            r"S[table-format=1.2,table-space-text-post={${}\pm{}$0.35}]",
        ),
        (["5.34†"], r"S[table-format=1.2,table-space-text-post={\textsuperscript{$\dagger$}}]"),
        (["–", "none"], "c"),
    ],
)
def test_columns_are_as_wide_as_their_widest_number(cells, expected):
    assert column_type(NUMERIC, cells) == expected
    assert column_type(TEXT, cells) == "c"


@pytest.mark.parametrize(
    ("text", "column", "bold", "expected"),
    [
        ("-4,212.5", NUMERIC, False, "-4212.5"),
        ("2.75 ± 0.35", NUMERIC, True, r"\bfseries 2.75{${}\pm{}$0.35}"),
        ("–", NUMERIC, False, r"{\textendash{}}"),
        ("a_b", TEXT, True, r"\bfseries a\_b"),
        ("5.35", TEXT, False, "5.35"),
    ],
)
def test_cells_are_numbers_for_siunitx_or_text(text, column, bold, expected):
    assert cell(text, column, bold) == expected


def test_heads_span_their_columns_and_rows_are_separated():
    text = latex(example_sheet())
    assert "\\multicolumn{3}{c}{Printed in the paper}" in text
    assert r"\cmidrule(lr){2-12}\cmidrule(lr){13-15}" in text
    assert text.count("\\midrule\n") == 2
    assert "\\label{tab:table1}" in text
    assert "\\textsuperscript{$\\dagger$}With randomized" in text


def test_a_table_is_as_wide_as_a_column_or_a_page():
    for columns, environment, width in ((1, "table", "columnwidth"), (2, "table*", "textwidth")):
        text = latex(example_sheet(), columns)
        assert text.startswith(f"\\begin{{{environment}}}\n")
        assert text.endswith(f"\\end{{{environment}}}\n")
        assert f"\\begin{{tabularx}}{{\\{width}}}" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_text_that_would_act_compiles(tmp_path):
    table = table1_cells.sheet(example_table(), table1_cells.PAPER, NASTY, [NASTY])
    _, lines = compile_latex(latex(table, columns=1), tmp_path, [PLAIN, "short", 60 * "word "])
    assert lines[:2] == [2, 1]
    assert lines[2] > 5
