"""Table 1 as a reader sees it: rounding, bold, captions and footnotes."""

import json
import math
import shutil
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
import yaml
from noted import assert_noted
from table1_example import (
    COUNTS,
    DESCRIPTION,
    MEASURED,
    NOTE,
    PLAIN,
    ROWS,
    example_table,
    scores,
    three_rows,
)
from table_texts import compile_latex, latex_rows

from upsampling.config.experiment import Experiment
from upsampling.scoring import significance
from upsampling.tables import plan, table1, table1_cells
from upsampling.tables.captions import Description

NOTED = Path(__file__).with_name("noted")
CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return example_table()


@pytest.mark.parametrize("suffix", ["md", "tex", "html"])
def test_caption_and_footnotes(suffix, table):
    text = table1_cells.render(table, "demo", DESCRIPTION)[suffix]
    assert "2 test tracks, 5 epochs, 8 channels; not comparable with the paper." in text
    assert NOTE in text
    assert "1,048,576; the 648M of Demucs is a decimal figure" in text
    at_paper_scale = table1_cells.render(table, "paper", Description())[suffix]
    assert "not comparable" not in at_paper_scale
    assert "2 test tracks" in at_paper_scale
    more = table1_cells.render(table, "demo", Description(test_tracks=3))[suffix]
    assert "3 test tracks" in more


def test_latex_has_the_papers_form_and_the_further_columns_apart(table):
    texts = table1_cells.render(table, "demo", DESCRIPTION, "A statement.")
    form = [row[1:] for row in latex_rows(texts["tex"])]
    assert form[0] == ["2.75", "5.35", "12.3", "319", "4.0M", "703M"]
    assert form[2] == ["–", "3.23", "–", "–", "–", "10M"]
    further = [row[1:] for row in latex_rows(texts["sources_tex"])]
    assert further[0][:7] == ["2.75 ± 0.35", "a", "1.25", "2.25", "3.25", "4.25", "3.00"]
    assert further[0][7:] == ["2", "4212345", "703M (737,265,008)"]
    assert "A statement." in texts["tex"]
    assert "A statement." not in texts["sources_tex"]
    assert "mean over seeds" in texts["tex"]
    assert r"$\pm$ standard deviation over seeds" in texts["sources_tex"]
    assert "With randomized" not in texts["sources_tex"]
    for suffix in ("md", "html"):
        assert "A statement." in texts[suffix]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_papers_rows_fit_one_column_with_names_of_two_lines(tmp_path):
    """At the sizes of the paper, with negative scores, and a spread over seeds."""
    entries = json.loads(plan.table1_rows(Experiment(CONFIG | {"scale": "paper"})))
    rows = table1.read_rows(entries)
    variants = [row.variant for row in rows if row.variant]
    runs = {
        0: scores(-10.0, -2.0, 3.0, 4.0, real=2.75),
        1: scores(1.5, -2.5, -3.5, -4.5, real=3.25),
    }
    measured = (
        {name: runs for name in variants},
        {name: {0: pd.Series([99.94])} for name in variants},
        {name: dict.fromkeys(COUNTS, 737265008) for name in variants},
    )
    pairs = [(*pair, 50, 1.0, 0.5, 1.5, 0.5, 0.5, False) for pair in combinations(variants, 2)]
    comparisons = pd.DataFrame(pairs, columns=significance.COMPARISON_COLUMNS)
    table = table1.table1(rows, *measured, comparisons=comparisons)
    texts = table1_cells.render(table, "paper", DESCRIPTION, "A statement.")
    names = [row.label for row in rows]
    for name in ("tex", "sources_tex"):
        overfull, lines = compile_latex(texts[name], tmp_path, names)
        assert overfull == []
        assert len(lines) == len(names)
        assert max(lines) <= 2


def test_equal_notes_share_a_mark_and_others_have_their_own(table):
    noted = table.assign(note=["one", "two", "one", ""])
    sheet = table1_cells.sheet(noted, table1_cells.WHOLE, "", [])
    printed = [cells[-3] for cells in sheet.cells]
    assert printed == ["5.35†", "–‡", "3.23†", "5.34"]
    assert sheet.footnotes == [("†", "one"), ("‡", "two")]


def test_differing_numbers_of_scored_tracks_are_told(table):
    fewer = table.assign(tracks=pd.array([2, 1, None, None], dtype="Int64"))
    texts = table1_cells.source_notes(fewer)
    assert any(f"Not all rows have scores of the same tracks: {PLAIN}: 2;" in t for t in texts)
    assert not any("Not all rows" in text for text in table1_cells.source_notes(table))


def test_the_source_of_a_quoted_row_is_named(table):
    texts = table1_cells.row_notes(table, "")
    assert "WaveUnet [2]: Stoller." in texts
    filled = table.assign(sdr=table["sdr"].fillna(1.0), source="")
    expected = "no source given; measured columns: its published scores, aggregated here."
    assert f"WaveUnet [2]: {expected}" in table1_cells.row_notes(filled, "")


def test_the_source_of_a_repaired_row_is_named_alone(table):
    assert not any(text.startswith(PLAIN) for text in table1_cells.row_notes(table, ""))
    repaired = table.assign(source=table["source"].where(table["variant"] != "transposed", "R"))
    assert f"{PLAIN}: R." in table1_cells.row_notes(repaired, "")


@pytest.mark.parametrize(("differing", "marks"), [("xy xz yz", 1), ("xz", 0), ("", 0)])
def test_best_is_bold_only_where_it_differs(differing, marks):
    texts = table1_cells.render(three_rows(differing=differing), "demo", Description())
    bold = {"md": "**3.00**", "html": "<strong>3.00</strong>", "tex": r"\bfseries 3.00"}
    for suffix, mark in bold.items():
        assert texts[suffix].count(mark) == marks
        assert texts[suffix].count(mark.replace("3.00", "2.00")) == 0
        assert "cannot be told apart" in texts["sources_tex" if suffix == "tex" else suffix]


def test_empty_columns_are_left_out():
    table = table1.table1(table1.read_rows(ROWS), *MEASURED)
    text = table1_cells.render(table, "demo", Description())["md"]
    assert "group" not in text
    assert "told apart" not in text
    assert "real track" in text
    alone = table1_cells.render(three_rows(differing=""), "demo", Description())["md"]
    assert "real track" not in alone
    assert "group" in alone


def test_notes_give_the_seeds_and_tracks_that_a_difference_needs(table):
    one = table1_cells.seeds_note(three_rows(differing=""))
    assert "0.084 dB (standard deviation, five published runs of Demucs)" in one
    assert "difference of 0.5, 0.2 or 0.1 dB between two models takes 2, 4 or 13 seeds" in one
    assert "it is these runs that differ" in one
    pooled = table1_cells.seeds_note(table)
    assert f"{math.sqrt(0.125):.3f} dB (standard deviation, pooled" in pooled
    assert "these runs" not in pooled
    few = table1_cells.group_note(three_rows(differing=""))
    assert few.endswith("2 test tracks cannot show any difference.")
    many = three_rows(differing="").assign(tracks=50)
    assert "any difference" not in table1_cells.group_note(many)


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("median", "median over frames, median over tracks, mean over four sources, ± s"),
        ("mean", "mean over frames, mean over tracks, mean over four sources, ± s"),
        ("whole_track", "one SDR per whole track, mean over tracks and four sources, ± s"),
    ],
)
def test_caption_names_the_aggregation(by, words, table):
    assert words in table1_cells.caption(table, "demo", Description(aggregation=by), "± s")


@pytest.mark.parametrize(
    ("count", "text"),
    [(737265008, "703M"), (750906608, "716M"), (764557532, "729M"), (9332326, "8.9M"), (1, "0.0M")],
)
def test_parameters_are_rounded_as_printed(count, text):
    assert table1_cells.in_mebi(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(319.4, "319"), (1234.0, "1234"), (99.96, "100"), (0.8341, "0.834"), (math.nan, "–")],
)
def test_seconds_keep_three_digits(seconds, text):
    assert table1_cells.seconds_text(seconds) == text


def test_whole_tables_are_those_that_were_noted(table):
    """At both scales, with and without rows that are measured, or compared."""
    rows = table1.read_rows(ROWS)
    cases = {
        "table1 demo": (table, "demo", DESCRIPTION),
        "table1 paper": (table1.table1(rows, *MEASURED), "paper", Description(test_tracks=50)),
        "table1 printed": (
            table1.table1(table1.read_rows(ROWS[2:]), {}, {}, {}),
            "paper",
            Description(),
        ),
    }
    for name, (one, scale, description) in cases.items():
        texts = table1_cells.render(one, scale, description, "A statement.")
        assert_noted(NOTED / f"{name}.txt", "\n".join(texts.values()).splitlines())
