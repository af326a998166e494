"""The history of a run, and the best epoch in it."""

import csv

import pytest

from upsampling.training.history import History

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


def test_the_summary_is_of_the_last_epoch(history):
    assert history.summary(600) == (
        "epoch 5/600  loss 0.10000  validation 0.20000  6.0 s, 2.0 examples/s"
    )
