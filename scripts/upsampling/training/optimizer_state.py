"""The state of a run, weights and Adam's moments, to and from one file."""

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def pack(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """All tensors of the state by name, without copies."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    return tensors | dict(moments(optimizer))


def restore(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Load the state that a file holds, with the names of `pack`, into `model` and `optimizer`.

    The file is mapped and read tensor by tensor, so memory never holds the state twice.
    """
    with safe_open(path, framework="pt") as file, torch.no_grad():
        for name, tensor in pack(model, optimizer).items():
            tensor.copy_(file.get_tensor(name))


def prepare(optimizer: torch.optim.Optimizer) -> None:
    """Create the moments of a fused Adam that has made no step yet, as its first step would.

    Those of parameters that never get a gradient stay zero.
    """
    for parameter in parameters(optimizer):
        optimizer.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }


def parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """The parameters that `optimizer` updates, in the model's order."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def moments(optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    """Adam's moments and step counts, named by the index of their parameter."""
    for index, parameter in enumerate(parameters(optimizer)):
        for name in MOMENTS:
            yield f"adam.{index}.{name}", optimizer.state[parameter][name]
