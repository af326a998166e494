"""Checkpoints as data: tensors in safetensors files, the run's settings as JSON in their header.

A trained model's folder holds `best.safetensors`, `last.safetensors` and `spec.json`.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from upsampling.files import atomic_path, read_json
from upsampling.models import build
from upsampling.settings import UserError, canonical, model_settings

KEPT = 2


def save(path: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Write tensors and their JSON-serialisable `meta` to one file, atomically."""
    with atomic_path(path) as temporary:
        contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, temporary, metadata={"meta": canonical(meta)})


def read_meta(path: Path) -> dict[str, Any]:
    """Read the `meta` of a file written by `save`; `UserError` if the file is not whole."""
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads((file.metadata() or {})["meta"])
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise UserError(f"{path} is not a complete checkpoint: {error}") from error


def load_model(folder: str | Path, which: str = "best") -> nn.Module:
    """Load the trained model of `folder`, in evaluation mode.

    `which` is 'best' (lowest validation loss) or 'last'; 'initialised' rebuilds the model as it
    was before training, from the seed in `spec.json`.
    """
    folder = Path(folder)
    spec = read_json(folder / "spec.json")
    model = build(model_settings(spec["model"], str(folder / "spec.json")), spec["seed"])
    if which != "initialised":
        model.load_state_dict(load_file(folder / f"{which}.safetensors"))
    return model.eval()


def checkpoint_paths(folder: Path) -> list[Path]:
    """Checkpoints in `folder`, newest first."""
    return sorted(folder.glob("epoch*.safetensors"), reverse=True)


def pack(
    model: nn.Module, optimizer: torch.optim.Optimizer, best: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Name all tensors of a run's state: weights, best weights and Adam's moments."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": value for name, value in state.items()}
    return tensors


def unpack(
    tensors: dict[str, Tensor], model: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """Restore what `pack` named into `model` and `optimizer`; return the best weights."""
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "adam": {}}
    for name, value in tensors.items():
        part, rest = name.split(".", 1)
        parts[part][rest] = value
    model.load_state_dict(parts["model"])
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in parts["adam"].items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    return parts["best"]


def save_checkpoint(folder: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Write the checkpoint of `meta['epoch']` and keep the newest `KEPT`."""
    save(folder / f"epoch{meta['epoch']:06d}.safetensors", tensors, meta)
    for path in checkpoint_paths(folder)[KEPT:]:
        path.unlink()


def load_checkpoint(
    folder: Path, spec: dict[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any], list[str]]:
    """Find the newest whole checkpoint of the run `spec`.

    Returns its tensors and meta (both empty if there is none), and a reason for each checkpoint
    that was refused: one that is truncated, or that another run wrote.
    """
    refused = []
    for path in checkpoint_paths(folder):
        try:
            meta = read_meta(path)
            if meta["spec"] != spec:
                refused.append(
                    f"{path} belongs to other settings: {difference(meta['spec'], spec)}"
                )
                continue
            return load_file(path), meta, refused
        except (UserError, SafetensorError) as error:
            refused.append(str(error))
    return {}, {}, refused


def difference(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> str:
    """Name the keys in which two specs differ, with both values."""
    parts = []
    for key in sorted({*old, *new}):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            parts.append(difference(a, b, f"{prefix}{key}."))
        elif a != b:
            parts.append(f"{prefix}{key} {a!r} -> {b!r}")
    return ", ".join(part for part in parts if part)
