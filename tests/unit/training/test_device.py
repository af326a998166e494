"""The choice of a device and its arithmetic; a GPU is imitated by what torch says of it."""

import contextlib
import os
from typing import Any

import pytest
import torch

from upsampling.errors import UserError
from upsampling.training.device import allow_tf32, find_device, is_supported, without_tf32

# torch 2.13 for CUDA 12.6 is built for these.
BUILT_FOR = ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"]


@pytest.fixture
def imitated(monkeypatch):
    """Two GPUs of compute capability 7.0 (V100), as torch would describe them; what is set."""
    used: list[torch.device] = []
    answers: dict[str, Any] = {
        "is_available": lambda: True,
        "device_count": lambda: 2,
        "get_device_capability": lambda device: (7, 0),
        "get_device_name": lambda device: "Tesla V100-SXM2-16GB",
        "get_arch_list": lambda: BUILT_FOR,
        "set_device": used.append,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    monkeypatch.setattr(torch.version, "cuda", "12.6")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    before = torch.backends.cudnn.deterministic
    yield used
    torch.backends.cudnn.deterministic = before
    torch.use_deterministic_algorithms(False)
    allow_tf32(False)


@pytest.mark.parametrize(
    ("capability", "architectures", "supported"),
    [
        ((7, 0), ["sm_70"], True),
        ((8, 6), ["sm_80"], True),  # machine code runs on later minor versions
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80"], False),  # and not on the next major one
        ((9, 0), ["sm_80", "compute_80"], True),  # for which it is compiled
        ((7, 0), ["sm_75", "compute_90"], False),
        ((9, 0), ["sm_90a"], True),
        ((12, 0), ["sm_100", "sm_120"], True),
    ],
)
def test_architectures_of_a_build_decide_what_runs(capability, architectures, supported):
    assert is_supported(*capability, architectures) == supported


def test_without_a_gpu_it_is_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device(1) == torch.device("cpu")


@pytest.mark.parametrize(("local_rank", "index"), [(0, 0), (1, 1), (2, 0)])
def test_each_process_has_a_gpu_and_exact_arithmetic(imitated, local_rank, index):
    allow_tf32(True)
    assert find_device(local_rank) == torch.device("cuda", index)
    assert imitated == [torch.device("cuda", index)]
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.deterministic
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_gpu_that_torch_has_no_code_for_is_told(imitated, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (3, 7))
    with pytest.raises(UserError, match=r"V100.* has compute capability 3\.7.*older CUDA") as error:
        find_device()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("allowed", [True, False])
def test_tf32_is_allowed_for_all_products_or_none(allowed):
    allow_tf32(allowed)
    try:
        assert torch.backends.cudnn.allow_tf32 == allowed
        assert torch.backends.cuda.matmul.allow_tf32 == allowed
    finally:
        allow_tf32(False)


def test_each_kind_of_product_has_its_tf32_back():
    products = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [backend.allow_tf32 for backend in products]
    try:
        for backend, allowed in zip(products, (True, False), strict=True):
            backend.allow_tf32 = allowed
        with contextlib.suppress(KeyError), without_tf32():
            assert not any(backend.allow_tf32 for backend in products)
            raise KeyError
        assert [backend.allow_tf32 for backend in products] == [True, False]
    finally:
        for backend, allowed in zip(products, before, strict=True):
            backend.allow_tf32 = allowed
