"""TensorBoard curves of a run: losses, times and artifacts, epoch by epoch."""

from collections.abc import Sequence
from pathlib import Path

from upsampling.training.history import EpochMeasurement, History


class Dashboard:
    """Writes one event file per start of a run to `folder`; without a folder, nothing.

    `epoch` is the last finished one. An interrupted start may have written points after it;
    TensorBoard replaces them by those that follow.
    """

    def __init__(self, folder: Path | None, epoch: int) -> None:
        self.writer = None
        if folder is not None:
            from tensorboardX import SummaryWriter

            # The library's own file name has a resolution of one second. Without a finished epoch,
            # the artifacts before training are measured again.
            lost, suffix = epoch + 1 if epoch else 0, f".from{epoch}"
            self.writer = SummaryWriter(
                str(folder), purge_step=lost, flush_secs=10, filename_suffix=suffix
            )

    def show(self, history: History) -> None:
        """Add the values of the last epoch; they are on disk within seconds."""
        if self.writer is None:
            return
        for kind, rows in (("loss", history.epochs), ("time", history.timing)):
            values = dict(rows[-1])
            epoch = values.pop("epoch")
            for name, value in values.items():
                self.writer.add_scalar(f"{kind}/{name}", value, int(epoch))

    def show_artifacts(self, rows: Sequence[EpochMeasurement]) -> None:
        """Add artifacts, one curve per test signal, measure and frequency."""
        if self.writer is None:
            return
        for row in rows:
            name = f"{row.probe}/{row.measure}_layer{row.layer}_{row.frequency_hz:g}Hz"
            self.writer.add_scalar(name, row.value, row.epoch)

    def close(self) -> None:
        """Write buffered points and end the writer's thread."""
        if self.writer is not None:
            self.writer.close()
