"""The device of a process, and how exactly it computes."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from upsampling.errors import UserError


def find_device(local_rank: int = 0) -> torch.device:
    """The GPU of the process with this rank on its host, or the CPU where there is none.

    From then on, GPUs compute reproducibly and float32 without TF32. `UserError` for a GPU that
    this PyTorch has no code for.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", local_rank % torch.cuda.device_count())
    major, minor = torch.cuda.get_device_capability(device)
    # Empty on AMD's GPUs, whose architectures have other names.
    architectures = torch.cuda.get_arch_list() if torch.version.cuda else []
    if architectures and not is_supported(major, minor, architectures):
        raise UserError(
            f"{torch.cuda.get_device_name(device)} has compute capability {major}.{minor}, for "
            f"which PyTorch {torch.__version__} was not built; install the build of this version "
            "for an older CUDA, or hide the GPU by CUDA_VISIBLE_DEVICES="
        )
    torch.cuda.set_device(device)
    deterministic()
    allow_tf32(False)
    return device


def is_supported(major: int, minor: int, architectures: Iterable[str]) -> bool:
    """True if code for one of `architectures` runs on a GPU of this compute capability.

    Machine code ('sm_80') runs on the same major version from its minor one on, intermediate code
    ('compute_90') on all later GPUs.
    """
    for name in architectures:
        kind, _, number = name.partition("_")
        version = divmod(int(number.rstrip("af")), 10)
        if version <= (major, minor) and (kind == "compute" or version[0] == major):
            return True
    return False


def deterministic() -> None:
    """Choose GPU algorithms with reproducible results, where torch has them."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def allow_tf32(allowed: bool) -> None:
    """Let GPUs round the operands of float32 products to TF32's 10 bits of mantissa, or not.

    PyTorch's own default allows it for convolutions and LSTMs, but not for matrix products.
    """
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


@contextmanager
def without_tf32() -> Iterator[None]:
    """Compute without TF32 in the block, and after it as before."""
    backends: tuple[Any, ...] = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [backend.allow_tf32 for backend in backends]
    allow_tf32(False)
    try:
        yield
    finally:
        for backend, allowed in zip(backends, before, strict=True):
            backend.allow_tf32 = allowed
