"""SLURM queries: the job of this process, other jobs, and requeueing.

Standard library only. Outside of SLURM, or when SLURM does not answer, each function returns the
value that changes nothing.
"""

import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Longer than SLURM takes to end a requeued job.
REQUEUE_SECONDS = 300
# A controller that restarts answers again within this time.
ANSWER_SECONDS = 60
POLL_SECONDS = 15
# Minutes of a job that Snakemake needs after its program has ended.
EXIT_MINUTES = 0.2
LIVE_STATES = ("RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED", "SIGNALING")
# All jobs of one Snakemake process have the same name, which ends in a UUID.
SNAKEMAKE_JOB_NAME = re.compile(r".*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def current_job() -> str | None:
    """The ID of the job that this process is part of; None outside of SLURM."""
    return os.environ.get("SLURM_JOB_ID")


def squeue(*options: str) -> str | None:
    """Output of `squeue --noheader`: '' for a job that SLURM has forgotten, None on failure."""
    command = ["squeue", "--noheader", *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return "" if "Invalid job id" in done.stderr else None
    return done.stdout


def may_be_alive(job: str) -> bool:
    """True if the job may have running processes, or if SLURM does not answer."""
    state = squeue(f"--jobs={job}", "--format=%T")
    return state is None or state.strip() in LIVE_STATES


def minutes_left() -> float:
    """Minutes until SLURM ends the job of this process; infinite without a limit or a job."""
    return minutes(_of_this_job("%L")) - EXIT_MINUTES


def minutes(duration: str) -> float:
    """A duration in SLURM's notation, `[days-][hours:]minutes:seconds`; infinite for a word."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", duration)
    if match is None:
        return math.inf
    days, hours, whole, seconds = (int(part or 0) for part in match.groups())
    return (days * 24 + hours) * 60 + whole + seconds / 60


def cpus() -> int | None:
    """Number of CPUs of the job of this process, over all its nodes; None outside of SLURM."""
    answer = _of_this_job("%C")
    return int(answer) if answer.isdigit() else None


def _of_this_job(field: str) -> str:
    """SLURM's answer for this process's job; '' without a job or an answer."""
    job = current_job()
    return (squeue(f"--jobs={job}", f"--format={field}") or "").strip() if job else ""


@contextmanager
def requeue_on_exit(status: int, folder: Path, pattern: str) -> Iterator[None]:
    """Requeue the job of this process if the block exits with `status`.

    SLURM then ends the job and starts it again under the same ID. The job is not requeued if the
    block made no progress, that is, if the files of `folder` that match `pattern` are the same as
    before, nor if SLURM is ending the job already, as after scancel. Then the exit status alone
    tells that the job is unfinished.
    """
    before = set(folder.glob(pattern))
    try:
        yield
    except SystemExit as end:
        if end.code == status and _of_this_job("%T") == "RUNNING":
            job = str(current_job())
            idle = set(folder.glob(pattern)) == before
            problem = "it made no progress; give it more time" if idle else requeue(job)
            if not problem:
                print(f"job {job} is requeued", file=sys.stderr, flush=True)
                time.sleep(REQUEUE_SECONDS)
            reason = problem or "SLURM has not ended it"
            print(f"job {job} is not requeued: {reason}", file=sys.stderr)
        raise


def requeue(job: str) -> str:
    """Requeue `job`; return SLURM's error message, '' on success."""
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True)
    return (done.stderr.strip() or "scontrol failed") if done.returncode else ""


def snakemake_jobs(folder: Path) -> dict[str, str]:
    """Comments, by job ID, of this user's jobs that Snakemake submitted from `folder`."""
    jobs = {}
    for line in (squeue("--me", "--format=%i|%j|%k|%Z") or "").splitlines():
        job, name, comment, submitted_from = line.strip().split("|", 3)
        if SNAKEMAKE_JOB_NAME.fullmatch(name) and Path(submitted_from) == folder:
            jobs[job] = comment
    return jobs


def wait_for_snakemake_jobs(folder: Path, report: Callable[[str], None]) -> None:
    """Return when no job that an earlier Snakemake process submitted from `folder` is left.

    When Snakemake is killed, its jobs continue. A second submission would let two jobs write the
    same files; their results, once written, count like any others. `report` gets a message for
    each new set of jobs.
    """
    reported: set[str] = set()
    while jobs := snakemake_jobs(folder):
        if set(jobs) - reported:
            names = ", ".join(f"{job} ({comment})" for job, comment in jobs.items())
            report(
                f"Waiting for jobs of a Snakemake that was killed: {names}. "
                f"To end them now: scancel {' '.join(jobs)} "
                "(training resumes from its checkpoints)."
            )
            reported.update(jobs)
        time.sleep(POLL_SECONDS)
