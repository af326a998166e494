"""Jobs in other processes: all results, the first error, and no process left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from upsampling.errors import UserError
from upsampling.tracks.processes import run_jobs

SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.mark.parametrize("workers", [1, 3])
def test_every_job_runs_once_in_any_order(workers):
    results = list(run_jobs(pow, [(number, 2) for number in range(10)], workers))
    assert sorted(results) == [number**2 for number in range(10)]
    if workers == 1:
        assert results == sorted(results)


def test_several_workers_are_other_processes():
    processes = set(run_jobs(os.getpid, [()] * 4, 2))
    assert os.getpid() not in processes
    assert set(run_jobs(os.getpid, [()] * 4, 1)) == {os.getpid()}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_error_is_raised(workers):
    with pytest.raises(ZeroDivisionError):
        list(run_jobs(divmod, [(1, 1), (1, 0), (2, 1)], workers))


def test_a_process_that_is_killed_is_one_line():
    with pytest.raises(UserError, match=r"^one of 2 processes was killed, .* fewer --cores$"):
        list(run_jobs(signal.raise_signal, [(signal.SIGKILL,)] * 2, 2))


def test_workers_exit_when_their_parent_is_killed(tmp_path):
    """A killed parent cannot tell its workers to stop; they would wait for jobs forever."""
    program = tmp_path / "parent.py"
    program.write_text(
        "import os, pathlib, time\n"
        "from upsampling.tracks.processes import run_jobs\n"
        "def work(folder):\n"
        "    pathlib.Path(folder, str(os.getpid())).touch()\n"
        "    time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        f"    list(run_jobs(work, [({str(tmp_path / 'started')!r},)] * 2, 2))\n"
    )
    (tmp_path / "started").mkdir()
    parent = subprocess.Popen(
        [sys.executable, str(program)], env=os.environ | {"PYTHONPATH": str(SCRIPTS)}
    )
    workers: list[int] = []
    while len(workers) < 2:
        assert parent.poll() is None
        time.sleep(0.02)
        workers = [int(path.name) for path in (tmp_path / "started").iterdir()]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    limit = time.monotonic() + 30
    while alive := [pid for pid in workers if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < limit, alive
        time.sleep(0.02)
