"""Checkpoint files and the lock beside them."""

import json
import multiprocessing
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from upsampling.errors import UserError
from upsampling.training import checkpoint_file, distributed
from upsampling.training.lock import exclusive, started

TENSORS = {
    "b": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "a": torch.tensor(True),
    "step": torch.tensor(7.0, dtype=torch.float64),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "strided": torch.arange(6, dtype=torch.int32).reshape(2, 3).T,
}
META = {"epoch": 3, "loss": 0.1, "spec": {"name": "é"}}


@pytest.fixture
def file(tmp_path) -> Path:
    checkpoint_file.save(tmp_path / "x.safetensors", TENSORS, META)
    return tmp_path / "x.safetensors"


def test_what_is_saved_is_read_back_by_the_library(file):
    assert checkpoint_file.read_verified(file) == META
    loaded = load_file(file)
    assert loaded.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)
    again = file.with_name("again.safetensors")
    checkpoint_file.save(again, dict(reversed(TENSORS.items())), META)
    assert again.read_bytes() == file.read_bytes()


def test_every_flipped_bit_and_every_truncation_is_noticed(file):
    content = file.read_bytes()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        file.write_bytes(changed)
        with pytest.raises(UserError):
            checkpoint_file.read_verified(file)
    for length in range(len(content)):
        file.write_bytes(content[:length])
        with pytest.raises(UserError):
            checkpoint_file.read_verified(file)


def test_a_write_that_fails_leaves_the_old_file(file):
    content = file.read_bytes()
    with pytest.raises(KeyError):
        checkpoint_file.save(file, {"complex": torch.zeros(1, dtype=torch.complex64)}, META)
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def lock(folder: Path, **changes) -> Path:
    """Write the lock of a process that runs: this one's parent."""
    parent = os.getppid()
    content = {
        "host": socket.gethostname(),
        "pid": parent,
        "started": started(parent),
        "job": None,
    }
    path = folder / "lock.json"
    path.write_text(json.dumps(content | changes))
    return path


def test_a_living_process_keeps_its_lock(tmp_path):
    path = lock(tmp_path)
    content = path.read_text()
    with (
        pytest.raises(UserError, match=f"by process {os.getppid()} on .*delete {path}"),
        exclusive(tmp_path),
    ):
        pass
    assert path.read_text() == content


def zombie() -> subprocess.Popen:
    """A process that has ended, which this one has not noticed."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return process


def test_the_lock_of_a_process_that_is_gone_is_taken_over(tmp_path):
    lock(tmp_path, started="1")  # Another process has its number now.
    with exclusive(tmp_path):
        assert json.loads((tmp_path / "lock.json").read_text())["pid"] == os.getpid()
    assert not (tmp_path / "lock.json").exists()
    lock(tmp_path, pid=2**30)
    with exclusive(tmp_path):
        pass
    process = zombie()
    lock(tmp_path, pid=process.pid, started=started(process.pid) or "2")
    with exclusive(tmp_path):
        pass
    process.wait()
    (tmp_path / "lock.json").write_text("{")
    with pytest.raises(UserError, match=r"delete .*lock\.json"), exclusive(tmp_path):
        pass


def test_a_lock_of_another_host_counts_unless_its_job_runs_again(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")  # No SLURM answers here.
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    for job in (None, "16"):
        lock(tmp_path, host="elsewhere", job=job)
        with pytest.raises(UserError, match="on elsewhere"), exclusive(tmp_path):
            pass
    lock(tmp_path, host="elsewhere", job="17")
    with exclusive(tmp_path):
        pass
    lock(tmp_path, job="17")
    with pytest.raises(UserError, match=r"\(job 17\)"), exclusive(tmp_path):
        pass


def contend(folder: Path, begin, won, told) -> None:
    begin.wait()
    try:
        with exclusive(folder):
            won.put(os.getpid())
            told.wait()
    except UserError:
        won.put(None)


@pytest.mark.parametrize("stale", [False, True])
def test_of_many_that_start_together_one_gets_the_lock(tmp_path, stale):
    context = multiprocessing.get_context("fork")
    for _ in range(5):
        if stale:
            lock(tmp_path, pid=2**30)
        won, begin, told = context.SimpleQueue(), context.Barrier(8), context.Event()
        arguments = (tmp_path, begin, won, told)
        rivals = [context.Process(target=contend, args=arguments) for _ in range(8)]
        for rival in rivals:
            rival.start()
        results = [won.get() for _ in rivals]
        told.set()
        for rival in rivals:
            rival.join()
        assert len([pid for pid in results if pid]) == 1


SRUN = {"SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "41234"}
PLACES = [
    ({}, (0, 1, 0)),
    ({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}, (3, 4, 1)),
    # torchrun inside a job: its own variables count.
    (SRUN | {"RANK": "0", "WORLD_SIZE": "2", "SLURM_STEP_NUM_TASKS": "1"}, (0, 2, 0)),
    (SRUN | {"SLURM_STEP_NUM_TASKS": "8", "MASTER_ADDR": "gpu1"}, (5, 8, 1)),
    (SRUN | {"SLURM_NTASKS": "8", "MASTER_ADDR": "gpu1", "MASTER_PORT": "29500"}, (5, 8, 1)),
    # A batch script with many tasks, and a step of one: one process each.
    (SRUN | {"SLURM_NTASKS": "8"}, (0, 1, 0)),
    (SRUN | {"SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "1", "MASTER_ADDR": "a"}, (0, 1, 0)),
]


@pytest.mark.parametrize(("variables", "expected"), PLACES)
def test_place_among_processes(monkeypatch, variables, expected):
    for name in [*os.environ]:
        if name.startswith(("SLURM_", "MASTER_", "RANK", "WORLD_SIZE", "LOCAL_RANK")):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert distributed.rank_and_world_size() == expected
    if expected[1] == 8:
        assert os.environ["MASTER_PORT"] == variables.get("MASTER_PORT", "21234")
    monkeypatch.delenv("MASTER_PORT", raising=False)


def test_hosts_that_nobody_tells_are_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="export MASTER_ADDR and MASTER_PORT"):
        distributed.first_host("gpu[1-2]")
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho $3-first\necho second\n")
    (tmp_path / "scontrol").chmod(0o755)
    assert distributed.first_host("gpu") == "gpu-first"
