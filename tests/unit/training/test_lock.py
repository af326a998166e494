"""One trainer per folder: living holders keep their lock, ended ones lose it."""

import json
import multiprocessing
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from upsampling.errors import UserError
from upsampling.process_state import start_ticks
from upsampling.training.lock import exclusive


def lock(folder: Path, **changes) -> Path:
    """Write the lock of a living process: this one's parent."""
    parent = os.getppid()
    content = {
        "host": socket.gethostname(),
        "pid": parent,
        "started": start_ticks(parent),
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
    """A process that has ended, and whose status this one has not read."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return process


def test_the_lock_of_an_ended_process_is_taken_over(tmp_path):
    lock(tmp_path, started="1")  # Another process has its ID now.
    with exclusive(tmp_path):
        assert json.loads((tmp_path / "lock.json").read_text())["pid"] == os.getpid()
    assert not (tmp_path / "lock.json").exists()
    lock(tmp_path, pid=2**30)
    with exclusive(tmp_path):
        pass
    process = zombie()
    lock(tmp_path, pid=process.pid, started=start_ticks(process.pid) or "2")
    with exclusive(tmp_path):
        pass
    process.wait()


def test_an_unreadable_lock_is_not_taken_over(tmp_path):
    (tmp_path / "lock.json").write_text("{")
    with pytest.raises(UserError, match=r"delete .*lock\.json"), exclusive(tmp_path):
        pass


def test_a_lock_that_was_replaced_is_left_to_its_new_holder(tmp_path):
    with exclusive(tmp_path):
        path = lock(tmp_path)
    assert json.loads(path.read_text())["pid"] == os.getppid()


def test_a_lock_of_another_host_holds_unless_its_job_runs_again(tmp_path, monkeypatch):
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
def test_of_several_that_start_together_one_gets_the_lock(tmp_path, stale):
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
