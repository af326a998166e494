"""One trainer per folder."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upsampling.files import read_json, write_json
from upsampling.settings import UserError


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold `folder/lock.json`; refuse to start where another living trainer holds it.

    A lock of this host whose process is gone is taken over. One of another host cannot be
    checked from here, so it is taken over only if it names the cluster job that now runs again.
    """
    path = folder / "lock.json"
    mine = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "job": os.environ.get("SLURM_JOB_ID"),
    }
    if path.exists():
        theirs = read_json(path)
        same_host = theirs["host"] == mine["host"]
        living = Path(f"/proc/{theirs['pid']}").exists() if same_host else True
        requeued = theirs["job"] is not None and theirs["job"] == mine["job"]
        if living and not requeued and theirs["pid"] != mine["pid"]:
            raise UserError(
                f"{folder} is being written by process {theirs['pid']} on {theirs['host']}"
                f"{' (job ' + theirs['job'] + ')' if theirs['job'] else ''}; wait for it or stop "
                f"it, and if it is gone for certain, delete {path}"
            )
    write_json(path, mine)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
