"""Checkpoint files: read by the library, and verified to the last bit.

A state that is saved and restored continues exactly as torch's own state_dict does.
"""

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from upsampling.errors import UserError
from upsampling.training import checkpoint_file
from upsampling.training.checkpoint_file import pack, parameters, prepare_moments, restore

TENSORS = {
    "b": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "a": torch.tensor(True),
    "step": torch.tensor(7.0, dtype=torch.float64),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "strided": torch.arange(6, dtype=torch.int32).reshape(2, 3).T,
}
META = {"epoch": 3, "loss": 0.1, "spec": {"name": "é"}}


@pytest.fixture
def file(tmp_path) -> Path:
    checkpoint_file.save(tmp_path / "x.safetensors", TENSORS, META)
    return tmp_path / "x.safetensors"


def test_the_library_reads_saved_tensors(file):
    assert checkpoint_file.read_verified(file) == META
    loaded = load_file(file)
    assert loaded.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)
    reordered = file.with_name("reordered.safetensors")
    checkpoint_file.save(reordered, dict(reversed(TENSORS.items())), META)
    assert reordered.read_bytes() == file.read_bytes()


def test_every_flipped_byte_and_every_truncation_is_detected(file):
    content = file.read_bytes()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        file.write_bytes(changed)
        with pytest.raises(UserError):
            checkpoint_file.read_verified(file)
    for length in range(len(content)):
        file.write_bytes(content[:length])
        with pytest.raises(UserError):
            checkpoint_file.read_verified(file)


def test_a_write_that_fails_leaves_the_old_file(file):
    content = file.read_bytes()
    with pytest.raises(KeyError):
        checkpoint_file.save(file, {"complex": torch.zeros(1, dtype=torch.complex64)}, META)
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def network(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    return model, torch.optim.Adam(model.parameters(), lr=0.01, fused=True)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    inputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    for _ in range(steps):
        optimizer.zero_grad()
        model(inputs).square().mean().backward()
        optimizer.step()


def test_a_restored_state_continues_with_the_same_bits(tmp_path):
    model, optimizer = network(0)
    train(model, optimizer, 3)
    checkpoint_file.save(tmp_path / "x.safetensors", pack(model, optimizer), {})
    weights = copy.deepcopy(model.state_dict())
    moments = copy.deepcopy(optimizer.state_dict())
    train(model, optimizer, 2)

    restored, its_optimizer = network(1)
    prepare_moments(its_optimizer)
    restore(tmp_path / "x.safetensors", restored, its_optimizer)
    train(restored, its_optimizer, 2)
    by_torch, torch_optimizer = network(2)
    by_torch.load_state_dict(weights)
    torch_optimizer.load_state_dict(moments)
    train(by_torch, torch_optimizer, 2)
    for name, weight in model.state_dict().items():
        assert torch.equal(restored.state_dict()[name], weight)
        assert torch.equal(by_torch.state_dict()[name], weight)


def test_pack_copies_nothing_and_names_every_tensor():
    model, optimizer = network(0)
    train(model, optimizer, 1)
    packed = pack(model, optimizer)
    assert packed.keys() == {f"model.{name}" for name in model.state_dict()} | {
        f"adam.{index}.{name}" for index in range(4) for name in ("exp_avg", "exp_avg_sq", "step")
    }
    assert packed["model.0.weight"].data_ptr() == model[0].weight.data_ptr()
    moment = optimizer.state[model[2].bias]["exp_avg"]
    assert packed["adam.3.exp_avg"].data_ptr() == moment.data_ptr()


def test_prepared_moments_are_those_of_a_first_step():
    first, first_optimizer = network(0)
    prepared, prepared_optimizer = network(0)
    prepare_moments(prepared_optimizer)
    assert len(parameters(prepared_optimizer)) == 4
    train(first, first_optimizer, 2)
    train(prepared, prepared_optimizer, 2)
    for name, weight in first.state_dict().items():
        assert torch.equal(prepared.state_dict()[name], weight)
