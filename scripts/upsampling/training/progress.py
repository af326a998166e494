"""Progress of an epoch: tqdm on a terminal, periodic lines otherwise."""

import sys
import time
from typing import Any

SECONDS_BETWEEN_LINES = 30.0


def report(message: str) -> None:
    """Print one line to standard error at once."""
    print(message, file=sys.stderr, flush=True)


class Progress:
    """Progress through the `examples` of one epoch; `silent` in all processes but one."""

    def __init__(self, label: str, examples: int, *, silent: bool = False) -> None:
        self.label, self.examples, self.silent = label, examples, silent
        self.done = 0
        self.started = self.last_line = time.monotonic()
        self.bar = None if silent else terminal_bar(label, examples)

    def update(self, examples: int, loss: float) -> None:
        """Add `examples` that are done, and show the loss of their last batch."""
        self.done += examples
        if self.bar is not None:
            self.bar.set_postfix(loss=f"{loss:.5f}", refresh=False)
            self.bar.update(examples)
            return
        now = time.monotonic()
        if not self.silent and now - self.last_line > SECONDS_BETWEEN_LINES:
            self.last_line = now
            rate = self.done / (now - self.started)
            report(
                f"{self.label}: {self.done}/{self.examples} examples  loss {loss:.5f}  "
                f"{rate:.1f} examples/s  {duration((self.examples - self.done) / rate)} left"
            )

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()


def terminal_bar(label: str, examples: int) -> Any:
    """A tqdm bar; None where standard error is no terminal, or tqdm is not installed."""
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=examples, desc=label, unit=" examples", leave=False, smoothing=0.1)


def duration(seconds: float) -> str:
    """Seconds in a unit that suits them: '45 s', '12.3 min', '53.1 h'."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
