"""A state that is saved and restored continues exactly as torch's own state_dict does."""

import copy

import torch
from torch import nn

from upsampling.training import checkpoint_file
from upsampling.training.optimizer_state import pack, parameters, prepare, restore


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
    prepare(its_optimizer)
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
    prepare(prepared_optimizer)
    assert len(parameters(prepared_optimizer)) == 4
    train(first, first_optimizer, 2)
    train(prepared, prepared_optimizer, 2)
    for name, weight in first.state_dict().items():
        assert torch.equal(prepared.state_dict()[name], weight)
