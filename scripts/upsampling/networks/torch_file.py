"""PyTorch networks in files: factories, TorchScript, weights.

safetensors files are data. A Python file runs when it is imported, TorchScript when the network
runs. Pickles are never loaded.
"""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from upsampling.errors import UserError, nearest_match
from upsampling.own_code import load_module

# An archive may not grow beyond this many times its own size; TorchScript's are not compressed.
LARGEST_GROWTH = 4


def load_callable(reference: str, what: str) -> Callable[..., Any]:
    """The object that `path/to/file.py:name` refers to; `what` is its part in messages."""
    file, colon, name = reference.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise UserError(f"{what}: '{reference}' is not path/to/file.py:name")
    path = Path(file)
    if not path.is_file():
        raise UserError(f"{what}: there is no file {path}")
    module = load_module(path, what)
    if not callable(getattr(module, name, None)):
        names = [key for key, value in vars(module).items() if callable(value)]
        raise UserError(f"{what}: {path} has no callable {name}{nearest_match(name, names)}")
    return getattr(module, name)


def from_factory(path: Path, name: str) -> Any:
    """The module that the function `name` of a Python file returns; `UserError` if it is none."""
    factory = load_callable(f"{path}:{name}", "network")
    try:
        module = factory()
    except (Exception, SystemExit) as error:
        raise UserError(f"{path}:{name} raised {error!r}") from error
    if not isinstance(module, nn.Module):
        raise UserError(f"{path}:{name} returned {type(module).__name__}, not a torch.nn.Module")
    for key, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if nn.parameter.is_lazy(tensor) or tensor.is_meta:
            raise UserError(
                f"{path}:{name}: {key} has no values yet; let the factory call the network once, "
                "or load its weights"
            )
    return module


def load_weights(module: Any, path: Path) -> None:
    """Load the state of `module` from a safetensors file; `UserError` if it does not fit."""
    if path.suffix != ".safetensors":
        raise UserError(f"{path}: weights are read from .safetensors files alone")
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path} is not a complete file of weights: {error}") from error
    own = module.state_dict()
    missing = sorted({*own} - {*tensors})
    further = sorted({*tensors} - {*own})
    for names, verb in ((missing, "lacks"), (further, "has, and the network has not,")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise UserError(f"{path} {verb} {names[0]}{more}")
    for name, tensor in tensors.items():
        if tensor.shape != own[name].shape:
            raise UserError(
                f"{path}: {name} is {list(tensor.shape)}, the network's {list(own[name].shape)}"
            )
    module.load_state_dict(tensors)


def read_torchscript(path: Path) -> Any:
    """The module of a TorchScript file, on the CPU; `UserError` if it cannot be read."""
    check_torchscript(path)
    try:
        return torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path} cannot be read as TorchScript: {reason}") from error


def check_torchscript(path: Path) -> None:
    """Refuse a file that is no archive of TorchScript, or would grow too large when unpacked."""
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UserError(
            f"{path} is not TorchScript, whose files are zip archives ({error}); pickles are not "
            "loaded: save the network with torch.jit.save, or name its factory"
        ) from error
    names = [member.filename for member in members]
    folder = names[0].partition("/")[0] if names else ""
    if f"{folder}/constants.pkl" not in names or not any("/code/" in name for name in names):
        raise UserError(
            f"{path} is a checkpoint of pickled objects, not TorchScript; pickles are not loaded: "
            "save its weights as safetensors, and name the network's factory"
        )
    size = sum(member.file_size for member in members)
    if size > LARGEST_GROWTH * path.stat().st_size + 2**20:
        raise UserError(f"{path} would grow to {size / 1e9:.1f} GB when it is unpacked; refused")
