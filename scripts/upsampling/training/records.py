"""What a run notes about its epochs: losses, which can be reproduced, and times, which cannot."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from upsampling.files import atomic_path


@dataclass
class Records:
    """Losses and times of all finished epochs, and the epoch whose weights are kept as the best."""

    history: list[dict[str, float]] = field(default_factory=list)
    timing: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float | None = None

    def add(
        self, train_loss: float, valid_loss: float, seconds: float, examples: int, memory: int
    ) -> bool:
        """Note one more epoch; whether its validation loss is the lowest yet.

        `seconds` is the time of training alone, `memory` the most that a GPU held, in bytes.
        """
        epoch = len(self.history) + 1
        self.history.append({"epoch": epoch, "train_loss": train_loss, "valid_loss": valid_loss})
        self.timing.append(
            {
                "epoch": epoch,
                "seconds": seconds,
                "samples_per_second": examples / seconds,
                "gpu_memory_bytes": memory,
            }
        )
        improved = self.best_loss is None or valid_loss < self.best_loss
        if improved:
            self.keep(epoch)
        return improved

    def keep(self, epoch: int) -> None:
        """Take the weights of `epoch` as the best."""
        self.best_epoch, self.best_loss = epoch, self.history[epoch - 1]["valid_loss"]

    def line(self, epochs: int) -> str:
        """The last epoch in words."""
        history, timing = self.history[-1], self.timing[-1]
        return (
            f"epoch {history['epoch']}/{epochs}  loss {history['train_loss']:.5f}  "
            f"validation {history['valid_loss']:.5f}  {timing['seconds']:.1f} s, "
            f"{timing['samples_per_second']:.1f} examples/s"
        )

    def write(self, folder: Path) -> None:
        """Write history.csv (epoch, train_loss, valid_loss) and timing.csv (see `add`)."""
        for name, rows in (("history", self.history), ("timing", self.timing)):
            with atomic_path(folder / f"{name}.csv") as temporary:
                pd.DataFrame(rows).to_csv(temporary, index=False)
