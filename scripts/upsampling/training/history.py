"""The history of a run: losses, which are reproducible, and times, which are not."""

from dataclasses import dataclass, field
from pathlib import Path

from upsampling.files import write_csv


@dataclass
class History:
    """Losses and times of all finished epochs, and the epoch with the best weights."""

    epochs: list[dict[str, float]] = field(default_factory=list)
    timing: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float | None = None

    def add(
        self, train_loss: float, valid_loss: float, seconds: float, examples: int, memory: int
    ) -> bool:
        """Append an epoch; return True if its validation loss is the lowest so far.

        `seconds` is the time of training alone, `memory` the peak memory of a GPU in bytes.
        """
        epoch = len(self.epochs) + 1
        self.epochs.append({"epoch": epoch, "train_loss": train_loss, "valid_loss": valid_loss})
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
            self.set_best(epoch)
        return improved

    def set_best(self, epoch: int) -> None:
        """Mark the weights of `epoch` as the best."""
        self.best_epoch, self.best_loss = epoch, self.epochs[epoch - 1]["valid_loss"]

    def summary(self, epochs: int) -> str:
        """One line about the last epoch, of `epochs`."""
        losses, timing = self.epochs[-1], self.timing[-1]
        return (
            f"epoch {losses['epoch']}/{epochs}  loss {losses['train_loss']:.5f}  "
            f"validation {losses['valid_loss']:.5f}  {timing['seconds']:.1f} s, "
            f"{timing['samples_per_second']:.1f} examples/s"
        )

    def write(self, folder: Path) -> None:
        """Write history.csv (epoch, train_loss, valid_loss) and timing.csv (see `add`)."""
        for name, rows in (("history", self.epochs), ("timing", self.timing)):
            write_csv(folder / f"{name}.csv", rows)
