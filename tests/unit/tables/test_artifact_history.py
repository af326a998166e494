"""Artifacts through training in a few numbers per epoch: by hand."""

import math

import pandas as pd
import pytest
from artifact_histories import frame, history, write

from upsampling.errors import UserError
from upsampling.tables.artifact_history import (
    COLUMNS,
    artifact_history,
    at_milestones,
    by_epoch,
    milestones,
    read_history,
)


def test_tones_are_those_of_the_outermost_layers_lowest_line():
    table = by_epoch(frame(history({0: -40.0, 1: -70.0}, 12.5, (0.1, 0.3, 0.2))))
    assert table.index.tolist() == [0, 1]
    assert table["silence_dbfs"].tolist() == [-40.0, -70.0]
    assert table["silence_db"].tolist() == [30.0, 30.0]
    assert table["noise_db"].tolist() == [12.5, 12.5]
    assert table.filter(like="imbalance_").iloc[1].to_dict() == {
        "imbalance_1": 0.1,
        "imbalance_2": 0.3,
        "imbalance_3": 0.2,
    }
    assert table["largest_imbalance"].tolist() == [0.3, 0.3]
    assert table["largest_layer"].tolist() == [2, 2]


def test_no_imbalance_has_no_largest_layer():
    assert by_epoch(frame(history({0: -200.0})))["largest_layer"].tolist() == [0]


@pytest.mark.parametrize(
    ("level", "prominence", "stands"),
    [(-40.0, 30.0, True), (-144.0, 10.0, True), (-144.1, 30.0, False), (-40.0, 9.9, False)],
)
def test_a_tone_in_silence_stands_out_if_it_is_prominent_and_in_24_bit_audio(
    level, prominence, stands
):
    table = by_epoch(frame(history({0: level}, prominence=prominence)))
    assert table["silence_stands_out"].tolist() == [stands]


@pytest.mark.parametrize(("noise", "stands"), [(10.0, True), (9.9, False)])
def test_a_tone_in_noise_stands_out_by_its_prominence(noise, stands):
    table = by_epoch(frame(history({0: -40.0}, noise)))
    assert table["noise_stands_out"].tolist() == [stands]


def test_layers_that_a_variant_lacks_are_not_a_number():
    two = [row for row in history({0: -40.0}) if row.layer < 3]
    table = artifact_history({("a", 0): frame(history({0: -40.0})), ("b", 1): frame(two)})
    assert table["variant"].tolist() == ["a", "b"]
    assert table["seed"].tolist() == [0, 1]
    assert list(table.columns[: len(COLUMNS)]) == COLUMNS
    assert math.isnan(table["imbalance_3"].iloc[1])
    assert table["silence_dbfs"].iloc[1] == -41.0


def test_a_run_without_measurements_has_no_rows(tmp_path):
    empty = read_history(write(tmp_path / "artifact_history.csv", []))
    table = artifact_history({("a", 0): empty})
    assert len(table) == 0
    assert list(table.columns) == COLUMNS
    assert len(at_milestones(table)) == 0


@pytest.mark.parametrize(
    ("epochs", "shown"),
    [
        ([], []),
        ([0], [0]),
        (range(11), [0, 1, 2, 4, 8, 10]),
        ([0, 5, 10, 15, 20], [0, 5, 10, 20]),
        ([3, 4], [3, 4]),
        (range(9), [0, 1, 2, 4, 8]),
    ],
)
def test_milestones_double(epochs, shown):
    assert milestones(list(epochs)) == shown


def test_each_run_has_its_own_milestones():
    levels = {epoch: -40.0 - epoch for epoch in range(7)}
    runs = {
        ("a", 0): frame(history(levels)),
        ("a", 1): frame(history({epoch: levels[epoch] for epoch in (0, 3)})),
    }
    table = at_milestones(artifact_history(runs))
    assert table[table["seed"] == 0]["epoch"].tolist() == [0, 1, 2, 4, 6]
    assert table[table["seed"] == 1]["silence_dbfs"].tolist() == [-40.0, -43.0]
    assert table.index.tolist() == list(range(len(table)))


def test_a_file_is_read_back_exactly(tmp_path):
    rows = history({0: -1 / 3, 2: -70.0}, 1e-17)
    table = read_history(write(tmp_path / "artifact_history.csv", rows))
    pd.testing.assert_frame_equal(table, frame(rows))


def test_a_broken_file_is_told_in_one_line(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"other\.csv cannot be read as a table: .*epoch"):
        read_history(tmp_path / "other.csv")
