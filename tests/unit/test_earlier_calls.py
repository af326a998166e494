"""A call that is alone in its folder clears what a killed one left; others touch nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from upsampling import earlier_calls
from upsampling.errors import UserError

PATH = {"PYTHONPATH": str(Path(earlier_calls.__file__).parents[1])}
CALL = """
import sys, time
from pathlib import Path
from upsampling.earlier_calls import join_calls
print(join_calls(Path(".snakemake"), lambda line: print(line, file=sys.stderr)), flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(earlier_calls.MARK, raising=False)
    return tmp_path


def call(seconds: float = 0) -> tuple[subprocess.Popen, bool]:
    """A living process that joined the calls of this folder, and whether it is alone."""
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | PATH,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip() == "True"


def lock() -> Path:
    path = Path(".snakemake/locks/0.input.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("file")
    return path


def test_the_lock_of_a_killed_call_is_removed():
    first, alone = call(60)
    assert alone
    stale = lock()
    first.kill()
    first.wait()
    assert call()[1]
    assert not stale.exists()


def test_the_lock_of_a_living_call_stays():
    first, alone = call(60)
    assert alone
    held = lock()
    second, alone = call(60)
    assert not alone
    first.kill()
    first.wait()
    # The second one may have locks of its own.
    assert not call()[1]
    assert held.exists()
    second.kill()


def test_a_lock_that_another_host_may_hold_stays():
    Path(".snakemake").mkdir()
    Path(".snakemake/calls.lock").write_text("another-host")
    held = lock()
    assert not call()[1]
    assert held.exists()


def job(command: str, **environment: str) -> subprocess.Popen:
    variables = os.environ | {earlier_calls.MARK: str(Path.cwd())} | environment
    process = subprocess.Popen(["bash", "-c", f"echo; {command}"], env=variables,
                               stdout=subprocess.PIPE)  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_jobs_of_a_killed_call_are_ended_and_others_are_not():
    orphan = job("exec sleep 60")
    others = [
        job("exec sleep 60", SLURM_JOB_ID="17"),
        job("exec sleep 60", **{earlier_calls.MARK: f"{Path.cwd()}/elsewhere"}),
    ]
    said: list[str] = []
    earlier_calls.end_orphans(said.append)
    assert orphan.wait(10) == -signal.SIGTERM
    assert str(orphan.pid) in said[0]
    for other in others:
        assert other.poll() is None
        other.kill()
    earlier_calls.end_orphans(said.append)
    assert len(said) == 1


def test_a_job_that_does_not_end_is_named():
    stubborn = job("trap '' TERM; echo; while true; do sleep 0.1; done")
    assert stubborn.stdout is not None
    stubborn.stdout.readline()
    begun = time.monotonic()
    with pytest.raises(UserError, match=f"kill -9 .*{stubborn.pid}"):
        earlier_calls.end_orphans(lambda line: None, patience=0.5)
    assert time.monotonic() - begun < 10
    stubborn.kill()


def test_a_process_does_not_end_itself():
    program = "from upsampling import earlier_calls; earlier_calls.end_orphans(print)"
    variables = os.environ | PATH | {earlier_calls.MARK: str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")
