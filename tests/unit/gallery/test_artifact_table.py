"""The page's table joins both stages, and keeps measures that have no entry in the glossary."""

import math

import pytest

from upsampling.gallery import artifact_table
from upsampling.measures.artifact_rows import read_rows


@pytest.fixture
def artifacts(files):
    return read_rows(files.artifacts)


def test_rows_join_both_stages_and_keep_unknown_measures(artifacts):
    table = artifact_table.artifact_rows(artifacts, ["first", "second"])
    assert table["rows"] == [
        [0, 0, 0, 0, None, -30.0, -200.0],
        [0, 0, 0, 1, 11025.0, 1.2346, None],
        [0, 0, 0, 2, 689.0625, 4.0, None],
        [0, 0, 0, 2, 11025.0, 6.0, None],
        [1, 3, 1, 3, None, 0.5, None],
    ]
    assert [measure["unit"] for measure in table["measures"]] == ["dBFS", "dB", "dB", ""]
    assert table["measures"][1]["title"] == "Some new one"
    assert [probe["name"] for probe in table["probes"]] == ["silence", ""]


def test_variants_keep_the_order_of_the_configuration(artifacts):
    table = artifact_table.artifact_rows(artifacts, ["second", "first"])
    assert [row[:2] for row in table["rows"]] == [[0, 3], *[[1, 0]] * 4]


def test_the_outermost_layer_has_the_coarsest_comb(artifacts):
    assert artifact_table.outermost_lines(artifacts) == {"first": 11025.0}


def test_scores_are_those_of_variants(files):
    expected = {"first": {"sdr": 3.25, "sdr_spread": None, "parameters": 1234}}
    assert artifact_table.scores(files.table1) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.23456789, 1.2346), (-0.000123456, -0.00012346), (math.nan, None), (-math.inf, None)],
)
def test_numbers_have_five_significant_digits(value, expected):
    assert artifact_table.rounded(value) == expected


def test_rows_are_sorted_by_frequency_and_those_without_stand_first():
    rows = [((0, 1, 2, 3, frequency), []) for frequency in (20.0, None, 0.5)]
    frequencies = [row[0][-1] for row in sorted(rows, key=artifact_table.order_of)]
    assert frequencies == [None, 0.5, 20.0]
