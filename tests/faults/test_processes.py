"""One, two or four processes give the same batches and losses, with every launcher."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import training_runs as small

# Rounding of float32 gradients that are summed in another order, after 50 steps.
SPLIT = 1e-5
# Epochs of one step, so that the history has the loss of each.
STEPS = {"epochs": 50, "examples_per_epoch": 4, "validation_seconds": 0.25}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return small.write_store(tmp_path_factory.mktemp("processes") / "store")


@pytest.fixture(scope="module")
def one_process(store, tmp_path_factory) -> np.ndarray:
    folder = tmp_path_factory.mktemp("one")
    small.train(small.arguments(store, folder, **STEPS))
    return history(folder)


def history(folder: Path) -> np.ndarray:
    """Epoch, training loss and validation loss of each epoch."""
    return np.loadtxt(folder / "model" / "history.csv", delimiter=",", skiprows=1)


def compare(name: str, losses: np.ndarray, expected: np.ndarray) -> None:
    assert losses.shape == (50, 3)
    difference = np.abs(losses[:, 1:] - expected[:, 1:]).max(axis=0)
    print(f"{name}: largest difference of a training loss {difference[0]:.1e}, "
          f"of a validation loss {difference[1]:.1e}, in 50 steps")  # fmt: skip
    np.testing.assert_allclose(losses, expected, atol=SPLIT, rtol=SPLIT)
    assert expected[-1, 1] < 0.8 * expected[0, 1]


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_the_same_batches(store, one_process, tmp_path, processes):
    small.train(small.arguments(store, tmp_path, "--processes", str(processes), **STEPS))
    compare(f"{processes} processes", history(tmp_path), one_process)


def test_uneven_shares_and_micro_batches(store, one_process, tmp_path):
    """Three processes have 1, 1 and 2 of a batch's 4 examples, in micro-batches of one."""
    options = ("--processes", "3", "--micro-batch", "1")
    small.train(small.arguments(store, tmp_path, *options, **STEPS))
    compare("3 processes, micro-batches of 1", history(tmp_path), one_process)


def test_torchrun_starts_the_processes(store, one_process, tmp_path):
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    small.train([*command, *small.arguments(store, tmp_path, **STEPS)])
    compare("torchrun", history(tmp_path), one_process)


def test_processes_started_by_srun_find_each_other(store, one_process, tmp_path):
    """Each has the variables of a task of srun."""
    command = [sys.executable, *small.arguments(store, tmp_path, **STEPS)]
    port = small.free_port()
    tasks = []
    for rank in range(2):
        variables = {
            "SLURM_JOB_ID": "7",
            "SLURM_PROCID": str(rank),
            "SLURM_LOCALID": "0",
            "SLURM_NTASKS": "2",
            "SLURM_STEP_NUM_TASKS": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
        tasks.append(subprocess.Popen(command, cwd=small.ROOT, env=small.environment(**variables)))
    assert [task.wait(120) for task in tasks] == [0, 0]
    compare("srun's variables", history(tmp_path), one_process)


def test_a_run_continues_with_another_number_of_processes(store, one_process, tmp_path):
    for epochs, processes in ((10, "2"), (30, "1"), (50, "4")):
        changes = STEPS | {"epochs": epochs}
        small.train(small.arguments(store, tmp_path, "--processes", processes, **changes))
    compare("2, then 1, then 4 processes", history(tmp_path), one_process)


def test_several_processes_resume_to_the_same_bytes(store, tmp_path):
    """If the number of processes stays the same, an interruption changes no byte."""
    for epochs in (1, 3):
        small.train(small.arguments(store, tmp_path / "parts", "--processes", "2", epochs=epochs))
    small.train(small.arguments(store, tmp_path / "whole", "--processes", "2"))
    assert small.results(tmp_path / "parts") == small.results(tmp_path / "whole")
