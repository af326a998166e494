"""A store, and a run that nothing disturbed, for all tests of training."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import training_runs as small


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """With one thread, sums are in the same order as in other processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    return small.write_store(tmp_path_factory.mktemp("training") / "store")


@pytest.fixture(scope="session")
def undisturbed(store, tmp_path_factory) -> Path:
    """An uninterrupted run of three epochs; its checkpoints are those after epochs 2 and 3."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("undisturbed")
    small.train_here(store, folder)
    return folder


@pytest.fixture
def continued(undisturbed, tmp_path) -> Path:
    """A copy of its checkpoints, to damage."""
    shutil.copytree(undisturbed / "checkpoints", tmp_path / "checkpoints")
    return tmp_path
