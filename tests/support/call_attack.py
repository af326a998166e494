"""Calls of Snakemake where logs, results or the whole folder are on a full or read-only disk."""

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from disk_attack import remount, small_disk
from finished_run import FinishedRun, Job, Sandbox
from forked import give_up_capabilities
from kill_attack import copy_code
from tally import Tally

LONGEST_CALL = 600.0
# Bytes; jobs that read more take longer.
LARGEST_INPUT = 10_000_000


def call(project: Path, target: str, privileged: bool = True) -> subprocess.CompletedProcess[str]:
    """Make `target` once more, by the user's command."""
    options = ["--cores", "1", "--quiet", "rules", "--rerun-triggers", "mtime", "--force", target]
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *options],
        cwd=project,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LONGEST_CALL,
        preexec_fn=None if privileged else give_up_capabilities,
    )


def fill(folder: Path) -> None:
    """Leave no room on the disk of `folder`."""
    with open(folder / "filler", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free)


@contextmanager
def full_logs(project: Path) -> Iterator[None]:
    with small_disk(project / "logs") as logs:
        fill(logs)
        yield


@contextmanager
def read_only_logs(project: Path) -> Iterator[None]:
    with small_disk(project / "logs") as logs:
        remount(logs, "ro")
        yield


@contextmanager
def file_for_logs(project: Path) -> Iterator[None]:
    (project / "logs").rename(project / "kept")
    (project / "logs").write_text("x")
    yield
    (project / "logs").unlink()
    (project / "kept").rename(project / "logs")


@contextmanager
def forbidden(folders: list[Path]) -> Iterator[None]:
    """Nothing new may be written into `folders`."""
    for folder in folders:
        folder.chmod(0o555)
    yield
    for folder in folders:
        folder.chmod(0o755)


def below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_dir()]


def forbidden_logs(project: Path) -> AbstractContextManager[None]:
    return forbidden([project / "logs", *below(project / "logs")])


def forbidden_results(project: Path) -> AbstractContextManager[None]:
    return forbidden(below(project / "results"))


@contextmanager
def full_disk(project: Path) -> Iterator[None]:
    fill(project)
    yield
    (project / "filler").unlink()


@contextmanager
def read_only_disk(project: Path) -> Iterator[None]:
    remount(project, "ro")
    yield
    remount(project, "rw")


@contextmanager
def own_disk(project: Path) -> Iterator[Path]:
    """Put the results on a disk of their own, and their changes back afterwards."""
    results, kept = project / "results", project / "kept"
    results.rename(kept)
    with small_disk(results):
        shutil.copytree(kept, results, dirs_exist_ok=True)
        yield results
        remount(results, "rw")
        (results / "filler").unlink(missing_ok=True)
        shutil.rmtree(kept)
        shutil.copytree(results, kept)
    results.rmdir()
    kept.rename(results)


@contextmanager
def full_results(project: Path) -> Iterator[None]:
    with own_disk(project) as results:
        fill(results)
        yield


@contextmanager
def read_only_results(project: Path) -> Iterator[None]:
    with own_disk(project) as results:
        remount(results, "ro")
        yield


FAULTS: tuple[Callable, ...] = (
    full_logs, read_only_logs, file_for_logs, forbidden_logs, full_disk, read_only_disk,
    full_results, read_only_results, forbidden_results,
)  # fmt: skip
UNPRIVILEGED = (forbidden_logs, forbidden_results)


def messages(project: Path, ended: subprocess.CompletedProcess[str]) -> str:
    """What a call printed, and the logs that it names."""
    logs = {project / name for name in re.findall(r"logs/\S+\.log", ended.stdout)}
    texts = [path.read_text(errors="replace") for path in sorted(logs) if path.is_file()]
    return "\n".join([ended.stdout, *texts])


def quick_jobs(run: FinishedRun) -> list[Job]:
    """A job of each program that reads little, and neither reads nor writes a model."""
    found = []
    for group in run.by_program().values():
        job = group[0]
        paths = [run.root / name for name in job.inputs]
        sizes = [path.stat().st_size for path in paths if path.is_file()]
        models = any(name.endswith(".safetensors") for name in job.inputs | job.outputs)
        if sizes and not models and sum(sizes) < LARGEST_INPUT and job.outputs:
            found.append(job)
    return found


def attack(tally: Tally, run: FinishedRun, folder: Path, count: int) -> None:
    """Make `count` calls, each with a fault, and then without it."""
    choice = random.Random(tally.seed)
    jobs = quick_jobs(run)
    attempts = [(job, fault) for job in jobs for fault in FAULTS]
    choice.shuffle(attempts)
    with small_disk(folder / "disk") as disk:
        project = disk / "project"
        copy_code(run.root, project)
        shutil.copytree(run.root / ".snakemake", project / ".snakemake", symlinks=True)
        shutil.copytree(run.root / "logs", project / "logs")
        box = Sandbox.copy(run, project)
        # A mount of its own, whose state can change.
        subprocess.run(["mount", "--bind", project, project], check=True)
        try:
            for job, fault in attempts[:count]:
                attack_one(tally, box, job, fault, choice)
        finally:
            subprocess.run(["umount", "-l", project], check=True)


def attack_one(
    tally: Tally, box: Sandbox, job: Job, fault: Callable, choice: random.Random
) -> None:
    """Call with one fault; then, if the job failed, without it."""
    target = choice.choice(sorted(job.outputs))
    box.clear(job)
    with fault(box.root):
        first = call(box.root, target, fault not in UNPRIVILEGED)
    what = f"{job.rule}, {fault.__name__}: {first.stdout[-3000:]}"
    told = [line for line in messages(box.root, first).splitlines() if line.startswith("error: ")]
    if "Traceback" in messages(box.root, first) or (first.returncode and not told):
        tally.failed("gave a traceback or no message", what)
    elif not first.returncode:
        different = list(box.changed())
        how = f"{fault.__name__}: done, same bytes"
        tally.failed("other bytes", f"{what} {different}") if different else tally.survived(how)
    else:
        again = call(box.root, target)
        good = not again.returncode and not list(box.changed())
        how = f"{fault.__name__}: one line, then same bytes"
        tally.survived(how) if good else tally.failed("did not go on", f"{what} {again.stdout}")
    box.restore()
