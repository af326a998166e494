"""TensorBoard curves of a run: the columns of history.csv and timing.csv, epoch by epoch."""

from pathlib import Path

from upsampling.training.history import History


class Dashboard:
    """Writes one event file per start of a run to `folder`; without a folder, nothing.

    `epoch` is the last finished one. An interrupted start may have written points after it;
    TensorBoard replaces them by those that follow.
    """

    def __init__(self, folder: Path | None, epoch: int) -> None:
        self.writer = None
        if folder is not None:
            from tensorboardX import SummaryWriter

            # The library's own file name has a resolution of one second.
            self.writer = SummaryWriter(
                str(folder), purge_step=epoch + 1, flush_secs=10, filename_suffix=f".from{epoch}"
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

    def close(self) -> None:
        """Write buffered points and end the writer's thread."""
        if self.writer is not None:
            self.writer.close()
