"""A lock that admits one trainer per folder."""

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
from upsampling.files import write_text
from upsampling.process_state import start_ticks


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold `folder/lock.json`; `UserError` if another trainer that may be alive holds it.

    On this host, the lock of a process that has ended is taken over. A process on another host
    cannot be checked, but its SLURM job can: its lock is taken over if that job has ended, or is
    the job of this process, started again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock.json"
    this = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": start_ticks(os.getpid()),
        "job": slurm.current_job(),
    }
    # Processes of this host check and take the lock one at a time: the kernel releases the lock of
    # this file when a process dies. Some network file systems have none; `create` is atomic anyway.
    with open(folder / ".lock", "w") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        if not create(path, this):
            holder = read(path)
            if may_be_alive(holder, this):
                job = f" (job {holder['job']})" if holder.get("job") else ""
                raise UserError(
                    f"{folder} is being written by process {holder.get('pid')} on "
                    f"{holder.get('host')}{job}; wait for it or stop it; if it has certainly "
                    f"ended, delete {path}"
                )
            write_text(path, json.dumps(this))
    try:
        yield
    finally:
        if read(path) == this:
            path.unlink(missing_ok=True)


def create(path: Path, content: dict[str, Any]) -> bool:
    """Create `path` with `content`, atomically even on network file systems; False if it exists."""
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


def may_be_alive(holder: dict[str, Any], this: dict[str, Any]) -> bool:
    """True unless the process that wrote the lock `holder` has certainly ended."""
    if holder.get("host") == this["host"]:
        ticks = holder.get("started")
        pid = holder.get("pid")
        return ticks is not None and isinstance(pid, int) and start_ticks(pid) == ticks
    job = holder.get("job")
    return job is None or (job != this["job"] and slurm.may_be_alive(job))
