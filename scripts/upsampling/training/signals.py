"""When a run should stop before its end: a signal came, or its time is nearly over."""

import math
import signal
import time
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
# Kept free of the time limit, for starting and ending: a share of it, and seconds at most.
RESERVE, LONGEST_RESERVE = 0.03, 300.0
# By how much an epoch may exceed those before it.
SLOWER = 1.1
# What a program that stopped before its end exits with: EX_TEMPFAIL, "try again later".
EXIT_STATUS = 75


class Stopped(Exception):
    """Training stopped itself; a checkpoint holds all finished epochs."""


class Stopper:
    """Watches signals and clock; `reason` says why to stop, '' while there is no reason.

    The first signal asks for an orderly end, a second one of its kind ends the process at once.
    """

    def __init__(self, max_minutes: float = math.inf) -> None:
        limit = max_minutes * 60
        self.deadline = time.monotonic() + limit - min(RESERVE * limit, LONGEST_RESERVE)
        self.max_minutes = max_minutes
        self.signal = ""
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "Stopper":
        self._handlers = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = signal.Signals(number).name
        signal.signal(number, signal.SIG_DFL)

    def reason(self, seconds_ahead: float = 0.0) -> str:
        """Why to stop now, if what comes next lasts `seconds_ahead`."""
        if self.signal:
            return f"{self.signal} arrived"
        if time.monotonic() + seconds_ahead * SLOWER > self.deadline:
            return f"{self.max_minutes:.3g} minutes are nearly over"
        return ""
