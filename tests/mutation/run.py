"""Change the package in many small ways, one at a time, and count the changes that tests notice.

    PYTHONPATH=tests/support python tests/mutation/run.py --seed 1 --output docs/mutation.md

First, the unit tests run once to note the functions that each executes. Then each mutant runs in
a copy of the project: the tests of its module, and, if they pass, those of other modules that
execute the changed function, the fast ones first. A mutant survives if all pass.
`equivalent.yaml` has the mutants that change nothing that can be observed, with the reason.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

import executed
import yaml
from checkout import ROOT, copy_checkout
from mutants import mutant, mutated_lines
from trial import PACKAGE, Coverage, Trial, room_of, survives

EQUIVALENT = Path(__file__).with_name("equivalent.yaml")
# Of a room with fewer, one survivor would decide.
LEAST = 17
# Imported once, before the processes of tests fork.
PRELOADED = ("numpy", "pandas", "scipy.signal", "torch", "matplotlib")


def drawn(seed: int, count: int, rooms: list[str]) -> list[Trial]:
    """At least `count` mutants, shared among rooms by their numbers of lines, `LEAST` at least."""
    random_numbers = random.Random(seed)
    sources = {p.relative_to(ROOT / PACKAGE): p.read_text() for p in (ROOT / PACKAGE).rglob("*.py")}
    by_room: dict[str, list[Path]] = defaultdict(list)
    for module in sorted(sources):
        by_room[room_of(module)].append(module)
    lines = {room: sum(sources[m].count("\n") for m in ms) for room, ms in by_room.items()}
    trials = []
    for room in sorted(rooms or by_room):
        places = [(m, n) for m in by_room[room] for n, _ in enumerate(mutated_lines(sources[m]))]
        share = max(LEAST, -(-count * lines[room] // sum(lines.values())))
        chosen = random_numbers.sample(places, min(share, len(places)))
        trials += [Trial(module, mutant(sources[module], n)) for module, n in sorted(chosen)]
    # `return None` becomes itself.
    return [trial for trial in trials if len({*trial.mutant.change.split(" -> ")}) > 1]


def coverage(workers: int) -> Coverage:
    """The functions that each unit test executes, from one run of all, which must pass."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PYTHONPATH": str(Path(__file__).parent), executed.FOLDER: folder}
        options = ["-q", "-n", str(workers), "-p", "executed", "-p", "no:cacheprovider"]
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, "tests/unit"],
            env=os.environ | environment,
            cwd=copy_checkout(Path(folder) / "project"),
            check=True,
        )
        return Coverage.merged(json.loads(p.read_text()) for p in Path(folder).glob("*.json"))


def work(
    tests: Coverage, trials: "Queue[Trial | None]", results: "Queue[tuple[Trial, bool]]"
) -> None:
    """Try mutants from a queue in a copy of the project until it is empty."""
    for module in PRELOADED:
        __import__(module)
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as folder:
        project = copy_checkout(Path(folder) / "project")
        while (trial := trials.get()) is not None:
            results.put((trial, survives(project, trial, tests)))


def survivors(trials: list[Trial], tests: Coverage, workers: int) -> list[Trial]:
    """The mutants that no test notices; each is printed as soon as it is found."""
    context = get_context("spawn")
    waiting, results = context.Queue(), context.Queue()
    for trial in [*trials, *[None] * workers]:
        waiting.put(trial)
    for _ in range(workers):
        context.Process(target=work, args=(tests, waiting, results), daemon=True).start()
    found = []
    for number in range(1, len(trials) + 1):
        trial, alive = results.get()
        if alive:
            found.append(trial)
            print(f"survived: {trial}", flush=True)
        if number % 20 == 0:
            print(f"{number} of {len(trials)} tried, {len(found)} survived", flush=True)
    return found


def known_equivalents() -> set[tuple[str, str, str]]:
    """Module, line and change of each entry of `equivalent.yaml`, which must name a mutant."""
    known = set()
    for module, entries in yaml.safe_load(EQUIVALENT.read_text()).items():
        source = (ROOT / PACKAGE / module).read_text()
        listed = {entry["line"] for entry in entries}
        numbers = [n for n, line in enumerate(mutated_lines(source)) if line in listed]
        mutants = {(one.text, one.change) for one in (mutant(source, n) for n in numbers)}
        for entry in entries:
            if (entry["line"], entry["change"]) not in mutants:
                raise SystemExit(f"{EQUIVALENT}: {module} has no mutant {entry}; remove it")
            known.add((module, entry["line"], entry["change"]))
    return known


def report(
    trials: list[Trial], survived: list[Trial], known: set[tuple[str, str, str]], seed: int
) -> str:
    """The page of the scores per room, with the mutants that survived and are not `known`."""
    equivalent = {t for t in survived if (str(t.module), t.mutant.text, t.mutant.change) in known}
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for trial in trials:
        for room in (trial.room, "all"):
            rows[room]["tried"] += 1
            rows[room]["equivalent"] += trial in equivalent
            rows[room]["killed"] += trial not in survived
    lines = [
        "# Mutations",
        "",
        "`make mutation-test` changes the package in small ways, one at a time: a comparison, an",
        "operation, a constant, a returned value, a call. A change is *killed* if a unit test",
        "fails, and *equivalent* if no test could: `tests/mutation/equivalent.yaml` says why. The",
        "share is of those that are not equivalent.",
        "",
        "| room | seed | tried | equivalent | killed | share |",
        "| :-- | --: | --: | --: | --: | --: |",
    ]
    for room in sorted(rows, key=lambda room: (room == "all", room)):
        row = rows[room]
        share = row["killed"] / max(1, row["tried"] - row["equivalent"])
        cells = (room, seed, row["tried"], row["equivalent"], row["killed"], f"{share:.0%}")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    lines += ["", "Survivors:", ""]
    lines += [f"- `{trial}`" for trial in survived if trial not in equivalent]
    return "\n".join(lines) + "\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--mutants", type=int, default=320)
    options.add_argument("--rooms", nargs="*", default=[])
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options.add_argument("--output", type=Path, help="page of the scores per room")
    arguments = options.parse_args()
    known = known_equivalents()
    trials = drawn(arguments.seed, arguments.mutants, arguments.rooms)
    tests = coverage(arguments.workers)
    print(len(trials), "mutants", flush=True)
    survived = survivors(trials, tests, arguments.workers)
    text = report(trials, survived, known, arguments.seed)
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
