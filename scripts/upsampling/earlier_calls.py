"""Leftovers of a Snakemake that was killed: its locks, and its jobs still running on this host.

Each call holds a shared lock of the kernel's on one file for as long as it lives. A call that gets
it exclusively is alone in the folder, so that all that looks busy there is left over.
"""

import fcntl
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from upsampling.errors import UserError
from upsampling.process_state import is_alive, stat_fields

# Jobs inherit it: the folder that Snakemake works in.
MARK = "UPSAMPLING_FOLDER"
# A checkpoint of 9 GB is written within that.
ENDING_SECONDS = 600.0


def join_calls(state: Path, say: Callable[[str], None]) -> bool:
    """Join the calls that live in this folder; True, and without stale locks, if there are none.

    `state` is Snakemake's folder of locks and metadata. Locks that a call on another host may hold
    stay, and Snakemake refuses to start.
    """
    alone, host = False, socket.gethostname().encode()
    state.mkdir(exist_ok=True)
    # Kept open: the lock is released when this process ends.
    file = os.open(state / "calls.lock", os.O_RDWR | os.O_CREAT, 0o666)
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = os.read(file, 1000) in (b"", host)
        os.pwrite(file, host, 0)
        os.ftruncate(file, len(host))
    if alone and any((state / "locks").glob("*")):
        say("Removing the lock of an earlier call, whose Snakemake is gone.")
        shutil.rmtree(state / "locks")
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    os.environ[MARK] = str(Path.cwd())
    return alone


def end_orphans(say: Callable[[str], None], patience: float = ENDING_SECONDS) -> None:
    """End jobs that a killed call in this folder left on this host; `UserError` if one stays."""
    pids = orphans(str(Path.cwd()))
    if not pids:
        return
    say(
        "Ending jobs of an earlier call, whose Snakemake is gone: processes "
        f"{', '.join(map(str, pids))} (finished files and checkpoints are kept)."
    )
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while alive := [pid for pid in pids if is_alive(pid)]:
        if time.monotonic() > deadline:
            raise UserError(
                f"processes of an earlier call still run: kill -9 {' '.join(map(str, alive))}"
            )
        time.sleep(0.1)


def orphans(folder: str) -> list[int]:
    """This host's processes that a call in `folder` started; none where there is no /proc.

    Jobs of SLURM are not among them, unless this process is part of the same job.
    """
    job = os.environ.get("SLURM_JOB_ID")
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            entries = path.read_bytes().split(b"\0")
            variables = dict(os.fsdecode(entry).partition("=")[::2] for entry in entries)
            if (
                variables.get(MARK) == folder
                and variables.get("SLURM_JOB_ID") == job
                and int(path.parent.name) not in ancestors()
            ):
                found.append(int(path.parent.name))
    return sorted(found)


def ancestors() -> set[int]:
    """This process and those that it descends from."""
    found, pid = set(), os.getpid()
    with suppress(OSError):
        while pid > 0:
            found.add(pid)
            pid = int(stat_fields(pid)[1])
    return found
