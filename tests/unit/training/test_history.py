"""The history of a run, and the best epoch in it."""

import csv
import json

import pytest

from upsampling.training.history import EpochMeasurement, History

LOSSES = [0.5, 0.3, 0.3, 0.4, 0.2]


@pytest.fixture
def history() -> History:
    history = History()
    for number, loss in enumerate(LOSSES):
        history.add(loss / 2, loss, seconds=2.0 + number, examples=12, memory=7)
    return history


def test_the_first_epoch_with_the_lowest_loss_is_the_best():
    history = History()
    improved = [history.add(1.0, loss, seconds=1.0, examples=1, memory=0) for loss in LOSSES]
    assert improved == [True, True, False, False, True]
    assert (history.best_epoch, history.best_loss) == (5, 0.2)


def test_another_epoch_can_be_marked_as_the_best(history):
    history.set_best(4)
    assert (history.best_epoch, history.best_loss) == (4, 0.4)
    assert history.add(1.0, 0.35, seconds=1.0, examples=1, memory=0)


def test_files_hold_every_epoch(history, tmp_path):
    history.write(tmp_path)
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["valid_loss"]) for row in rows] == LOSSES
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4, 5]
    with open(tmp_path / "timing.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert float(row["seconds"]) * float(row["samples_per_second"]) == pytest.approx(12)
        assert row["gpu_memory_bytes"] == "7"


ROW = EpochMeasurement(3, "silence", "tone_level", 5, 11025.0, -62.123456789012345, "dBFS")


def test_artifacts_are_written_at_full_precision(history, tmp_path):
    history.write(tmp_path)
    header = "epoch,probe,measure,layer,frequency_hz,value,unit\n"
    assert (tmp_path / "artifact_history.csv").read_text() == header
    history.artifacts = [ROW, ROW._replace(epoch=4, value=-200.0)]
    history.write(tmp_path)
    assert (tmp_path / "artifact_history.csv").read_text() == (
        f"{header}3,silence,tone_level,5,11025.0,{ROW.value!r},dBFS\n"
        "4,silence,tone_level,5,11025.0,-200.0,dBFS\n"
    )


def test_a_measurement_survives_json_that_has_whole_numbers():
    for row in (ROW, ROW._replace(value=0.0)):
        values = [int(v) if isinstance(v, float) and v.is_integer() else v for v in row]
        restored = EpochMeasurement.restore(json.loads(json.dumps(values)))
        assert restored == row
        assert [*map(type, restored)] == [*map(type, row)]


@pytest.mark.parametrize("values", [[], [*ROW, 1], [None, *ROW[1:]], ["a", *ROW[1:]]])
def test_what_is_no_measurement_is_refused(values):
    with pytest.raises(ValueError, match=r"no measurement|unpack|invalid literal"):
        EpochMeasurement.restore(values)


def test_the_summary_is_of_the_last_epoch(history):
    assert history.summary(600) == (
        "epoch 5/600  loss 0.10000  validation 0.20000  6.0 s, 2.0 examples/s"
    )
