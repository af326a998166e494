"""Artifacts in a few numbers: means and spreads by hand."""

import pandas as pd
import pytest
from table2_example import example_artifacts

from upsampling.measures.artifact_rows import ROW_COLUMNS
from upsampling.tables.table2 import QUANTITIES, summarize

VARIANTS = ["loud", "quiet", "untrained"]


def test_means_and_spreads_over_seeds():
    table = summarize(example_artifacts(), VARIANTS).set_index("variant")
    loud = table.loc["loud"]
    assert (loud["seeds"], loud["music_initialised"], loud["music_trained"]) == (2, 61.0, 21.0)
    # The standard deviation of two values that differ by 2.
    assert loud["music_initialised_spread"] == pytest.approx(2**0.5)
    assert loud["unseen_trained"] == pytest.approx(21 + 2.5)
    assert loud["silence_level_initialised"] == pytest.approx(61 - 90)
    assert (loud["notch_trained"], loud["imbalance_trained"]) == (-21, 1.5)
    assert table.loc["untrained"].filter(like="_trained").isna().all()
    assert table.loc["quiet", "silence_level_trained"] == -200


def test_one_seed_has_no_spread():
    artifacts = example_artifacts()
    table = summarize(artifacts[artifacts["seed"] == 0], ["loud"]).iloc[0]
    assert table["music_initialised"] == 60
    assert table.filter(like="_spread").isna().all()


def test_missing_measures_are_not_a_number():
    table = summarize(pd.DataFrame([], columns=ROW_COLUMNS), ["none"])
    assert table.drop(columns=["variant", "seeds"]).isna().all(axis=None)
    assert len(table.columns) == 2 + 4 * len(QUANTITIES)


def test_rows_are_in_the_order_given():
    assert summarize(example_artifacts(), VARIANTS[::-1])["variant"].tolist() == VARIANTS[::-1]
