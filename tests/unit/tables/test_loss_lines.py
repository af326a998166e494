"""Lines of losses in outputs of trained models: numbers of artifacts.csv, by hand."""

import math

import numpy as np
import pytest
from loss_runs import GRADIENTS, RATE, ROWS, artifacts

from upsampling.errors import UserError
from upsampling.tables.loss_lines import COLUMNS, differences, loss_lines, read_gradients


def test_lines_are_those_of_the_strides_after_training():
    table = loss_lines(artifacts(), GRADIENTS, ROWS, RATE)
    assert list(table.columns) == list(COLUMNS)
    assert table["variant"].tolist() == ["base"] * 3 + ["strided"] * 3 + ["dense"] * 3
    assert table["seed"].tolist() == [0, 1, 2] * 3
    strided = table[table["variant"] == "strided"]
    assert strided["silence_dbfs"].tolist() == [-40.0, -42.0, -41.0]
    assert strided["noise_db"].tolist() == [60.0, 58.0, 59.0]
    assert strided["music_db"].tolist() == [200.0, 201.0, 202.0]
    assert strided["gradient_db"].tolist() == [24.04] * 3
    assert set(strided["control"]) == {"dense"}


def test_models_without_such_a_layer_have_no_number():
    """At 48 kHz, strides of 4 have lines at multiples of 750 Hz."""
    table = loss_lines(artifacts(), GRADIENTS, ROWS, 48000)
    assert table[["silence_dbfs", "noise_db", "music_db"]].isna().all(axis=None)


def test_differences_are_of_equal_seeds():
    table = loss_lines(artifacts(), GRADIENTS, ROWS, RATE)
    table = table[(table["variant"] != "dense") | (table["seed"] != 1)]
    changes = differences(table, ROWS[1])
    assert changes.index.tolist() == [0, 2]
    assert changes["silence_dbfs"].tolist() == [20.0, 19.0]
    assert changes["music_db"].tolist() == [0.0, 0.0]


def test_rounding_errors_in_silence_are_no_difference():
    """One step of 24-bit audio is -144.5 dBFS; a tone of -40 dBFS is 104 dB louder."""
    table = loss_lines(artifacts(), GRADIENTS, ROWS, RATE)
    strided, dense = (table["variant"] == name for name in ("strided", "dense"))
    table.loc[dense, "silence_dbfs"] = [-170.0, -200.0, -144.0]
    changes = differences(table, ROWS[1])["silence_dbfs"]
    assert changes.tolist() == [104.0, 102.0, 103.0]
    table.loc[strided, "silence_dbfs"] = -160.0
    assert differences(table, ROWS[1])["silence_dbfs"].tolist() == [0.0] * 3


def test_runs_that_are_not_measured_have_no_row():
    assert len(loss_lines(artifacts().iloc[:0], GRADIENTS, ROWS, RATE)) == 0


def test_gradients_are_read_from_the_spectra(tmp_path):
    arrays = {f"{name}_prominence": np.array(value) for name, value in GRADIENTS.items()}
    np.savez(tmp_path / "a.npz", **arrays)
    assert read_gradients(tmp_path / "a.npz", ROWS) == GRADIENTS
    np.savez(tmp_path / "b.npz", base_prominence=np.array(math.pi))
    with pytest.raises(UserError, match=r"b\.npz: no array 'strided_prominence'"):
        read_gradients(tmp_path / "b.npz", ROWS)
