"""The history of a run: losses and artifacts, which are reproducible, and times, which are not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from upsampling.files import write_csv


class EpochMeasurement(NamedTuple):
    """One number measured after `epoch` epochs: a row of artifact_history.csv.

    `layer` counts the upsampling layers from 1, the deepest.
    """

    epoch: int
    probe: str
    measure: str
    layer: int
    frequency_hz: float
    value: float
    unit: str

    @classmethod
    def restore(cls, values: Sequence[Any]) -> "EpochMeasurement":
        """Build one from JSON, which has 1 for 1.0; ValueError for values that do not fit."""
        try:
            epoch, probe, measure, layer, frequency, value, unit = values
            return cls(
                int(epoch), str(probe), str(measure), int(layer), float(frequency), float(value),
                str(unit),
            )  # fmt: skip
        except TypeError as error:
            raise ValueError(f"{values!r} is no measurement: {error}") from error


@dataclass
class History:
    """Losses, times and artifacts of all finished epochs, and the epoch with the best weights.

    The first artifacts are those before training, of epoch 0.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    timing: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float | None = None
    artifacts: list[EpochMeasurement] = field(default_factory=list)

    def add(
        self, train_loss: float, valid_loss: float, seconds: float, examples: int, memory: int
    ) -> bool:
        """Append an epoch; return True if its validation loss is the lowest so far.

        `seconds` is the time of training alone, `memory` the peak memory of a GPU in bytes.
        """
        epoch = len(self.epochs) + 1
        self.epochs.append({"epoch": epoch, "train_loss": train_loss, "valid_loss": valid_loss})
        timing = {"epoch": epoch, "seconds": seconds, "samples_per_second": examples / seconds}
        self.timing.append(timing | {"gpu_memory_bytes": memory})
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
        """Write history.csv (epoch, train_loss, valid_loss), timing.csv (see `add`) and
        artifact_history.csv (see `EpochMeasurement`)."""
        for name, rows in (("history", self.epochs), ("timing", self.timing)):
            write_csv(folder / f"{name}.csv", rows)
        artifacts = [row._asdict() for row in self.artifacts]
        write_csv(folder / "artifact_history.csv", artifacts, EpochMeasurement._fields)
