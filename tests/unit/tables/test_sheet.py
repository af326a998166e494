"""Text cells: rows in groups, heads that span columns, and text that acts nowhere."""

import math

import pandas as pd
import pytest
from table_texts import NASTY

from upsampling.tables.sheet import Column, Sheet, escaper, level, number, one_line, spread

SHEET = Sheet(
    columns=[Column("Model", ""), Column("a", "x"), Column("b", "x"), Column("c", "y")],
    cells=[["one", "1", "2", "3"], ["two", "4", "5", "6"], ["three", "7", "8", "9"]],
    trained=[True, True, False],
    caption="",
    footnotes=[],
    bold={(1, 2)},
)


def test_rows_are_separated_where_training_ends_and_bold_is_passed_on():
    bodies = SHEET.bodies(lambda text, column, bold: f"{column.head}{text}{'!' * bold}")
    assert bodies == [
        [["Modelone", "a1", "b2", "c3"], ["Modeltwo", "a4", "b5!", "c6"]],
        [["Modelthree", "a7", "b8", "c9"]],
    ]


def test_groups_span_neighbors_and_columns_without_one_stand_alone():
    spans = [(group, [column.head for column in columns]) for group, columns in SHEET.spans()]
    assert spans == [("", ["Model"]), ("x", ["a", "b"]), ("y", ["c"])]
    lone = Sheet([Column("a", ""), Column("b", "")], [], [], "", [])
    assert len(lone.spans()) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\nb\r\n c", "a b c"), ("tab\there", "tab here"), ("\x1b[31mred\x00", "[31mred"), ("", "")],
)
def test_text_becomes_one_line(text, line):
    assert one_line(text) == line


def test_an_escaper_replaces_each_character_once():
    escape = escaper({"a": "bb", "b": "c"})
    assert escape("ab\nd") == "bbc d"
    assert escaper({})(NASTY) == " ".join(NASTY.split())


@pytest.mark.parametrize(
    ("value", "digits", "text"), [(-0.04, 1, "0.0"), (-0.06, 1, "-0.1"), (1.005, 2, "1.00")]
)
def test_numbers_have_no_negative_zero(value, digits, text):
    assert number(value, digits) == text
    assert number(math.nan, digits) == "–"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0, 2.0], "1.50 ± 0.71"),
        ([1.0], "1.00"),
        ([1.0, math.nan], "1.00"),
        ([math.nan, math.nan], "–"),
        ([], "–"),
    ],
)
def test_one_seed_has_no_spread_and_none_has_no_mean(values, text):
    assert spread(pd.Series(values, dtype=float), 2) == text


@pytest.mark.parametrize(
    ("values", "text"), [([-200.0, -201.0], "none"), ([-200.0, -100.0], "-150.0 ± 70.7"), ([], "–")]
)
def test_levels_of_silence_in_all_seeds_are_none(values, text):
    assert level(pd.Series(values, dtype=float), -200.0) == text
