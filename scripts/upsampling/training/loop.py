"""The training loop: L1 loss, Adam, new mixes on the fly (Sec. 6)."""

import math
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from upsampling.errors import UserError, lacks_memory
from upsampling.files import write_json
from upsampling.tracks.segments import Dataset
from upsampling.training import checkpoint_file
from upsampling.training.artifacts import measure_epoch
from upsampling.training.checkpoints import Checkpoints
from upsampling.training.dashboard import Dashboard
from upsampling.training.distributed import Group
from upsampling.training.history import EpochMeasurement, History
from upsampling.training.identity import Run
from upsampling.training.lock import exclusive
from upsampling.training.prefetch import batches
from upsampling.training.progress import Progress, duration, report
from upsampling.training.signals import EXIT_STATUS, Stopped, Stopper
from upsampling.training.train_step import TrainStep

# Reading a loss makes the CPU wait for the GPU, so it is read after several steps there.
STEPS_BETWEEN_CHECKS = {"cpu": 1, "cuda": 10}
# Training fails when a loss exceeds the best epoch's by this factor.
DIVERGED = 1000.0
# Largest batch of validation. It does not depend on the number of processes, so neither do
# validation losses.
VALIDATION_BATCH = 8


def train(run: Run, group: Group, output: Path) -> None:
    """Train `run` to its last epoch and write the trained model to `output`.

    A run that has to stop earlier exits with `EXIT_STATUS`; the next call resumes it. A device
    without enough memory is a `UserError`.
    """
    try:
        trainer = Trainer(run, group)
        trainer.train()
    except Stopped as stop:
        if group.is_main:
            report(f"{run.name}: {stop}; start again to continue")
        sys.exit(EXIT_STATUS)
    except (RuntimeError, MemoryError) as error:
        if not lacks_memory(error):
            raise
        reason = str(error).partition("\n")[0].rstrip(".")
        raise UserError(
            f"{run.name}: {group.device} has not enough memory: {reason}. Let fewer "
            "examples go through the model at once (--micro-batch; micro_batch in a profile)"
        ) from error
    if group.is_main:
        trainer.export(output)


class Trainer:
    """Trains one `Run`, epoch by epoch, resuming from its newest complete checkpoint.

    The processes of `group` share each batch. The number of processes changes neither the examples
    of a batch nor the batches of an epoch. An epoch's last, incomplete batch is left out.
    """

    def __init__(self, run: Run, group: Group):
        self.run, self.group, self.device = run, group, group.device
        settings = run.training
        self.train_step = TrainStep(run, group)
        self.model, self.optimizer = self.train_step.model, self.train_step.optimizer
        samples = self.model.input_length(round(settings.segment_seconds * run.store.samplerate))
        self.examples = Dataset(run.store, "train", settings, run.seed, samples)
        self.validation = Dataset(run.store, "valid", settings, run.seed, samples, augment=False)
        self.steps = len(self.examples) // settings.batch_size
        if not self.steps or group.size > settings.batch_size:
            group.fail(
                f"{run.name}: {len(self.examples)} examples per epoch, batches of "
                f"{settings.batch_size} and {group.size} processes: each process needs an "
                "example of each batch, and an epoch a batch; change training.batch_size"
            )
        self.checkpoints = Checkpoints(run.checkpoints, run.identity)
        self.history = History()
        self.stopper = Stopper(run.max_minutes)

    @property
    def epoch(self) -> int:
        """The last finished epoch."""
        return len(self.history.epochs)

    def train(self) -> None:
        """Train to the last epoch; raises `Stopped` when a signal or the time limit ends it."""
        epochs, group, longest = self.run.training.epochs, self.group, 0.0
        with ExitStack() as stack:
            group.on_main(lambda: stack.enter_context(exclusive(self.run.checkpoints)))
            group.on_main(lambda: self.run.store.verify("train", "valid"))
            stack.enter_context(self.stopper)
            self.resume()
            self.train_step.connect()
            dashboard = Dashboard(self.run.events if group.is_main else None, self.epoch)
            stack.callback(dashboard.close)
            dashboard.show_artifacts(self.measure(self.epoch))
            while self.epoch < epochs:
                start = time.monotonic()
                train_loss = self.train_epoch()
                seconds = time.monotonic() - start
                valid_loss = self.validate()
                artifacts = self.measure(self.epoch + 1)
                self.finish_epoch(train_loss, valid_loss, seconds)
                longest = max(longest, time.monotonic() - start)
                dashboard.show(self.history)
                dashboard.show_artifacts(artifacts)
                left = duration((epochs - self.epoch) * longest)
                self.report(f"{self.history.summary(epochs)}, about {left} left")
                if self.epoch < epochs:
                    self.stop_if_asked(group.any(bool(self.stopper.reason(longest))), longest)

    def resume(self) -> None:
        """Continue from the newest complete checkpoint of this run; report the refused ones."""
        found = self.group.on_main(self._read_newest)
        if found is not None:
            self.group.broadcast(list(checkpoint_file.pack(self.model, self.optimizer).values()))
            self.history, scaler = found
            if scaler:
                self.train_step.scaler.load_state_dict(dict(scaler))

    def _read_newest(self) -> tuple[History, Mapping[str, Any]] | None:
        files = self.checkpoints
        files.prepare(sum(p.numel() for p in self.model.parameters()))
        state = checkpoint_file.pack(self.model, self.optimizer)
        newest = files.newest(self.run.training.epochs, state)
        try:
            if newest is None:
                return None
            path, meta = newest
            history = meta.restore_history()
            if not files.ensure_best(history.best_epoch, state):
                files.refused.append(f"the weights of epoch {meta.epoch} are the best from here")
                history.set_best(meta.epoch)
            checkpoint_file.restore(path, self.model, self.optimizer)
            if history.best_epoch == meta.epoch != meta.best_epoch:
                files.save_best(self.model.state_dict(), meta.epoch)
        finally:
            for reason in files.refused:
                self.report(f"not used: {reason}")
        self.report(f"resumed after epoch {meta.epoch}")
        return history, meta.scaler

    def train_epoch(self) -> float:
        """Train on the epoch's examples; return the mean loss.

        `UserError` if the loss of a step is not finite or diverges, `Stopped` if asked to stop.
        """
        size, epoch = self.run.training.batch_size, self.epoch + 1
        firsts = range(0, self.steps * size, size)
        shares = [self.group.share(range(first, first + size)) for first in firsts]
        every = STEPS_BETWEEN_CHECKS[self.device.type]
        label = f"{self.run.name} epoch {epoch}/{self.run.training.epochs}"
        progress = Progress(label, self.steps * size, silent=not self.group.is_main)
        pending: list[Tensor] = []
        losses: list[float] = []
        self.model.train()
        for batch in batches(self.examples, epoch, shares, self.device):
            pending.append(self.train_step.step(batch))
            if len(pending) == every or len(losses) + len(pending) == self.steps:
                losses += self.check(pending, losses)
                progress.update(size * len(pending), losses[-1])
                pending.clear()
        progress.close()
        return math.fsum(losses) / self.steps

    def check(self, pending: list[Tensor], before: list[float]) -> list[float]:
        """Return the losses of the `pending` steps, summed over processes; fail on a bad one.

        `before` are those of the epoch's earlier steps. The processes also agree on stopping here,
        so that all leave at the same step.
        """
        stop_here = torch.tensor(float(bool(self.stopper.reason())), device=self.device)
        *losses, stop = self.group.sum(torch.stack([*pending, stop_here])).tolist()
        best = min((row["train_loss"] for row in self.history.epochs), default=0.0)
        limit = DIVERGED * (best or max(1.0, (before or losses)[0]))
        for step, loss in enumerate(losses, len(before) + 1):
            if not loss <= limit:
                self.fail(f"the loss became {loss:.6g} at step {step} of epoch {self.epoch + 1}")
        if len(before) + len(pending) < self.steps:
            self.stop_if_asked(stop > 0)
        return losses

    @torch.no_grad()
    def validate(self) -> float:
        """Mean loss over the validation segments, independent of the number of processes."""
        self.model.eval()
        count, size = len(self.validation), VALIDATION_BATCH
        size = min(size, self.run.micro_batch or size)
        chunks = [range(first, min(first + size, count)) for first in range(0, count, size)]
        share = chunks[self.group.rank :: self.group.size]
        losses = torch.zeros(count, dtype=torch.float64, device=self.device)
        loaded = batches(self.validation, 0, share, self.device)
        for chunk, batch in zip(share, loaded, strict=True):
            losses[chunk.start : chunk.stop] = self.train_step.losses(self.model, batch).double()
        loss = float(self.group.sum(losses).mean())
        if not math.isfinite(loss):
            self.fail(f"the validation loss became {loss} after epoch {self.epoch + 1}")
        return loss

    def measure(self, epoch: int) -> list[EpochMeasurement]:
        """Measure the artifacts of the weights, which are those after `epoch`, if it is due.

        An output that cannot be measured is reported, and training goes on.
        """
        every, history = self.run.training.artifact_epochs, self.history.artifacts
        if not every or epoch % every or (history and history[-1].epoch == epoch):
            return []

        def measured() -> list[EpochMeasurement]:
            try:
                return measure_epoch(self.model, epoch)
            except UserError as error:
                self.report(f"artifacts of epoch {epoch} are not measured: {error}")
                return []

        rows = self.group.on_main(measured)
        history += rows
        return rows

    def finish_epoch(self, train_loss: float, valid_loss: float, seconds: float) -> None:
        """Add the finished epoch to the history and write its checkpoint."""
        memory = 0
        if self.device.type == "cuda":
            memory = int(self.group.maximum(torch.cuda.max_memory_allocated()))
            torch.cuda.reset_peak_memory_stats()
        examples = self.steps * self.run.training.batch_size
        improved = self.history.add(train_loss, valid_loss, seconds, examples, memory)
        self.group.on_main(lambda: self.save(improved))

    def save(self, improved: bool) -> None:
        """Write the last epoch's checkpoint, and its weights as the best if it `improved`."""
        if improved:
            self.checkpoints.save_best(self.model.state_dict(), self.epoch)
        meta = {
            "epoch": self.epoch,
            "best_epoch": self.history.best_epoch,
            "history": vars(self.history),
            "scaler": self.train_step.scaler.state_dict(),
        }
        self.checkpoints.save(checkpoint_file.pack(self.model, self.optimizer), meta)
        self.history.write(self.run.checkpoints)

    def export(self, folder: Path) -> None:
        """Write the trained model: best and last weights, spec.json, files of its history."""
        spec = self.run.identity | {
            "parameters": sum(p.numel() for p in self.model.parameters() if p.requires_grad),
            "best_epoch": self.history.best_epoch,
        }
        best = checkpoint_file.load_verified(
            self.checkpoints.best_path(self.history.best_epoch), self.model.state_dict()
        )
        checkpoint_file.save(folder / "best.safetensors", best, spec)
        checkpoint_file.save(folder / "last.safetensors", self.model.state_dict(), spec)
        self.history.write(folder)
        write_json(folder / "spec.json", spec)

    def stop_if_asked(self, stop: bool, longest: float = 0.0) -> None:
        """Raise `Stopped` if `stop`, on which all processes have agreed."""
        if stop:
            reason = self.stopper.reason(longest) or "another process was asked to stop"
            raise Stopped(f"{reason}: stopped after epoch {self.epoch}/{self.run.training.epochs}")

    def fail(self, problem: str) -> None:
        """End all processes of the run with a message."""
        saved = f"the checkpoint of epoch {self.epoch} is kept" if self.epoch else "none was saved"
        self.group.fail(f"{self.run.name}: {problem}; {saved}: lower training.learning_rate")

    def report(self, message: str) -> None:
        """Print one line about this run, in the main process."""
        if self.group.is_main:
            report(f"{self.run.name}: {message}")
