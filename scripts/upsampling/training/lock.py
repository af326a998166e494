"""One trainer per folder."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from upsampling import slurm
from upsampling.errors import UserError
from upsampling.files import write_json


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold `folder/lock.json`; refuse to start where another living trainer holds it.

    A lock of this host whose process is gone is taken over. A process on another host cannot be
    seen from here, but its cluster job can: the lock is taken over if that job is over or is the
    one that now runs again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock.json"
    mine = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": started(os.getpid()),
        "job": os.environ.get("SLURM_JOB_ID"),
    }
    with one_at_a_time(folder / ".lock"):
        if not create(path, mine):
            theirs = read(path)
            if holds(theirs, mine):
                job = f" (job {theirs['job']})" if theirs.get("job") else ""
                raise UserError(
                    f"{folder} is being written by process {theirs.get('pid')} on "
                    f"{theirs.get('host')}{job}; wait for it or stop it, and if it is gone for "
                    f"certain, delete {path}"
                )
            write_json(path, mine)
    try:
        yield
    finally:
        if read(path) == mine:
            path.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Let the processes of this host through one by one, so that judging a lock and taking it over
    is one step. The kernel ends this when a process dies."""
    with open(path, "w") as file:
        # Some network file systems have no such locks; creating the lock is atomic anyway.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def create(path: Path, content: dict[str, Any]) -> bool:
    """Create `path` with `content`, as one step on network file systems too; False if it exists."""
    temporary = path.with_name(f".{path.stem}.{content['host']}.{content['pid']}")
    temporary.write_text(json.dumps(content))
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def read(path: Path) -> dict[str, Any]:
    """The content of a lock; empty if there is none or it cannot be read."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def holds(theirs: dict[str, Any], mine: dict[str, Any]) -> bool:
    """Whether the process that wrote the lock `theirs` may still be at work."""
    if theirs.get("host") == mine["host"]:
        return theirs.get("started") is not None and started(theirs["pid"]) == theirs["started"]
    job = theirs.get("job")
    return job is None or (job != mine["job"] and slurm.at_work(job))


def started(pid: int) -> str | None:
    """When a process began, in clock ticks since the host did; None if it is gone.

    Process numbers are used again, but not with the same beginning. One that ended and whose
    parent has not noticed yet (state Z) is gone. Where there is no /proc, "unknown" stands for any
    living process.
    """
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    if Path("/proc/self/stat").exists():
        return None
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
    return "unknown"
