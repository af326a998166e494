"""Two checkpoints are kept; damaged ones and those of other runs are refused."""

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
import training_runs as small

from upsampling.errors import UserError
from upsampling.files import read_json
from upsampling.models import build
from upsampling.training import checkpoint_file, loop
from upsampling.training.checkpoint_file import pack, restore
from upsampling.training.checkpoints import BYTES_PER_PARAMETER, Checkpoints, load_model

STATE = {"model.w": torch.arange(3.0), "adam.0.step": torch.tensor(1.0)}


def meta(epoch: int, best_epoch: int) -> dict[str, Any]:
    """The metadata of a checkpoint."""
    rows = [{"epoch": number, "train_loss": 1.0} for number in range(1, epoch + 1)]
    history = {"epochs": rows, "timing": rows, "best_epoch": best_epoch, "best_loss": 0.5}
    return {"epoch": epoch, "best_epoch": best_epoch, "history": history, "scaler": {}}


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def safetensors(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").glob("*.safetensors"))


def test_two_checkpoints_and_their_best_weights_are_kept(undisturbed):
    # The loss falls each time, so each checkpoint has best weights of its own.
    assert safetensors(undisturbed) == [
        "best000002.safetensors",
        "best000003.safetensors",
        "epoch000002.safetensors",
        "epoch000003.safetensors",
    ]
    assert not (undisturbed / "checkpoints" / "lock.json").exists()


def test_best_weights_of_an_earlier_epoch_stay(tmp_path):
    files = Checkpoints(tmp_path, {"seed": 0})
    files.save_best({"w": torch.arange(3.0)}, 1)
    for epoch in range(1, 6):
        files.save(STATE, meta(epoch, best_epoch=1))
    names = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    assert names == [
        "best000001.safetensors", "epoch000004.safetensors", "epoch000005.safetensors",
    ]  # fmt: skip
    assert files.ensure_best(1, STATE)
    assert not files.refused
    assert not Checkpoints(tmp_path, {"seed": 1}).ensure_best(1, STATE)


def test_a_model_is_loaded_as_it_was_trained_and_initialised(store, undisturbed):
    spec = read_json(undisturbed / "model" / "spec.json")
    run = small.make_run(store, undisturbed / "checkpoints")
    assert spec["model"] == run.identity["model"]
    initialised = load_model(undisturbed / "model", "initialised")
    expected = build(run.model, run.seed)
    for name, weight in expected.state_dict().items():
        assert torch.equal(initialised.state_dict()[name], weight)
    best = load_model(undisturbed / "model")
    assert not best.training
    assert spec["parameters"] == sum(p.numel() for p in best.parameters())
    (name, weight) = next(iter(best.state_dict().items()))
    assert not torch.equal(weight, initialised.state_dict()[name])


@pytest.mark.parametrize(
    ("damage", "reason"), [(truncate, "is not a complete checkpoint"), (flip, "is damaged")]
)
def test_a_damaged_checkpoint_is_refused_and_the_one_before_used(
    store, undisturbed, continued, capfd, damage, reason
):
    damage(continued / "checkpoints" / "epoch000003.safetensors")
    small.train_here(store, continued)
    messages = capfd.readouterr().err
    assert f"epoch000003.safetensors {reason}" in messages
    assert "resumed after epoch 2" in messages
    assert small.results(continued) == small.results(undisturbed)


@pytest.mark.parametrize("damage", [truncate, flip, Path.unlink])
def test_best_weights_are_taken_from_the_checkpoint_of_their_epoch(
    store, undisturbed, continued, capfd, damage
):
    damage(continued / "checkpoints" / "best000003.safetensors")
    small.train_here(store, continued)
    assert "resumed after epoch 3" in capfd.readouterr().err
    assert small.results(continued) == small.results(undisturbed)


def worse(continued: Path) -> Path:
    """Make epoch 1 the best, whose checkpoint is gone, and return its file of best weights."""
    folder = continued / "checkpoints"
    for epoch in (2, 3):
        path = folder / f"epoch{epoch:06d}.safetensors"
        values = checkpoint_file.read_meta(path)
        values["best_epoch"] = values["history"]["best_epoch"] = 1
        checkpoint_file.save(path, checkpoint_file.load_file(path), values)
    best = folder / "best000001.safetensors"
    values = checkpoint_file.read_meta(folder / "best000002.safetensors") | {"epoch": 1}
    weights = checkpoint_file.load_file(folder / "best000002.safetensors")
    checkpoint_file.save(best, weights, values)
    return best


def test_a_resumed_run_keeps_best_weights_of_an_earlier_epoch(store, continued):
    best = worse(continued)
    small.train_here(store, continued)
    spec = read_json(continued / "model" / "spec.json")
    assert spec["best_epoch"] == 1
    exported = checkpoint_file.load_file(continued / "model" / "best.safetensors")
    for name, weight in checkpoint_file.load_file(best).items():
        assert torch.equal(exported[name], weight)


def test_damaged_best_weights_without_a_checkpoint_of_their_epoch_end_the_run(
    store, continued, capfd
):
    best = worse(continued)
    flip(best)
    with pytest.raises(UserError, match=r"best000001.* is damaged.*delete .*best000001") as caught:
        small.train_here(store, continued)
    assert "\n" not in str(caught.value)
    best.unlink()
    small.train_here(store, continued)
    assert "the weights of epoch 3 are the best from here" in capfd.readouterr().err
    assert read_json(continued / "model" / "spec.json")["best_epoch"] == 3


@pytest.mark.parametrize("which", ["best", "last"])
@pytest.mark.parametrize("damage", [truncate, flip])
def test_damaged_weights_are_not_loaded(undisturbed, tmp_path, damage, which):
    shutil.copytree(undisturbed / "model", tmp_path / "model")
    load_model(tmp_path / "model", which)
    damage(tmp_path / "model" / f"{which}.safetensors")
    with pytest.raises(UserError, match=rf"{which}\.safetensors is (damaged|not a complete)"):
        load_model(tmp_path / "model", which)


FORGED = {
    "no tensors": lambda tensors, values: ({}, values),
    "another shape": lambda tensors, values: (
        {name: tensor.flatten()[:1] for name, tensor in tensors.items()}, values),
    "another type": lambda tensors, values: (
        {name: tensor.double() for name, tensor in tensors.items()}, values),
    "one more": lambda tensors, values: (tensors | {"more": torch.zeros(1)}, values),
    "no epoch": lambda tensors, values: (tensors, values | {"epoch": None}),
    "text for an epoch": lambda tensors, values: (tensors, values | {"epoch": "3"}),
    "negative epoch": lambda tensors, values: (tensors, values | {"epoch": -3}),
    "no history": lambda tensors, values: (tensors, {**values, "history": {}}),
    "history too short": lambda tensors, values: (
        tensors, {**values, "history": values["history"] | {"epochs": []}}),
    "history of text": lambda tensors, values: (
        tensors, {**values, "history": values["history"] | {"epochs": ["1", "2", "3"]}}),
    "artifacts that are none": lambda tensors, values: (
        tensors, {**values, "history": values["history"] | {"artifacts": [[1, "silence"]]}}),
    "artifacts of a later epoch": lambda tensors, values: (
        tensors, {**values, "history": values["history"] | {
            "artifacts": [[4, "silence", "tone_level", 1, 689.0625, 0.5, "dBFS"]]}}),
    "list for a spec": lambda tensors, values: (tensors, {**values, "spec": [1]}),
    "best epoch later": lambda tensors, values: (tensors, values | {"best_epoch": 9}),
}  # fmt: skip


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_checkpoints_are_refused(store, undisturbed, continued, capfd, forge):
    path = continued / "checkpoints" / "epoch000003.safetensors"
    tensors, values = checkpoint_file.load_file(path), checkpoint_file.read_meta(path)
    checkpoint_file.save(path, *forge(tensors, values))
    small.train_here(store, continued)
    messages = capfd.readouterr().err
    assert f"not used: {path}" in messages
    assert "resumed after epoch 2" in messages
    assert small.results(continued) == small.results(undisturbed)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_checkpoint_without_permission_ends_the_run(store, continued):
    path = continued / "checkpoints" / "epoch000003.safetensors"
    path.chmod(0)
    with pytest.raises(PermissionError):
        small.train_here(store, continued)


def test_a_checkpoint_that_cannot_be_read_ends_the_run(store, continued):
    path = continued / "checkpoints" / "epoch000003.safetensors"
    content = {file.name: file.read_bytes() for file in path.parent.glob("*2.safetensors")}
    path.unlink()
    # A folder in its place; root may read everything else.
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        small.train_here(store, continued)
    assert content == {file.name: file.read_bytes() for file in path.parent.glob("*2.safetensors")}


def test_a_checkpoint_of_other_settings_is_refused_and_stays(store, continued, capfd):
    foreign = continued / "checkpoints" / "epoch000003.safetensors"
    content = foreign.read_bytes()
    small.train_here(store, continued, learning_rate=5e-4, epochs=2)
    messages = capfd.readouterr().err
    assert f"{foreign} belongs to other settings (training.learning_rate 0.001 -> 0.0005)" in (
        messages
    )
    assert "resumed" not in messages
    # The other run reaches the same epoch, and writes beside it.
    small.train_here(store, continued, learning_rate=5e-4, epochs=3)
    assert foreign.read_bytes() == content
    assert (continued / "checkpoints" / "epoch000003-2.safetensors").exists()
    for settings in ({}, {"learning_rate": 5e-4}):
        small.train_here(store, continued, **settings)
        assert "resumed after epoch 3" in capfd.readouterr().err


def test_a_setting_that_did_not_exist_yet_has_its_default(store, undisturbed, continued, capfd):
    """Checkpoints of a version without some settings are resumed, unless these are changed."""
    path = continued / "checkpoints" / "epoch000003.safetensors"
    run = small.make_run(store, continued / "checkpoints")
    trainer = loop.Trainer(run, small.CPU)
    meta = checkpoint_file.read_meta(path)
    restore(path, trainer.model, trainer.optimizer)
    for section, key in (("model", "last"), ("model", "bottleneck"), ("training", "loss")):
        del meta["spec"][section][key]
    checkpoint_file.save(path, pack(trainer.model, trainer.optimizer), meta)
    small.train_here(store, continued)
    assert "resumed after epoch 3" in capfd.readouterr().err
    assert small.results(continued) == small.results(undisturbed)
    assert asdict(run.training)["loss"] == "l1"
    small.train_here(store, continued, loss="mse", epochs=1)
    messages = capfd.readouterr().err
    assert f"{path} belongs to other settings (training.loss 'l1' -> 'mse')" in messages


def test_incomplete_files_of_a_killed_trainer_are_removed(store, tmp_path):
    incomplete = tmp_path / "checkpoints" / ".epoch000001.123.safetensors"
    incomplete.parent.mkdir()
    incomplete.write_bytes(b"half")
    small.train_here(store, tmp_path, epochs=1)
    assert not incomplete.exists()


def test_too_small_a_disk_is_found_before_training(tmp_path):
    with pytest.raises(UserError, match=r"need .* GB, .* GB are free"):
        Checkpoints(tmp_path / "checkpoints", {}).prepare(10**18 // BYTES_PER_PARAMETER)
