"""Tensors in one safetensors file, written one at a time and protected by a checksum.

`pack` and `restore` are the state of a run, weights and Adam's moments, to and from such a file.
Any reader of safetensors opens these files. The library's own writer has no checksum, and copies
all tensors of a GPU to host memory at once.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim import Optimizer

from upsampling.config.mapping import canonical
from upsampling.errors import UserError
from upsampling.files import atomic_path

DTYPES = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.int32: "I32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
# The checksum covers the whole file, with zeros in its own place. Its offset is the same in each.
NO_CHECKSUM = "00000000"
CHECKSUM_OFFSET = len('{"__metadata__":{"crc32":"') + 8
BLOCK = 1 << 24
MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def save(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write tensors and their JSON-serialisable `meta` to one file, atomically.

    Host memory grows by at most the largest tensor; tensors on the CPU are not copied.
    """
    # Widest types first keeps every tensor aligned to its own size.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict[str, Any] = {"__metadata__": {"crc32": NO_CHECKSUM, "meta": canonical(meta)}}
    end = 0
    for name in names:
        tensor, start = tensors[name], end
        end += tensor.nbytes
        dtype, shape = DTYPES[tensor.dtype], list(tensor.shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    head = len(text).to_bytes(8, "little") + text
    checksum = zlib.crc32(head)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        file.write(head)
        for name in names:
            flat = tensors[name].detach().cpu().contiguous().flatten()
            data = flat.view(torch.uint8).numpy().data
            checksum = zlib.crc32(data, checksum)
            file.write(data)
        file.seek(CHECKSUM_OFFSET)
        file.write(f"{checksum:08x}".encode())


def read_meta(path: Path) -> dict[str, Any]:
    """Read the `meta` of a file written by `save`; `UserError` for an incomplete header.

    A file that cannot be read, for its permissions or the state of a disk, is an `OSError`.
    """
    with open(path, "rb") as readable:
        readable.read(1)
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads((file.metadata() or {})["meta"])
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is not a complete checkpoint: {error}") from error
    if not isinstance(meta, dict):
        raise UserError(f"{path} is not a complete checkpoint: its metadata is no object")
    return meta


def read_verified(path: Path) -> dict[str, Any]:
    """Read `meta` and verify the checksum of the whole file; `UserError` if it does not match."""
    meta = read_meta(path)
    with open(path, "rb") as file:
        head = bytearray(file.read(BLOCK))
        position = slice(CHECKSUM_OFFSET, CHECKSUM_OFFSET + len(NO_CHECKSUM))
        stored = bytes(head[position])
        head[position] = NO_CHECKSUM.encode()
        checksum = zlib.crc32(head)
        while block := file.read(BLOCK):
            checksum = zlib.crc32(block, checksum)
    if stored != f"{checksum:08x}".encode():
        raise UserError(f"{path} is damaged: its content does not match its checksum")
    return meta


def check_tensors(path: Path, expected: Mapping[str, Tensor]) -> None:
    """Raise `UserError` unless a file's tensors have the names, shapes and types of `expected`."""
    with safe_open(path, framework="pt") as file:
        names = set(file.keys())
        if names != expected.keys():
            missing = sorted(expected.keys() - names) or sorted(names - expected.keys())
            raise UserError(f"{path} does not fit the model: {missing[0]} is missing or unknown")
        for name, tensor in expected.items():
            stored = file.get_slice(name)
            found = (stored.get_dtype(), list(stored.get_shape()))
            if found != (DTYPES[tensor.dtype], list(tensor.shape)):
                raise UserError(
                    f"{path} does not fit the model: {name} is {found[0]} {found[1]}, not "
                    f"{DTYPES[tensor.dtype]} {list(tensor.shape)}"
                )


def load_verified(path: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read all tensors of a file whose checksum and tensors are as `expected`."""
    read_verified(path)
    check_tensors(path, expected)
    return load_file(path)


def pack(model: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """All tensors of the state by name, without copies."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    return tensors | dict(moments(optimizer))


def restore(path: Path, model: nn.Module, optimizer: Optimizer) -> None:
    """Load the state that a file holds, with the names of `pack`, into `model` and `optimizer`.

    The file is mapped and read tensor by tensor, so memory never holds the state twice.
    """
    with safe_open(path, framework="pt") as file, torch.no_grad():
        for name, tensor in pack(model, optimizer).items():
            tensor.copy_(file.get_tensor(name))


def prepare_moments(optimizer: Optimizer) -> None:
    """Create the moments of a fused Adam that has made no step yet, as its first step would.

    Those of parameters that never get a gradient stay zero.
    """
    for parameter in parameters(optimizer):
        optimizer.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }


def parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    """The parameters that `optimizer` updates, in the model's order."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def moments(optimizer: Optimizer) -> Iterator[tuple[str, Tensor]]:
    """Adam's moments and step counts, named by the index of their parameter."""
    for index, parameter in enumerate(parameters(optimizer)):
        for name in MOMENTS:
            yield f"adam.{index}.{name}", optimizer.state[parameter][name]
