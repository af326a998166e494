"""Repairs of models that this pipeline trained: silent in silence, little changed, same bytes."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from upsampling.audit.trained_model import repair_trained
from upsampling.config.model import DemucsLikeSettings
from upsampling.config.operators import LEARNED_PHASES, OPTIONS
from upsampling.errors import UserError
from upsampling.files import checksum_path, is_intact, read_json, write_json
from upsampling.models import build
from upsampling.training import checkpoint_file
from upsampling.training.checkpoints import load_model

# The rounding of single-precision weights.
SINGLE_DB = -150.0
FILES = ("best.safetensors", "spec.json", "repair.json")


def stored_model(folder: Path, operator: str = "transposed", depth: int = 2, **settings) -> Path:
    """A model with random weights, stored as training stores one."""
    model = DemucsLikeSettings(operator=operator, channels=4, depth=depth, **settings)
    folder.mkdir()
    spec = {"model": asdict(model), "seed": 3, "parameters": 5}
    checkpoint_file.save(folder / "best.safetensors", build(model, 3).state_dict(), spec)
    write_json(folder / "spec.json", spec)
    return folder


def loudest_line(folder: Path, constant: float = 0.0) -> float:
    """Level in dBFS of the loudest line in a steady output, by the DFT of 64 whole periods."""
    model = load_model(folder).double()
    with torch.no_grad():
        output = model(torch.full((1, 2, model.input_length(30000)), constant).double())
    period = int(np.prod(model.settings.strides))
    middle = output.shape[-1] // 2
    samples = output.reshape(-1, output.shape[-1])[:, middle : middle + 64 * period].numpy()
    amplitudes = 2 * np.abs(np.fft.rfft(samples, axis=-1)[:, 1:]) / samples.shape[-1]
    return 20 * np.log10(max(amplitudes.max(), 1e-15))


@pytest.mark.parametrize("operator", ["transposed", "subpixel"])
def test_a_repaired_model_is_silent_in_silence_and_little_changed(tmp_path, operator):
    folder = stored_model(tmp_path / "model", operator, depth=3)
    repaired = repair_trained(folder, "silence", tmp_path / "repaired")
    assert loudest_line(folder) > -80
    assert loudest_line(tmp_path / "repaired") < SINGLE_DB
    before = load_model(folder).state_dict()
    after = load_model(tmp_path / "repaired").state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(".upsampler." in name for name in changed)
    for layer in repaired["layers"]:
        weight = f"{layer['name'].removesuffix('.convolution')}.convolution.weight"
        difference = float((after[weight] - before[weight]).norm() / before[weight].norm())
        assert difference < 10 ** (-6 / 20)
        assert layer["change_db"] == pytest.approx(20 * np.log10(difference), abs=0.01)


def test_no_comb_is_left_in_any_constant(tmp_path):
    folder = stored_model(tmp_path / "model")
    repair_trained(folder, "silence", tmp_path / "silence")
    repair_trained(folder, "constants", tmp_path / "constants")
    assert loudest_line(tmp_path / "silence", 0.3) > SINGLE_DB + 30
    assert loudest_line(tmp_path / "constants", 0.3) < SINGLE_DB


def test_its_files_are_those_of_a_model_and_the_same_each_time(tmp_path):
    folder = stored_model(tmp_path / "model")
    repaired = repair_trained(folder, "sounds", tmp_path / "first")
    repair_trained(folder, "sounds", tmp_path / "second")
    for name in FILES:
        first, second = tmp_path / "first" / name, tmp_path / "second" / name
        assert first.read_bytes() == second.read_bytes()
        assert is_intact(first)
    for name in FILES[1:]:
        assert checksum_path(tmp_path / "first" / name).is_file()
    spec = read_json(tmp_path / "first" / "spec.json")
    assert spec == read_json(folder / "spec.json") | {"repair": "sounds"}
    assert read_json(tmp_path / "first" / "repair.json") == repaired
    assert repaired["sounds"][:2] == ["silence", "white_noise"]
    weights = load_model(tmp_path / "first").state_dict()
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    untrained = load_model(tmp_path / "first", "initialised").state_dict()
    for name, tensor in load_model(folder, "initialised").state_dict().items():
        assert torch.equal(untrained[name], tensor)


@pytest.mark.parametrize("operator", sorted(set(OPTIONS) - {"istft_head"}))
def test_the_operators_that_can_be_repaired_are_those_of_the_configuration(tmp_path, operator):
    folder = stored_model(tmp_path / "model", operator, bottleneck="none")
    if operator in LEARNED_PHASES:
        layers = repair_trained(folder, "silence", tmp_path / "repaired")["layers"]
        assert [layer["reason"] for layer in layers] == ["", ""]
        return
    with pytest.raises(UserError) as caught:
        repair_trained(folder, "silence", tmp_path / "repaired")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "repaired").exists()


def test_the_reason_for_no_repair_is_told(tmp_path):
    folder = stored_model(tmp_path / "model", "nearest")
    with pytest.raises(UserError, match=r"model: No layer could be repaired \(.*are fixed\)"):
        repair_trained(folder, "silence", tmp_path / "repaired")
    with pytest.raises(UserError, match=r"is no model of this pipeline: it has no best"):
        repair_trained(tmp_path, "silence", tmp_path / "repaired")
