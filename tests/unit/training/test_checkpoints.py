"""Two checkpoints are kept; damaged ones and those of other runs are refused."""

import os
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
import training_runs as small

from upsampling.errors import UserError
from upsampling.files import read_json
from upsampling.models import build
from upsampling.training import checkpoint_file, loop
from upsampling.training.checkpoints import BYTES_PER_PARAMETER, Checkpoints, load_model
from upsampling.training.optimizer_state import pack, restore


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
    weights = {"w": torch.arange(3.0)}
    files.save_best(weights, 1)
    for epoch in range(1, 6):
        files.save(weights, {"epoch": epoch, "best_epoch": 1})
    names = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    assert names == [
        "best000001.safetensors", "epoch000004.safetensors", "epoch000005.safetensors",
    ]  # fmt: skip
    assert files.best_is_complete(1)
    assert not Checkpoints(tmp_path, {"seed": 1}).best_is_complete(1)


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


def test_incomplete_weights_are_refused(undisturbed, tmp_path):
    for name in ("spec.json", "best.safetensors"):
        (tmp_path / name).write_bytes((undisturbed / "model" / name).read_bytes())
    os.truncate(tmp_path / "best.safetensors", 1000)
    with pytest.raises(UserError, match=r"best\.safetensors is not a complete file of weights"):
        load_model(tmp_path)


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
    small.train_here(store, continued)
    messages = capfd.readouterr().err
    assert f"epoch000003.safetensors {reason}" in messages
    assert "resumed after epoch 2" in messages
    assert small.results(continued) == small.results(undisturbed)


def test_damaged_best_weights_do_not_cost_the_run(store, undisturbed, continued, capfd):
    flip(continued / "checkpoints" / "best000003.safetensors")
    small.train_here(store, continued)
    messages = capfd.readouterr().err
    assert "best000003.safetensors is damaged" in messages
    assert "the weights of epoch 3 are the best from here" in messages
    assert small.results(continued) == small.results(undisturbed)


def test_a_checkpoint_of_other_settings_is_refused_and_stays(store, continued, capfd):
    foreign = continued / "checkpoints" / "epoch000003.safetensors"
    content = foreign.read_bytes()
    small.train_here(store, continued, learning_rate=5e-4, epochs=2)
    messages = capfd.readouterr().err
    assert f"{foreign} belongs to other settings (training.learning_rate 0.001 -> 0.0005)" in (
        messages
    )
    assert "resumed" not in messages
    assert foreign.read_bytes() == content
    small.train_here(store, continued)
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
