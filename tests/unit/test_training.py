"""Training: what interrupts it changes nothing, and what is damaged is not trusted."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import training_runs as small
from safetensors.torch import load_file

from upsampling.errors import UserError
from upsampling.training import loop
from upsampling.training.checkpoints import BYTES_PER_PARAMETER, Checkpoints, load_model
from upsampling.training.distributed import Group
from upsampling.training.prefetch import ahead
from upsampling.training.signals import Stopped, Stopper

CPU = Group(torch.device("cpu"))
# Sums of float32 losses in another order; the same of gradients, after some steps with them.
ROUNDING = 1e-6
SPLIT = 1e-5
# The same of single gradients, relative to the largest of their layer.
GRADIENT = 1e-3
# Relative error of a loss whose model computes with 8 bits of mantissa.
SIXTEEN_BITS = 2e-2


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return small.write_store(tmp_path_factory.mktemp("training") / "store")


def train(store: Path, folder: Path, **changes) -> loop.Trainer:
    """Train in this process, with checkpoints and model below `folder`."""
    run = small.make_run(store, folder / "checkpoints", **changes)
    trainer = loop.Trainer(run, CPU)
    trainer.train()
    trainer.export(folder / "model")
    return trainer


@pytest.fixture(scope="module")
def undisturbed(store, tmp_path_factory) -> Path:
    """A run of three epochs in one go; its checkpoints are those after epochs 2 and 3."""
    folder = tmp_path_factory.mktemp("undisturbed")
    train(store, folder)
    return folder


@pytest.fixture
def continued(undisturbed, tmp_path) -> Path:
    """A copy of its checkpoints, to damage."""
    shutil.copytree(undisturbed / "checkpoints", tmp_path / "checkpoints")
    return tmp_path


def test_a_run_learns_and_its_files_agree(store, undisturbed):
    history = np.genfromtxt(undisturbed / "model" / "history.csv", delimiter=",", names=True)
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["valid_loss"][2] < 0.8 * history["valid_loss"][0]
    timing = np.genfromtxt(undisturbed / "model" / "timing.csv", delimiter=",", names=True)
    assert timing.dtype.names == ("epoch", "seconds", "samples_per_second", "gpu_memory_bytes")
    assert np.allclose(timing["seconds"] * timing["samples_per_second"], 40)
    model = load_model(undisturbed / "model", "last").state_dict()
    checkpoint = load_file(undisturbed / "checkpoints" / "epoch000003.safetensors")
    for name, weight in model.items():
        assert torch.equal(weight, checkpoint[f"model.{name}"])


def test_two_checkpoints_and_the_best_weights_are_kept(undisturbed):
    names = sorted(path.name for path in (undisturbed / "checkpoints").iterdir())
    assert [name for name in names if name.startswith("epoch")] == [
        "epoch000002.safetensors",
        "epoch000003.safetensors",
    ]
    # The loss falls each time, so each checkpoint has best weights of its own.
    assert [name for name in names if name.startswith("best")] == [
        "best000002.safetensors",
        "best000003.safetensors",
    ]
    assert "lock.json" not in names


def test_epochs_can_be_added_and_give_the_same_bytes(store, undisturbed, tmp_path):
    for epochs in (1, 2, 3):
        train(store, tmp_path, epochs=epochs)
    assert small.results(tmp_path) == small.results(undisturbed)


def test_fewer_epochs_than_were_trained_start_anew(store, undisturbed, continued, capfd):
    train(store, continued, epochs=1)
    assert "is past epoch 1, the last one; it stays there" in capfd.readouterr().err
    train(store, continued)
    assert "resumed after epoch 3" in capfd.readouterr().err
    assert small.results(continued) == small.results(undisturbed)


def test_a_signal_stops_within_an_epoch_and_loses_no_other(store, tmp_path):
    trainer = loop.Trainer(small.make_run(store, tmp_path / "checkpoints", epochs=1000), CPU)

    def interrupt() -> None:
        while not (tmp_path / "checkpoints" / "epoch000002.safetensors").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    handler = signal.getsignal(signal.SIGUSR1)
    waiting = threading.Thread(target=interrupt)
    waiting.start()
    with pytest.raises(Stopped, match="SIGUSR1 arrived: stopped after epoch"):
        trainer.train()
    waiting.join()
    assert signal.getsignal(signal.SIGUSR1) == handler
    done = trainer.epoch
    assert 2 <= done < 10
    train(store, tmp_path, epochs=done + 1)
    train(store, tmp_path / "whole", epochs=done + 1)
    assert small.results(tmp_path) == small.results(tmp_path / "whole")


def test_time_is_up_before_an_epoch_that_would_not_fit():
    hour = Stopper(max_minutes=60)
    assert hour.reason() == hour.reason(3000) == ""
    assert hour.reason(3600) == "60 minutes are nearly over"
    assert Stopper().reason(1e9) == ""
    assert Stopper(max_minutes=0).reason()


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "reason"), [(truncate, "is not a complete checkpoint"), (flip, "is damaged")]
)
def test_a_damaged_checkpoint_is_refused_and_the_one_before_used(
    store, undisturbed, continued, capfd, damage, reason
):
    damage(continued / "checkpoints" / "epoch000003.safetensors")
    train(store, continued)
    messages = capfd.readouterr().err
    assert f"epoch000003.safetensors {reason}" in messages
    assert "resumed after epoch 2" in messages
    assert small.results(continued) == small.results(undisturbed)


def test_damaged_best_weights_do_not_cost_the_run(store, undisturbed, continued, capfd):
    flip(continued / "checkpoints" / "best000003.safetensors")
    train(store, continued)
    messages = capfd.readouterr().err
    assert "best000003.safetensors is damaged" in messages
    assert "the weights of epoch 3 are the best from here" in messages
    assert small.results(continued) == small.results(undisturbed)


def test_a_checkpoint_of_other_settings_is_refused_and_stays(store, continued, capfd):
    foreign = continued / "checkpoints" / "epoch000003.safetensors"
    content = foreign.read_bytes()
    train(store, continued, learning_rate=5e-4, epochs=2)
    messages = capfd.readouterr().err
    assert f"{foreign} belongs to other settings (training.learning_rate 0.001 -> 0.0005)" in (
        messages
    )
    assert "resumed" not in messages
    assert foreign.read_bytes() == content
    capfd.readouterr()
    train(store, continued)
    assert "resumed after epoch 3" in capfd.readouterr().err


def test_what_a_killed_trainer_left_is_removed(store, tmp_path):
    left = tmp_path / "checkpoints" / ".epoch000001.123.safetensors"
    left.parent.mkdir()
    left.write_bytes(b"half")
    train(store, tmp_path, epochs=1)
    assert not left.exists()


def test_a_disk_that_is_too_small_is_found_out_at_once(tmp_path):
    with pytest.raises(UserError, match=r"need .* GB, .* GB are free"):
        Checkpoints(tmp_path / "checkpoints", {}).prepare(10**18 // BYTES_PER_PARAMETER)


@pytest.mark.parametrize("between_checks", [1, 4])
def test_a_loss_that_is_not_finite_stops_at_its_step(
    store, undisturbed, tmp_path, monkeypatch, between_checks
):
    """The first step has a sound loss, and its update ruins the weights."""
    monkeypatch.setitem(loop.STEPS_BETWEEN_CHECKS, "cpu", between_checks)
    train(store, tmp_path, epochs=1)
    ruined = loop.Trainer(small.make_run(store, tmp_path / "checkpoints"), CPU)
    ruined.optimizer.param_groups[0]["lr"] = 1e30
    with pytest.raises(UserError, match=r"became \S+ at step 2 of epoch 2; .* epoch 1 is kept"):
        ruined.train()
    train(store, tmp_path)
    assert small.results(tmp_path) == small.results(undisturbed)


def test_a_loss_that_explodes_stops_too(store, tmp_path):
    with pytest.raises(UserError, match=r"became \d\S+ at step \d+ of epoch 1; none was saved"):
        train(store, tmp_path, learning_rate=10.0)


def assert_alike(folder: Path, other: Path) -> None:
    """Equal but for rounding: losses, and gradients, whose size Adam's steps do not show."""
    losses = [
        np.loadtxt(path / "model" / "history.csv", delimiter=",", skiprows=1)
        for path in (folder, other)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=SPLIT)
    states = [
        load_file(path / "checkpoints" / "epoch000003.safetensors") for path in (folder, other)
    ]
    for name, expected in states[1].items():
        if name.endswith("exp_avg"):
            error = (states[0][name] - expected).abs().max()
            assert error < GRADIENT * expected.abs().max()


@pytest.mark.parametrize("micro_batch", [1, 3])
def test_accumulated_gradients_are_those_of_the_batch(store, undisturbed, tmp_path, micro_batch):
    train(store, tmp_path, micro_batch=micro_batch)
    assert_alike(tmp_path, undisturbed)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_sixteen_bits_learn_alike_and_resume_exactly(store, undisturbed, tmp_path, precision):
    train(store, tmp_path / "whole", epochs=2, precision=precision)
    for epochs in (1, 2):
        train(store, tmp_path, epochs=epochs, precision=precision)
    assert small.results(tmp_path) == small.results(tmp_path / "whole")
    history = np.genfromtxt(tmp_path / "model" / "history.csv", delimiter=",", names=True)
    exact = np.genfromtxt(undisturbed / "model" / "history.csv", delimiter=",", names=True)[:2]
    np.testing.assert_allclose(history["valid_loss"], exact["valid_loss"], rtol=SIXTEEN_BITS)
    assert np.all(history["valid_loss"] != exact["valid_loss"])
    assert {w.dtype for w in load_file(tmp_path / "model" / "last.safetensors").values()} == {
        torch.float32
    }


def test_the_loss_of_a_step_is_the_mean_over_its_batch(store, tmp_path):
    """Against a forward pass of the whole batch, written out."""
    trainer = loop.Trainer(small.make_run(store, tmp_path, micro_batch=3), CPU)
    sources = torch.from_numpy(np.stack([trainer.examples.example(1, n) for n in range(4)]))
    with torch.no_grad():
        estimates = trainer.model(sources.sum(dim=1))
    first = (sources.shape[-1] - estimates.shape[-1]) // 2
    error = (estimates - sources[..., first : first + estimates.shape[-1]]).abs().double().mean()
    assert float(trainer.train_step.step(sources)) == pytest.approx(float(error), rel=ROUNDING)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_shares_of_a_batch_are_contiguous_and_complete(size):
    batch = range(64, 96)
    shares = [Group(torch.device("cpu"), rank, size).share(batch) for rank in range(size)]
    assert [index for share in shares for index in share] == list(batch)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_batch_needs_an_example_for_each_process_and_an_epoch_a_batch(store, tmp_path):
    with pytest.raises(UserError, match=r"change training\.batch_size"):
        loop.Trainer(small.make_run(store, tmp_path, batch_size=41), CPU)
    with pytest.raises(UserError, match="and 5 processes"):
        loop.Trainer(small.make_run(store, tmp_path), Group(torch.device("cpu"), 0, 5))
    with pytest.raises(UserError, match="fp32, bf16, fp16"):
        loop.Trainer(small.make_run(store, tmp_path, precision="fp8"), CPU)


def test_batches_are_made_ahead_in_order_and_no_further():
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        if number == 8:
            raise ValueError("eight")
        return number * number

    results = ahead(make, range(20), 3)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    time.sleep(0.05)
    assert made == list(range(6))
    with pytest.raises(ValueError, match="eight"):
        list(results)
    assert max(made) < 12


def test_two_processes_go_on_where_one_was(store, undisturbed, continued):
    (continued / "checkpoints" / "epoch000003.safetensors").unlink()
    messages = small.train(small.arguments(store, continued, "--processes", "2"))
    assert messages.count("resumed after epoch 2") == 1
    assert_alike(continued, undisturbed)
