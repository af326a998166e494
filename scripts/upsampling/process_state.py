"""State of processes of this host, from /proc. Standard library only."""

import os
from contextlib import suppress
from pathlib import Path


def start_ticks(pid: int) -> str | None:
    """The start time of a process, in clock ticks since the host booted; None if it has ended.

    Process IDs are reused, but not with the same start time. A process that has ended but whose
    parent has not read its status (state Z) has ended. Without /proc, the result for any living
    process is "unknown".
    """
    with suppress(OSError):
        fields = stat_fields(pid)
        return None if fields[0] == "Z" else fields[19]
    if Path("/proc/self/stat").exists():
        return None
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
    return "unknown"


def is_alive(pid: int) -> bool:
    """Return True if a process exists and has not ended."""
    return start_ticks(pid) is not None


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name of the program: state, parent, ..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
