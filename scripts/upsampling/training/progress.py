"""How far an epoch is: a bar on a terminal, a line now and then elsewhere."""

import sys
import time

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 30.0


def say(message: str) -> None:
    """Print one line to standard error at once."""
    print(message, file=sys.stderr, flush=True)


class Progress:
    """Progress through the `examples` of one epoch; `silent` in all processes but one."""

    def __init__(self, label: str, examples: int, *, silent: bool = False) -> None:
        self.label, self.examples, self.silent = label, examples, silent
        self.done = 0
        self.started = self.last_line = time.monotonic()
        terminal = sys.stderr.isatty() and not silent
        self.bar = tqdm(total=examples, desc=label, unit=" examples", leave=False, smoothing=0.1,
                        disable=not terminal)  # fmt: skip

    def update(self, examples: int, loss: float) -> None:
        """Note that so many more examples are done, and the loss of the last batch."""
        self.done += examples
        self.bar.set_postfix(loss=f"{loss:.5f}", refresh=False)
        self.bar.update(examples)
        now = time.monotonic()
        if not self.silent and self.bar.disable and now - self.last_line > SECONDS_BETWEEN_LINES:
            self.last_line = now
            rate = self.done / (now - self.started)
            say(
                f"{self.label}: {self.done}/{self.examples} examples  loss {loss:.5f}  "
                f"{rate:.1f} examples/s  {duration((self.examples - self.done) / rate)} left"
            )

    def close(self) -> None:
        """Remove the bar."""
        self.bar.close()


def duration(seconds: float) -> str:
    """Seconds as people say them: '45 s', '12.3 min', '53.1 h'."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
