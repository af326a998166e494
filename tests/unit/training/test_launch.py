"""Ranks as torchrun and srun set them, and the commands that start processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from upsampling.errors import UserError
from upsampling.training import launch

SCRIPTS = Path(__file__).parents[3] / "scripts"
SRUN = {"SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "41234"}
LAUNCHERS = ("SLURM_", "MASTER_", "RANK", "WORLD_SIZE", "LOCAL_RANK")
RANKS = [
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


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No variable of a launcher, before and after."""
    for name in [*os.environ]:
        if name.startswith(LAUNCHERS):
            monkeypatch.delenv(name)
    for name in ("MASTER_ADDR", "MASTER_PORT", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def program(folder, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(("variables", "expected"), RANKS)
def test_ranks_come_from_the_environment(monkeypatch, variables, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert launch.rank_and_world_size() == expected
    assert launch.is_launched() == (expected[1] > 1)
    if expected[1] == 8:
        assert os.environ["MASTER_PORT"] == variables.get("MASTER_PORT", "21234")


def test_the_first_host_is_expanded_by_scontrol(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="export MASTER_ADDR and MASTER_PORT"):
        launch.first_host("gpu[1-2]")
    program(tmp_path, "scontrol", "echo $3-first\necho second")
    assert launch.first_host("gpu") == "gpu-first"


@pytest.mark.skipif(torch.cuda.device_count() > 1, reason="0 means a process for each GPU")
@pytest.mark.parametrize("processes", [0, 1])
def test_one_process_needs_no_launcher(processes):
    launch.launch(processes)


@pytest.mark.parametrize("status", [0, 3])
def test_processes_run_the_program_and_the_first_one_exits_as_they_do(tmp_path, status):
    (tmp_path / "program.py").write_text(
        "import os, sys\n"
        "from upsampling.training.launch import launch\n"
        "launch(2)\n"
        "print('rank', os.environ.get('RANK'), flush=True)\n"
        f"sys.exit({status})\n"
    )
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py"],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == status
    ranks = sorted(line for line in done.stdout.splitlines() if line.startswith("rank"))
    assert ranks == ["rank 0", "rank 1"] or (status and set(ranks) <= {"rank 0", "rank 1"})


@pytest.mark.parametrize(
    ("threads", "processes", "share"), [("8", 2, "4"), ("3", 2, "1"), ("1", 4, "1")]
)
def test_processes_share_the_threads(monkeypatch, threads, processes, share):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    launch.share_threads(processes)
    assert os.environ["OMP_NUM_THREADS"] == share


def test_several_nodes_need_a_slurm_job(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="--nodes 2 needs a SLURM job"):
        launch.launch(4, 2)


def test_srun_starts_the_processes_of_several_nodes(monkeypatch, tmp_path):
    """The job has 24 CPUs on two nodes: 6 for each of 4 processes."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("OMP_NUM_THREADS", "12")
    monkeypatch.setattr(sys, "argv", ["train.py", "--seed", "0"])
    program(tmp_path, "squeue", "echo 24")
    program(
        tmp_path,
        "srun",
        f'echo "$@" "$OMP_NUM_THREADS" "$MASTER_PORT" > {tmp_path}/called\nexit 75',
    )
    with pytest.raises(SystemExit) as end:
        launch.launch(2, 2, "nearest_seed0")
    assert end.value.code == 75
    *words, threads, port = (tmp_path / "called").read_text().split()
    assert words == [
        "--job-name=nearest_seed0", "--nodes=2", "--ntasks=4", "--ntasks-per-node=2",
        "--cpus-per-task=6", "--kill-on-bad-exit=1", sys.executable, "train.py", "--seed", "0",
    ]  # fmt: skip
    assert threads == "6"
    assert 1024 <= int(port) < 65536
