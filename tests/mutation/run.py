"""Change the package in many small ways, one at a time, and count the changes that tests notice.

    python tests/mutation/run.py --seed 0 --mutants 320 --output mutation.md

Each mutant runs in a copy of the project: first the test file of its module, then, if that passes,
the tests of its room. A mutant survives if all pass. Rooms get shares by their numbers of lines.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

import pytest
from mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]
PACKAGE = Path("scripts/upsampling")
SECONDS = 600
# Imported once, before the processes of tests fork.
PRELOADED = ("numpy", "pandas", "scipy.signal", "torch", "matplotlib")


@dataclass(frozen=True)
class Trial:
    """A mutant of one module, by its path below the package."""

    module: Path
    mutant: Mutant

    @property
    def room(self) -> str:
        """The folder of the module, or `upsampling` for those beside the rooms."""
        return self.module.parts[0] if len(self.module.parts) > 1 else "upsampling"

    @property
    def tests(self) -> list[str]:
        """The test file of the module, then those of its room."""
        own = Path("tests/unit") / self.module.with_name(f"test_{self.module.name}")
        return [str(own), str(own.parent)]


def drawn(seed: int, count: int, rooms: list[str]) -> list[Trial]:
    """At least `count` mutants, shared among rooms by their numbers of lines, ten at the least."""
    random_numbers = random.Random(seed)
    by_room: dict[str, list[Path]] = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        module = path.relative_to(ROOT / PACKAGE)
        room = module.parts[0] if len(module.parts) > 1 else "upsampling"
        if not rooms or room in rooms:
            by_room.setdefault(room, []).append(module)
    sources = {m: (ROOT / PACKAGE / m).read_text() for ms in by_room.values() for m in ms}
    lines = {room: sum(sources[m].count("\n") for m in ms) for room, ms in by_room.items()}
    trials = []
    for room, modules in by_room.items():
        all_of_room = [Trial(m, mutant) for m in modules for mutant in mutants(sources[m])]
        share = max(10, -(-count * lines[room] // sum(lines.values())))
        trials += random_numbers.sample(all_of_room, min(share, len(all_of_room)))
    return trials


def survives(project: Path, trial: Trial) -> bool:
    """Return True if the tests pass with the mutant in place."""
    path = project / PACKAGE / trial.module
    original = path.read_text()
    path.write_text(trial.mutant.source)
    try:
        return all(passes(project, tests) for tests in trial.tests)
    finally:
        path.write_text(original)


def passes(project: Path, tests: str) -> bool:
    """Return True if tests pass, in a process of their own, within `SECONDS`."""
    child = os.fork()
    if not child:
        os.setsid()
        os.chdir(project)
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(silent, stream)
        signal.alarm(SECONDS)
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
        os._exit(int(pytest.main([*options, tests])) not in (0, 5))
    status = os.waitpid(child, 0)[1]
    return status == 0


def work(trials: "Queue[Trial | None]", results: "Queue[tuple[Trial, bool]]") -> None:
    """Try mutants from a queue in a copy of the project until it is empty."""
    for module in PRELOADED:
        __import__(module)
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        ignored = shutil.ignore_patterns(".git", ".venv", ".snakemake", "data", "results", "logs")
        shutil.copytree(ROOT, project, ignore=ignored, symlinks=True)
        while (trial := trials.get()) is not None:
            results.put((trial, survives(project, trial)))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--mutants", type=int, default=320)
    options.add_argument("--rooms", nargs="*", default=[])
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options.add_argument("--output", type=Path, help="table of the scores per room")
    arguments = options.parse_args()
    trials = drawn(arguments.seed, arguments.mutants, arguments.rooms)
    print(len(trials), "mutants", flush=True)
    context = get_context("spawn")
    waiting, results = context.Queue(), context.Queue()
    for trial in [*trials, *[None] * arguments.workers]:
        waiting.put(trial)
    workers = [
        context.Process(target=work, args=(waiting, results)) for _ in range(arguments.workers)
    ]
    for worker in workers:
        worker.start()
    tried, survived = Counter[str](), Counter[str]()
    for number in range(1, len(trials) + 1):
        trial, alive = results.get()
        tried[trial.room] += 1
        survived[trial.room] += alive
        if alive:
            print(
                f"survived: {trial.module}:{trial.mutant.line}: {trial.mutant.change}", flush=True
            )
        if number % 20 == 0:
            print(f"{number} of {len(trials)} tried, {survived.total()} survived", flush=True)
    lines = ["| room | mutants | killed | share |", "| :-- | --: | --: | --: |"]
    for room in sorted(tried):
        killed = tried[room] - survived[room]
        lines.append(f"| {room} | {tried[room]} | {killed} | {killed / tried[room]:.0%} |")
    total = tried.total()
    killed = total - survived.total()
    lines.append(f"| all | {total} | {killed} | {killed / total:.0%} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
