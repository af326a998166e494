"""Each program where its disk is full or read-only, or a path is taken or forbidden."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from finished_run import FinishedRun, Job, Sandbox
from forked import Ended
from tally import Tally

LONGEST_LINE = 500
MEGABYTES = 400


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system in memory; root alone can mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={MEGABYTES}m,mode=0777"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def can_mount() -> bool:
    """Whether this process may mount file systems, as root outside of a container may."""
    probe = "mount -t tmpfs none /mnt"
    return os.getuid() == 0 and not subprocess.run(["unshare", "-m", "sh", "-c", probe]).returncode


def full(job: Job, box: Sandbox, choice: random.Random) -> None:
    """Leave less room than the job needs."""
    needed = sum((box.run.root / name).stat().st_size for name in box.run.written(job))
    left = choice.randrange(max(1, needed // 2))
    free = shutil.disk_usage(box.root).free
    with open(box.root / "filler", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - left - left % 4096))


def remount(disk: Path, state: str) -> None:
    """Make a mounted disk read-only, `ro`, or writable, `rw`."""
    subprocess.run(["mount", "-o", f"remount,{state}", disk], check=True)


def read_only(job: Job, box: Sandbox, choice: random.Random) -> None:
    remount(box.root, "ro")


def forbidden(job: Job, box: Sandbox, choice: random.Random) -> None:
    """The folder of an output may not be written."""
    output = choice.choice(box.run.written(job))
    (box.root / output).parent.chmod(0o555)


def unreadable(job: Job, box: Sandbox, choice: random.Random) -> None:
    """An input may not be read."""
    inputs = sorted(name for name in job.inputs if (box.root / name).is_file())
    if inputs:
        (box.root / choice.choice(inputs)).chmod(0)
    else:
        forbidden(job, box, choice)


def folder_in_place(job: Job, box: Sandbox, choice: random.Random) -> None:
    """A folder, with a file in it, stands where a file goes."""
    output = box.root / choice.choice(box.run.written(job))
    output.mkdir(parents=True)
    (output / "file").write_text("x")


def file_in_place(job: Job, box: Sandbox, choice: random.Random) -> None:
    """A file stands where the folder of a file goes."""
    folder = (box.root / choice.choice(box.run.written(job))).parent
    shutil.rmtree(folder)
    folder.write_text("x")


FAULTS: tuple[Callable[[Job, Sandbox, random.Random], None], ...] = (
    full, read_only, forbidden, unreadable, folder_in_place, file_in_place,
)  # fmt: skip
UNPRIVILEGED = (forbidden, unreadable)


def attack(tally: Tally, run: FinishedRun, folder: Path, count: int) -> None:
    """Make `count` faults: each program in turn, with each fault, on a disk in memory."""
    choice = random.Random(tally.seed)
    jobs = [choice.choice(group) for group in run.by_program().values()]
    attempts = [(job, fault) for fault in FAULTS for job in jobs]
    choice.shuffle(attempts)
    for number, (job, fault) in enumerate(attempts[:count]):
        with small_disk(folder / f"disk{number}") as disk:
            box = Sandbox.copy(run, disk)
            box.clear(job)
            fault(job, box, choice)
            end = job.run(disk, privileged=fault not in UNPRIVILEGED)
            good, how = judge(end, box)
            what = f"{job.program}, {fault.__name__}: {end.output[-600:]}"
            tally.survived(f"{fault.__name__}: {how}") if good else tally.failed(how, what)


def judge(end: Ended, box: Sandbox) -> tuple[bool, str]:
    """Whether a program ended well, and how."""
    if end.status == 0:
        same = not [name for name in box.changed() if (box.root / name).is_file()]
        return same, "without effect" if same else "other bytes"
    if end.status == 75 and "Traceback" not in end.output:
        return True, "stopped"
    errors = end.errors
    good = end.in_time and "Traceback" not in end.output and bool(errors)
    if not good:
        return False, "gave a traceback or no message"
    if len(errors[0]) > LONGEST_LINE or "/" not in errors[0]:
        return False, "named no path, or gave a long line"
    return True, "one line"
