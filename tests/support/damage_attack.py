"""Damaged files of a finished run, then a job that reads them, or the one that writes them."""

import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from finished_run import FinishedRun, Sandbox, guarded_file
from forked import Ended
from opened import watch
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
# Jobs that may read a file are tried until one opens it.
MOST_JOBS = 3


def plan(run: FinishedRun, names: Iterable[str], seed: int) -> Iterator[tuple[str, Callable]]:
    """All damages of files: those of each rule and kind in turn, so that none is missed."""
    choice = random.Random(seed)
    groups: dict[str, list[tuple[str, Callable]]] = {}
    for name in names:
        owners = run.owners(name)
        kind = guarded_file(name) != name, "".join(Path(name).suffixes), Path(name).parts[:3]
        group = f"{owners[0].rule if owners else ''} {kind}"
        groups.setdefault(group, []).extend((name, damage) for damage in DAMAGES)
    for attacks in groups.values():
        choice.shuffle(attacks)
    while any(groups.values()):
        for attacks in groups.values():
            if attacks:
                yield attacks.pop()


def names(end: Ended, path: str) -> bool:
    """Whether an error of one line names a file, or its folder, and nothing else went wrong."""
    errors = [line for line in end.errors if Path(path).stem in line or path in line]
    return bool(errors) and "Traceback" not in end.output and len(errors[0]) <= LONGEST_LINE


def attack(
    tally: Tally, unread: Tally, run: FinishedRun, box: Sandbox, counts: tuple[int, int]
) -> None:
    """Damage files one at a time: `counts[0]` that a job then opens, `counts[1]` end products.

    A file that no job opens, though some may, is an end product, too.
    """
    unopened = []
    for name, damage in plan(run, filter(run.readers, run.files), tally.seed):
        if tally.outcomes.total() >= counts[0]:
            break
        before = tally.outcomes.total()
        attack_one(tally, run, box, name, damage)
        if tally.outcomes.total() == before and name not in unopened:
            unopened.append(name)
    products = [name for name in run.files if run.owners(name) and not run.readers(name)]
    for name, damage in plan(run, [*products, *unopened], tally.seed):
        if unread.outcomes.total() >= counts[1]:
            break
        attack_end_product(unread, run, box, name, damage)


def attack_one(tally: Tally, run: FinishedRun, box: Sandbox, path: str, damage: Callable) -> None:
    """Damage one file and run jobs until one opens it, which is judged; none: nothing is counted.

    If the file is gone, Snakemake first runs the job that writes it.
    """
    choice = random.Random(f"{tally.seed} {path} {damage.__name__}")
    if not damage_file(box, path, damage, choice):
        return
    damaged = box.root / path, content_of(box.root / path)
    readers = run.readers(path)
    jobs = choice.sample(readers, min(MOST_JOBS, len(readers)))
    if damage is remove:
        jobs = [*run.owners(path)[:1], *jobs]
    opened, ends = False, []
    for job in jobs:
        files = {box.root / path, box.root / guarded_file(path)}
        with watch(files) as watched:
            ends.append(job.run(box.root))
            opened |= watched.opened
        if ends[-1].status or opened:
            break
    if opened or ends[-1].status:
        judge(tally, f"{path} ({damage.__name__})", path, ends, changed(box, damaged))
    box.restore()


def attack_end_product(
    tally: Tally, run: FinishedRun, box: Sandbox, path: str, damage: Callable
) -> None:
    """Damage one file that no job reads, and run the job that writes it."""
    choice = random.Random(f"{tally.seed} {path} {damage.__name__}")
    if not damage_file(box, path, damage, choice):
        return
    end = run.owners(path)[0].run(box.root)
    if end.status or set(box.changed()):
        what = f"{path} ({damage.__name__}): {sorted(box.changed())} {end.output[-600:]}"
        tally.failed("not written again", what)
    else:
        tally.survived("written again, same bytes")
    box.restore()


def content_of(path: Path) -> bytes | None:
    """A file's content; None if there is no file."""
    return path.read_bytes() if path.is_file() else None


def changed(box: Sandbox, damaged: tuple[Path, bytes | None]) -> set[str]:
    """Files that differ from the finished run's; of checkpoints, those that are still damaged.

    Checkpoints that are written again hold other seconds of epochs.
    """
    path, content = damaged
    return {
        name
        for name in box.changed()
        if "/checkpoints/" not in name or (box.root / name == path and content_of(path) == content)
    }


def damage_file(box: Sandbox, path: str, damage: Callable, choice: random.Random) -> bool:
    """Damage a file; False if that has left it as it was."""
    before = content_of(box.root / path)
    damage(box.root / path, choice)
    return content_of(box.root / path) != before


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
    elif guarded_file(path) != path:
        tally.survived("a checksum lost")
    elif "/checkpoints/" in path:
        tally.survived("a checkpoint of a finished training")
    else:
        tally.failed("read without a word", what)
