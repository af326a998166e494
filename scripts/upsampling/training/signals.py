"""Reasons to stop a run before its end: a signal, or a time limit."""

import math
import signal
import time
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
# Reserved for start and end: this share of the time limit, at most this many seconds.
RESERVED_SHARE, LARGEST_RESERVE = 0.03, 300.0
# The next epoch may take longer than the previous ones by this factor.
SLOWDOWN = 1.1
# Exit status of a program that stopped before its end: EX_TEMPFAIL, "try again later".
EXIT_STATUS = 75


class Stopped(Exception):
    """Training stopped before its end; a checkpoint holds all finished epochs."""


class Stopper:
    """Watches signals and the clock; `reason` tells why to stop.

    The first signal asks for an orderly end, a second one of the same kind ends the process.
    """

    def __init__(self, max_minutes: float = math.inf) -> None:
        limit = max_minutes * 60
        self.deadline = time.monotonic() + limit - min(RESERVED_SHARE * limit, LARGEST_RESERVE)
        self.max_minutes = max_minutes
        self.signal = ""
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "Stopper":
        self._handlers = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *raised: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = signal.Signals(number).name
        signal.signal(number, signal.SIG_DFL)

    def reason(self, seconds_ahead: float = 0.0) -> str:
        """Why to stop before work of `seconds_ahead`, such as the next epoch; '' to continue."""
        if self.signal:
            return f"{self.signal} arrived"
        if time.monotonic() + seconds_ahead * SLOWDOWN > self.deadline:
            return f"{self.max_minutes:.3g} minutes are nearly over"
        return ""
