"""What a program asks SLURM: about the job it runs in, about others, and to be queued again.

Standard library only. Where there is no SLURM, or it does not answer, each function says so by the
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

# Longer than SLURM takes to end a job that it queues again.
ENDING_SECONDS = 300
# A controller that is being restarted answers again within that.
ANSWER_SECONDS = 60
SECONDS_BETWEEN_LOOKS = 15
# Minutes of a job that Snakemake needs after its program has ended.
AFTERWARDS = 0.2
STATES_AT_WORK = ("RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED", "SIGNALING")
# Snakemake calls all jobs of one call by one name, which ends in a UUID.
NAME_OF_A_CALL = re.compile(r".*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def own_job() -> str | None:
    """The number of the job that this process is part of; None outside of SLURM."""
    return os.environ.get("SLURM_JOB_ID")


def squeue(*options: str) -> str | None:
    """What `squeue --noheader` prints; '' for a job it no longer knows, None if it cannot tell."""
    command = ["squeue", "--noheader", *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return "" if "Invalid job id" in done.stderr else None
    return done.stdout


def at_work(job: str) -> bool:
    """Whether the job may have living processes; True if SLURM cannot tell."""
    state = squeue(f"--jobs={job}", "--format=%T")
    return state is None or state.strip() in STATES_AT_WORK


def minutes_left() -> float:
    """For this process, until SLURM ends its job; infinite without a limit, or outside of SLURM."""
    job = own_job()
    answer = squeue(f"--jobs={job}", "--format=%L") if job else None
    return minutes(answer.strip()) - AFTERWARDS if answer else math.inf


def minutes(duration: str) -> float:
    """A duration as SLURM writes it, `[days-][hours:]minutes:seconds`; infinite for words."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", duration)
    if match is None:
        return math.inf
    days, hours, whole, seconds = (int(part or 0) for part in match.groups())
    return (days * 24 + hours) * 60 + whole + seconds / 60


def cpus() -> int | None:
    """How many CPUs this process's job has, over all of its nodes; None outside of SLURM."""
    job = own_job()
    answer = squeue(f"--jobs={job}", "--format=%C") if job else None
    return int(answer) if answer and answer.strip().isdigit() else None


@contextmanager
def queued_again(status: int, folder: Path, pattern: str) -> Iterator[None]:
    """Give this process's job back to the queue where the block ends with exit status `status`.

    SLURM then ends the job and starts it anew, under the same number. That is not done for ever in
    vain: only if the block changed which files of `folder` match `pattern`. A job that SLURM ends
    already, since it was cancelled, is left alone. In these cases the status alone tells that the
    job is unfinished.
    """
    before = set(folder.glob(pattern))
    try:
        yield
    except SystemExit as end:
        job = own_job()
        state = squeue(f"--jobs={job}", "--format=%T") if job and end.code == status else None
        if state and state.strip() == "RUNNING":
            idle = set(folder.glob(pattern)) == before
            problem = "it achieved nothing; give it more time" if idle else requeue(str(job))
            if not problem:
                print(f"job {job} is queued again", file=sys.stderr, flush=True)
                time.sleep(ENDING_SECONDS)
            print(f"job {job} is not queued again: {problem}", file=sys.stderr)
        raise


def requeue(job: str) -> str:
    """Give `job` back to the queue; what SLURM has against it, '' if nothing."""
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True)
    return (done.stderr.strip() or "scontrol failed") if done.returncode else ""


def calls_jobs(folder: Path) -> dict[str, str]:
    """This user's jobs that Snakemake submitted from `folder`: what each is for, by its number."""
    jobs = {}
    for line in (squeue("--me", "--format=%i|%j|%k|%Z") or "").splitlines():
        number, name, comment, submitted_from = line.strip().split("|", 3)
        if NAME_OF_A_CALL.fullmatch(name) and Path(submitted_from) == folder:
            jobs[number] = comment
    return jobs


def wait_for_calls(folder: Path, say: Callable[[str], None]) -> None:
    """Return when no job is left that an earlier call of Snakemake submitted from `folder`.

    Where Snakemake itself was killed, its jobs go on. Submitting them a second time would make two
    copies write the same files; their results, once there, count like any others.
    """
    told: set[str] = set()
    while jobs := calls_jobs(folder):
        if set(jobs) - told:
            names = ", ".join(f"{number} ({purpose})" for number, purpose in jobs.items())
            say(
                f"Waiting for jobs of an earlier call, whose Snakemake is gone: {names}. "
                f"To end them now: scancel {' '.join(jobs)} "
                "(training goes on from its checkpoints)."
            )
            told.update(jobs)
        time.sleep(SECONDS_BETWEEN_LOOKS)
