"""Damaged files of a finished run, then the jobs that read or write them again."""

import random
from collections.abc import Callable
from pathlib import Path

from finished_run import FinishedRun, Job, Sandbox, guarded_file
from forked import Ended
from tally import Tally

LONGEST_LINE = 400


def flip_bit(path: Path, choice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[choice.randrange(len(content))] ^= 1 << choice.randrange(8)
    path.write_bytes(content)


def cut(path: Path, choice: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def zeros_in_the_middle(path: Path, choice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    path.write_bytes(content)


def empty(path: Path, choice: random.Random) -> None:
    path.write_bytes(b"")


def remove(path: Path, choice: random.Random) -> None:
    path.unlink()


def another_file(path: Path, choice: random.Random) -> None:
    """The content of another file of that kind, as after a mistaken copy."""
    others = sorted(other for other in path.parent.iterdir() if other.suffix == path.suffix)
    path.write_bytes(choice.choice(others).read_bytes())


DAMAGES: tuple[Callable[[Path, random.Random], None], ...] = (
    flip_bit, cut, zeros_in_the_middle, empty, remove, another_file,
)  # fmt: skip


def plan(run: FinishedRun, count: int, seed: int) -> list[tuple[str, Callable]]:
    """`count` files and damages: those of each rule and kind in turn, so that none is missed."""
    choice = random.Random(seed)
    groups: dict[str, list[tuple[str, Callable]]] = {}
    for name in run.files:
        owners = run.owners(name)
        kind = guarded_file(name) != name, "".join(Path(name).suffixes), Path(name).parts[:3]
        group = f"{owners[0].rule if owners else ''} {kind}"
        groups.setdefault(group, []).extend((name, damage) for damage in DAMAGES)
    for attacks in groups.values():
        choice.shuffle(attacks)
    planned = []
    while len(planned) < count and any(groups.values()):
        for attacks in groups.values():
            if attacks:
                planned.append(attacks.pop())
    return planned[:count]


def names(end: Ended, path: str) -> bool:
    """Whether an error of one line names a file, or its folder, and nothing else went wrong."""
    errors = [line for line in end.errors if Path(path).stem in line or path in line]
    return bool(errors) and "Traceback" not in end.output and len(errors[0]) <= LONGEST_LINE


def affected(run: FinishedRun, path: str, damage: Callable, choice: random.Random) -> list[Job]:
    """Jobs to run again: those that read the file, or, if it is gone, those that write it."""
    readers = run.readers(path)
    if damage is remove or (readers and not any(path in job.outputs for job in run.jobs)):
        return run.owners(path)
    return choice.sample(readers, min(1, len(readers)))


def attack(tally: Tally, run: FinishedRun, box: Sandbox, count: int) -> None:
    """Damage `count` files, one at a time."""
    for path, damage in plan(run, count, tally.seed):
        attack_one(tally, run, box, path, damage)


def attack_one(tally: Tally, run: FinishedRun, box: Sandbox, path: str, damage: Callable) -> None:
    """Damage one file, and run the jobs that read it."""
    choice = random.Random(f"{tally.seed} {path} {damage.__name__}")
    damage(box.root / path, choice)
    ends = []
    for job in affected(run, path, damage, choice):
        ends.append(job.run(box.root))
        if ends[-1].status:
            break
    judge(tally, f"{path} ({damage.__name__})", path, ends, set(box.changed()))
    box.restore()


def judge(tally: Tally, what: str, path: str, ends: list[Ended], changed: set[str]) -> None:
    """Count the outcome of one damage, after which `changed` files differ from the finished run."""
    failed = [end for end in ends if end.status]
    if failed and names(failed[0], path):
        tally.survived("named in one line")
    elif failed:
        tally.failed("not named", f"{what}: {failed[0].output[-600:]}")
    elif changed - {path}:
        tally.failed("other bytes", f"{what}: {sorted(changed - {path})}")
    elif not changed:
        tally.survived("healed")
    elif not ends:
        tally.survived("read by no job")
    else:
        tally.survived("without effect")
