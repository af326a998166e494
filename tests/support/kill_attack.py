"""The whole pipeline, and each program, killed at random moments and run again."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
from finished_run import FinishedRun, Job, Sandbox, guarded_file
from tally import Tally

from upsampling.files import TEMPORARY

COMMAND = (sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "rules")
PROJECT = ("scripts", "rules", "envs", "schemas", "profiles", "report", "resources", "docs")
FILES = ("Snakefile", "config.yaml")
LONGEST_RUN = 3600.0
# Files that hold the seconds of epochs beside other content.
TIMED = ("/checkpoints/", "/tables/table1", "/report/gallery.html", "/supplement/supplement.pdf")
TABLE = "results/demo/tables/table1.csv"


def copy_code(source: Path, target: Path) -> None:
    """Copy a project without its data and results."""
    target.mkdir(parents=True)
    for name in PROJECT:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, symlinks=True)
    for name in FILES:
        shutil.copy2(source / name, target / name)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the pipeline in a process group of its own; messages go to messages.txt."""
    with open(folder / "messages.txt", "wb") as messages:
        return subprocess.Popen(
            COMMAND,
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=messages,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all of its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def attack_programs(tally: Tally, run: FinishedRun, box: Sandbox, kills: int) -> None:
    """Kill each program in turn at a random moment of its work from scratch, then run it again."""
    choice = random.Random(tally.seed)
    jobs = [choice.choice(list(group)) for group in run.by_program().values()]
    seconds: dict[Job, float] = {}
    for number in range(kills):
        job = jobs[number % len(jobs)]
        box.clear(job)
        if job not in seconds:
            started = time.monotonic()
            job.run(box.root)
            seconds[job] = time.monotonic() - started
            box.restore()
            box.clear(job)
        first = job.run(box.root, limit=choice.uniform(0, seconds[job]))
        again = job.run(box.root)
        what = f"{job.rule}: {again.output[-500:]}"
        if again.status:
            tally.failed("not run again", what)
        elif different := [name for name in box.changed() if "/checkpoints/" not in name]:
            tally.failed("other bytes", f"{what} {different[:5]}")
        elif left := [path for path in box.added() if TEMPORARY.fullmatch(path.name)]:
            tally.failed("temporary files stay", f"{what} {left}")
        else:
            tally.survived("ended before its kill" if first.in_time else "killed, then same bytes")
        box.restore()


def attack(tally: Tally, run: FinishedRun, folder: Path, kills: int, longest_wait: float) -> None:
    """Kill runs until there were `kills`; a run that ends before its kill is compared and redone.

    Snakemake alone is killed, so that its jobs go on, or it and all of its jobs, as by a power cut.
    """
    choice = random.Random(tally.seed)
    project = folder / "project"
    copy_code(run.root, project)
    done = 0
    while done < kills:
        process = start(project)
        deadline = time.monotonic() + choice.uniform(0.2, longest_wait)
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        if process.poll() is None:
            alone = choice.random() < 0.5
            if alone:
                process.kill()
                process.wait()
            else:
                end_group(process)
            done += 1
            tally.survived("Snakemake killed" if alone else "Snakemake and its jobs killed")
        else:
            compare(tally, run, project, process.returncode)
            for name in ("data", "results", "logs"):
                shutil.rmtree(project / name, ignore_errors=True)
    process = start(project)
    compare(tally, run, project, process.wait(LONGEST_RUN))
    end_group(process)


def compare(tally: Tally, run: FinishedRun, project: Path, status: int) -> None:
    """Check a run that ended: without failure, and with the bytes of the undisturbed run."""
    messages = (project / "messages.txt").read_text(errors="replace")
    if status or "Traceback" in messages:
        tally.failures.append(f"a continued run ended with status {status}: {messages[-1500:]}")
        return
    box = Sandbox(run, project)
    different = [
        name for name in box.changed() if not any(part in guarded_file(name) for part in TIMED)
    ]
    tables = [pd.read_csv(root / TABLE).filter(regex="^(?!epoch_)") for root in (run.root, project)]
    if not tables[0].equals(tables[1]):
        different.append(TABLE)
    if different:
        tally.failures.append(f"other bytes after kills: {different[:10]}")
    if left := [path for path in box.added() if TEMPORARY.fullmatch(path.name)]:
        tally.failures.append(f"temporary files stay: {left[:5]}")
