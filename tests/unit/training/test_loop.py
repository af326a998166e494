"""Training learns, interruptions change no byte of its results, and bad losses end it."""

import csv
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import training_runs as small
from safetensors.torch import load_file

from upsampling.errors import UserError
from upsampling.training import checkpoint_file, loop
from upsampling.training.artifacts import measure_epoch
from upsampling.training.checkpoints import load_model
from upsampling.training.distributed import Group
from upsampling.training.signals import Stopped

# Relative difference of losses whose gradients are summed in another order, after some steps.
SPLIT = 1e-5
# The same of single gradients, relative to the largest of their layer.
GRADIENT = 1e-3
# Relative error of a loss whose model computes with 8 bits of mantissa.
SIXTEEN_BITS = 2e-2


def history(folder: Path) -> np.ndarray:
    return np.genfromtxt(folder / "model" / "history.csv", delimiter=",", names=True)


def test_a_run_learns_and_its_files_agree(undisturbed):
    losses = history(undisturbed)
    assert losses["epoch"].tolist() == [1, 2, 3]
    assert losses["valid_loss"][2] < 0.8 * losses["valid_loss"][0]
    timing = np.genfromtxt(undisturbed / "model" / "timing.csv", delimiter=",", names=True)
    assert timing.dtype.names == ("epoch", "seconds", "samples_per_second", "gpu_memory_bytes")
    assert np.allclose(timing["seconds"] * timing["samples_per_second"], 40)
    model = load_model(undisturbed / "model", "last").state_dict()
    checkpoint = load_file(undisturbed / "checkpoints" / "epoch000003.safetensors")
    for name, weight in model.items():
        assert torch.equal(weight, checkpoint[f"model.{name}"])


def artifacts(folder: Path) -> list[dict[str, str]]:
    with open(folder / "model" / "artifact_history.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_artifacts_are_those_of_the_model_before_training_and_after_each_epoch(store, undisturbed):
    rows = artifacts(undisturbed)
    assert [int(row["epoch"]) for row in rows] == sorted([0, 1, 2, 3] * (len(rows) // 4))
    for epoch, which in ((0, "initialised"), (3, "last")):
        expected = measure_epoch(load_model(undisturbed / "model", which), epoch)
        found = [row for row in rows if int(row["epoch"]) == epoch]
        assert found == [
            {name: str(value) for name, value in row._asdict().items()} for row in expected
        ]
    copy = (undisturbed / "checkpoints" / "artifact_history.csv").read_bytes()
    assert copy == (undisturbed / "model" / "artifact_history.csv").read_bytes()


@pytest.mark.parametrize(("every", "epochs"), [(0, set()), (2, {0, 2}), (9, {0})])
def test_artifacts_are_measured_when_due_and_change_nothing_else(
    store, undisturbed, tmp_path, every, epochs
):
    small.train_here(store, tmp_path, artifact_epochs=every)
    assert {int(row["epoch"]) for row in artifacts(tmp_path)} == epochs
    expected, results = small.results(undisturbed), small.results(tmp_path)
    del expected["artifact_history.csv"], results["artifact_history.csv"]
    assert results == expected
    found = artifacts(undisturbed)
    assert artifacts(tmp_path) == [row for row in found if int(row["epoch"]) in epochs]


def test_a_run_of_an_earlier_version_is_measured_from_its_next_epoch(store, undisturbed, continued):
    """Its checkpoints have no artifacts."""
    for path in (continued / "checkpoints").glob("epoch*.safetensors"):
        values = checkpoint_file.read_meta(path)
        del values["history"]["artifacts"]
        checkpoint_file.save(path, load_file(path), values)
    small.train_here(store, continued, epochs=4)
    assert {int(row["epoch"]) for row in artifacts(continued)} == {3, 4}
    expected = [row for row in artifacts(undisturbed) if row["epoch"] == "3"]
    assert [row for row in artifacts(continued) if row["epoch"] == "3"] == expected


def test_an_output_that_cannot_be_measured_does_not_end_a_run(
    store, undisturbed, tmp_path, monkeypatch, capfd
):
    def refuse(model, epoch):
        if epoch == 2:
            raise UserError("not finite")
        return measure_epoch(model, epoch)

    monkeypatch.setattr(loop, "measure_epoch", refuse)
    small.train_here(store, tmp_path)
    assert "artifacts of epoch 2 are not measured: not finite" in capfd.readouterr().err
    expected = [row for row in artifacts(undisturbed) if row["epoch"] != "2"]
    assert artifacts(tmp_path) == expected


def test_epochs_can_be_added_and_give_the_same_bytes(store, undisturbed, tmp_path):
    for epochs in (1, 2, 3):
        small.train_here(store, tmp_path, epochs=epochs)
    assert small.results(tmp_path) == small.results(undisturbed)


def test_a_sum_of_losses_learns_and_resumes_with_the_same_bytes(store, tmp_path):
    settings = {"loss": {"l1": 1, "features": 0.5}, "segment_seconds": 0.5}
    for epochs in (1, 3):
        small.train_here(store, tmp_path / "parts", epochs=epochs, **settings)
    small.train_here(store, tmp_path / "whole", **settings)
    assert small.results(tmp_path / "parts") == small.results(tmp_path / "whole")
    losses = history(tmp_path / "whole")["valid_loss"]
    assert losses[-1] < losses[0]


def test_fewer_epochs_than_were_trained_start_over(store, undisturbed, continued, capfd):
    small.train_here(store, continued, epochs=1)
    assert "is past epoch 1, the last one; it stays there" in capfd.readouterr().err
    small.train_here(store, continued)
    assert "resumed after epoch 3" in capfd.readouterr().err
    assert small.results(continued) == small.results(undisturbed)


def test_a_signal_stops_within_an_epoch_and_loses_no_other(store, tmp_path):
    run = small.make_run(store, tmp_path / "checkpoints", epochs=1000)
    trainer = loop.Trainer(run, small.CPU)

    def interrupt() -> None:
        while not (tmp_path / "checkpoints" / "epoch000002.safetensors").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    with pytest.raises(Stopped, match="SIGUSR1 arrived: stopped after epoch"):
        trainer.train()
    waiting.join()
    done = trainer.epoch
    assert 2 <= done < 10
    small.train_here(store, tmp_path, epochs=done + 1)
    small.train_here(store, tmp_path / "whole", epochs=done + 1)
    assert small.results(tmp_path) == small.results(tmp_path / "whole")


def test_a_signal_in_the_last_epoch_comes_too_late(store, tmp_path):
    class Signalled(loop.Trainer):
        def validate(self) -> float:
            os.kill(os.getpid(), signal.SIGUSR1)
            return super().validate()

    trainer = Signalled(small.make_run(store, tmp_path, epochs=1), small.CPU)
    trainer.train()
    assert trainer.epoch == 1


def test_a_stopped_run_exits_with_its_status(store, tmp_path, capfd):
    run = small.make_run(store, tmp_path / "checkpoints", max_minutes=0)
    with pytest.raises(SystemExit) as end:
        loop.train(run, small.CPU, tmp_path / "model")
    assert end.value.code == 75
    assert "stopped after epoch 0/3; start again to continue" in capfd.readouterr().err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("between_checks", [1, 4])
def test_a_loss_that_is_not_finite_ends_the_run_at_its_step(
    store, undisturbed, tmp_path, monkeypatch, between_checks
):
    """The first step has a finite loss, and its update ruins the weights."""
    monkeypatch.setitem(loop.STEPS_BETWEEN_CHECKS, "cpu", between_checks)
    small.train_here(store, tmp_path, epochs=1)
    ruined = loop.Trainer(small.make_run(store, tmp_path / "checkpoints"), small.CPU)
    ruined.optimizer.param_groups[0]["lr"] = 1e30
    with pytest.raises(UserError, match=r"became \S+ at step 2 of epoch 2; .* epoch 1 is kept"):
        ruined.train()
    small.train_here(store, tmp_path)
    assert small.results(tmp_path) == small.results(undisturbed)


def test_a_loss_that_diverges_ends_the_run(store, tmp_path):
    with pytest.raises(UserError, match=r"became \d\S+ at step \d+ of epoch 1; none was saved"):
        small.train_here(store, tmp_path, learning_rate=10.0)


def assert_alike(folder: Path, other: Path) -> None:
    """Equal but for rounding: losses, and gradients, whose size Adam's steps do not show."""
    for name in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(history(folder)[name], history(other)[name], rtol=SPLIT)
    states = [
        load_file(path / "checkpoints" / "epoch000003.safetensors") for path in (folder, other)
    ]
    for name, expected in states[1].items():
        if name.endswith("exp_avg"):
            error = (states[0][name] - expected).abs().max()
            assert error < GRADIENT * expected.abs().max()


@pytest.mark.parametrize("micro_batch", [1, 3])
def test_accumulated_gradients_are_those_of_the_batch(store, undisturbed, tmp_path, micro_batch):
    small.train_here(store, tmp_path, micro_batch=micro_batch)
    assert_alike(tmp_path, undisturbed)


def test_two_processes_continue_a_run_of_one(store, undisturbed, continued):
    (continued / "checkpoints" / "epoch000003.safetensors").unlink()
    messages = small.train(small.arguments(store, continued, "--processes", "2"))
    assert messages.count("resumed after epoch 2") == 1
    assert_alike(continued, undisturbed)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_sixteen_bits_learn_alike_and_resume_exactly(store, undisturbed, tmp_path, precision):
    small.train_here(store, tmp_path / "whole", epochs=2, precision=precision)
    for epochs in (1, 2):
        small.train_here(store, tmp_path, epochs=epochs, precision=precision)
    assert small.results(tmp_path) == small.results(tmp_path / "whole")
    losses, exact = history(tmp_path)["valid_loss"], history(undisturbed)["valid_loss"][:2]
    np.testing.assert_allclose(losses, exact, rtol=SIXTEEN_BITS)
    assert np.all(losses != exact)
    weights = load_file(tmp_path / "model" / "last.safetensors").values()
    assert {weight.dtype for weight in weights} == {torch.float32}


def test_validation_does_not_depend_on_micro_batches(store, tmp_path):
    losses = []
    for micro_batch in (0, 1, 3):
        run = small.make_run(store, tmp_path, micro_batch=micro_batch)
        losses.append(loop.Trainer(run, small.CPU).validate())
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-6)


def test_validation_is_not_augmented(store, tmp_path):
    one, other = (loop.Trainer(small.make_run(store, tmp_path, seed=n), small.CPU) for n in (0, 1))
    other.model.load_state_dict(one.model.state_dict())
    assert one.validate() == other.validate()


def test_each_process_needs_an_example_and_each_epoch_a_batch(store, tmp_path):
    with pytest.raises(UserError, match=r"change training\.batch_size"):
        loop.Trainer(small.make_run(store, tmp_path, batch_size=41), small.CPU)
    with pytest.raises(UserError, match="and 5 processes"):
        loop.Trainer(small.make_run(store, tmp_path), Group(torch.device("cpu"), 0, 5))
