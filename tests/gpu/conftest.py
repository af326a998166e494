"""The device under test, beside the CPU as reference.

`pytest tests/gpu` needs a CUDA device; `--device cpu` runs the same tests with the CPU in its
place. Only torch, NumPy, safetensors and pytest are needed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import training_runs as small

from upsampling.training.device import allow_tf32, find_device
from upsampling.training.distributed import Group

NO_GPU = "no CUDA device here; --device cpu runs these tests on the CPU"


def pytest_addoption(parser):
    parser.addoption("--device", choices=("cuda", "cpu"), default="cuda", help="under test")


def pytest_configure(config):
    if config.getoption("--device", None) == "cuda" and not torch.cuda.is_available():
        pytest.exit(NO_GPU, returncode=0)
    if config.getoption("--device", "cuda") == "cpu":
        # Also for the processes that tests start.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


@pytest.fixture(autouse=True)
def usual_state(request) -> Iterator[None]:
    """One CPU thread, whose sums are in the same order as in other processes; no TF32."""
    if request.config.getoption("--device", "cuda") == "cuda" and not torch.cuda.is_available():
        pytest.skip(NO_GPU)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    allow_tf32(False)


@pytest.fixture(scope="session")
def device() -> torch.device:
    return find_device()


@pytest.fixture(scope="session")
def group(device) -> Group:
    return Group(device)


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    return small.write_store(tmp_path_factory.mktemp("gpu") / "store")
