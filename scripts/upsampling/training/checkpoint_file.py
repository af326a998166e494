"""Tensors in one safetensors file, written one at a time and protected by a checksum.

The format is that of safetensors, so that any of its readers opens the files. What the library's
own writer lacks is a checksum, and writing from a GPU without a copy of everything in host memory.
"""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

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
# The checksum covers the whole file with itself as zeros; it stands at this place in each.
BLANK = "00000000"
BEFORE = len('{"__metadata__":{"crc32":"') + 8
BLOCK = 1 << 24


def save(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write tensors and their JSON-serialisable `meta` to one file, atomically.

    Host memory grows by the largest tensor at most; tensors on the CPU are not copied.
    """
    # Widest types first keeps every tensor aligned to its own size.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict[str, Any] = {"__metadata__": {"crc32": BLANK, "meta": canonical(meta)}}
    end = 0
    for name in names:
        tensor, start = tensors[name], end
        end += tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
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
        file.seek(BEFORE)
        file.write(f"{checksum:08x}".encode())


def read_meta(path: Path) -> dict[str, Any]:
    """Read the `meta` of a file written by `save`; `UserError` if its header is not whole."""
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads((file.metadata() or {})["meta"])
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise UserError(f"{path} is not a complete checkpoint: {error}") from error


def read_verified(path: Path) -> dict[str, Any]:
    """Read `meta` after comparing the whole file with its checksum; `UserError` if they differ."""
    meta = read_meta(path)
    checksum = 0
    with open(path, "rb") as file:
        head = bytearray(file.read(BLOCK))
        stored = bytes(head[BEFORE : BEFORE + 8])
        head[BEFORE : BEFORE + 8] = BLANK.encode()
        checksum = zlib.crc32(head)
        while block := file.read(BLOCK):
            checksum = zlib.crc32(block, checksum)
    if stored != f"{checksum:08x}".encode():
        raise UserError(f"{path} is damaged: its content does not match its checksum")
    return meta
