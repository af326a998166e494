"""Functions and programs in a child process of this one, where all modules are loaded already."""

import ctypes
import os
import runpy
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LONGEST_RUN = 600.0
PR_SET_SECUREBITS, SECBIT_NOROOT = 28, 1


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit status (negative: a signal), messages, and whether in time."""

    status: int
    output: str
    in_time: bool = True

    @property
    def lines(self) -> list[str]:
        """Its messages without Python's warnings and progress bars."""
        text = self.output.replace("\r", "\n").splitlines()
        return [line for line in text if line.strip() and "Warning" not in line]

    @property
    def errors(self) -> list[str]:
        """Its lines that begin with `error:`."""
        return [line for line in self.lines if line.startswith("error: ")]


def forked(function: Callable[[], object], seconds: float = 120.0) -> Ended:
    """Run `function` in a child of this process, which is killed after `seconds`.

    An exception ends the child with status 99 and its traceback, `sys.exit` as in a program.
    """
    with tempfile.TemporaryFile() as file:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _be_the_child(function, file.fileno())
        # As the child does: it may not have come that far when it is to be killed.
        with suppress(PermissionError):
            os.setpgid(pid, pid)
        deadline = time.monotonic() + seconds
        in_time = True
        while True:
            done, wait_status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > deadline and in_time:
                in_time = False
                os.killpg(pid, signal.SIGKILL)
            time.sleep(0.005)
        file.seek(0)
        output = file.read().decode(errors="replace")
    return Ended(os.waitstatus_to_exitcode(wait_status), output, in_time)


def _be_the_child(function: Callable[[], object], output: int) -> None:
    status = 99
    try:
        os.setpgid(0, 0)
        for stream in (1, 2):
            os.dup2(output, stream)
        sys.stdout = os.fdopen(1, "w", buffering=1)
        sys.stderr = os.fdopen(2, "w", buffering=1)
        try:
            function()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def program(
    path: Path,
    arguments: Sequence[str],
    folder: Path,
    privileged: bool = True,
    limit: float = LONGEST_RUN,
) -> Ended:
    """Run a Python program in `folder`; unless `privileged`, permissions hold for root, too."""

    def run() -> None:
        os.chdir(folder)
        if not privileged:
            give_up_capabilities()
        sys.argv = [str(path), *arguments]
        runpy.run_path(str(path), run_name="__main__")

    return forked(run, limit)


def give_up_capabilities() -> None:
    """Give up what lets root read and write any file, for programs that this one starts, too.

    Linux: prctl(2), capset(2).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0) or libc.capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capset")
