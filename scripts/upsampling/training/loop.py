"""The training loop: L1 loss, Adam, new mixes on the fly (Sec. 6)."""

import dataclasses
import hashlib
import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from upsampling.files import atomic_path, write_json
from upsampling.models import build
from upsampling.models.demucs_like import centre
from upsampling.settings import DemucsLikeSettings, TrainingSettings, UserError, canonical
from upsampling.tracks.segments import Examples
from upsampling.tracks.store import TrackStore
from upsampling.training import checkpoints
from upsampling.training.lock import exclusive

LOSSES = {"l1": functional.l1_loss, "mse": functional.mse_loss}


class OutOfTime(Exception):
    """Training stopped itself before its time limit; a checkpoint holds all finished epochs."""


@dataclass
class Run:
    """One training run: what is trained, on what, and where its files go."""

    model: DemucsLikeSettings
    training: TrainingSettings
    seed: int
    store: TrackStore
    checkpoints: Path
    name: str = "model"
    max_minutes: float = math.inf

    @property
    def spec(self) -> dict[str, Any]:
        """What decides the result, as JSON has it; a checkpoint of another spec is not resumed."""
        tracks = [(t.name, t.sha256) for s in ("train", "valid") for t in self.store.tracks(s)]
        spec = {
            "model": dataclasses.asdict(self.model),
            "training": dataclasses.asdict(self.training),
            "seed": self.seed,
            "data": hashlib.sha256(canonical(tracks).encode()).hexdigest(),
        }
        return json.loads(canonical(spec))


class Trainer:
    """Trains one `Run`, epoch by epoch, resuming from its newest whole checkpoint."""

    def __init__(self, run: Run):
        self.run = run
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = build(run.model, run.seed)
        samples = model.input_length(round(run.training.segment_seconds * run.store.samplerate))  # type: ignore[operator]
        self.model = model.to(self.device)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=run.training.learning_rate, fused=True
        )
        self.examples = Examples(run.store, "train", run.training, run.seed, samples)
        self.validation = Examples(
            run.store, "valid", run.training, run.seed, samples, augment=False
        )
        self.epoch, self.best_loss = 0, math.inf
        self.best: dict[str, Tensor] = {}
        self.history: list[dict[str, float]] = []
        self.timing: list[dict[str, float]] = []

    def resume(self) -> None:
        """Continue from the newest whole checkpoint of this run; say why others are refused."""
        tensors, meta, refused = checkpoints.load_checkpoint(self.run.checkpoints, self.run.spec)
        for reason in refused:
            say(f"{self.run.name}: not resumed: {reason}")
        if tensors:
            self.best = checkpoints.unpack(tensors, self.model, self.optimizer)
            self.epoch, self.best_loss = meta["epoch"], meta["best_loss"]
            self.history, self.timing = meta["history"], meta["timing"]
            say(f"{self.run.name}: resumed after epoch {self.epoch}")

    def train(self) -> None:
        """Train to the last epoch; raises `OutOfTime` when `max_minutes` would be exceeded."""
        started, epochs = time.monotonic(), self.run.training.epochs
        with exclusive(self.run.checkpoints):
            self.resume()
            while self.epoch < epochs:
                begun = time.monotonic()
                self.epoch += 1
                train_loss = self.train_epoch()
                seconds = time.monotonic() - begun
                valid_loss = self.validate()
                self.record(train_loss, valid_loss, seconds)
                self.save()
                longest = max(row["seconds"] for row in self.timing) * 1.1
                elapsed = time.monotonic() - started
                if self.epoch < epochs and elapsed + longest > self.run.max_minutes * 60:
                    raise OutOfTime(f"{self.run.name}: stopped after epoch {self.epoch}/{epochs}")

    def train_epoch(self) -> float:
        """One pass over the epoch's examples; the mean loss. `UserError` if it is not finite."""
        settings, total = self.run.training, 0.0
        steps = max(1, len(self.examples) // settings.batch_size)
        self.model.train()
        label = f"{self.run.name} epoch {self.epoch}/{settings.epochs}"
        bar = tqdm(range(steps), label, leave=False, disable=not sys.stderr.isatty())
        for step in bar:
            first = step * settings.batch_size
            indices = range(first, first + settings.batch_size)
            loss = self.loss(self.batch(self.examples, self.epoch, indices))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            value = loss.item()
            if not math.isfinite(value):
                raise UserError(
                    f"{self.run.name}: the loss became {value} at step {step} of epoch "
                    f"{self.epoch}; the checkpoint of the epoch before is kept: lower "
                    "training.learning_rate"
                )
            self.optimizer.step()
            total += value
            bar.set_postfix(loss=f"{value:.4f}")
        return total / steps

    @torch.no_grad()
    def validate(self) -> float:
        """Mean loss over the validation segments; keeps the weights when it is the lowest yet."""
        self.model.eval()
        size, total = self.run.training.batch_size, 0.0
        count = len(self.validation)
        for first in range(0, count, size):
            indices = range(first, min(first + size, count))
            total += self.loss(self.batch(self.validation, 0, indices)).item() * len(indices)
        loss = total / count
        if loss < self.best_loss:
            self.best_loss = loss
            self.best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        return loss

    def batch(self, examples: Examples, epoch: int, indices: range) -> Tensor:
        """Sources of the examples, `[batch, sources, audio_channels, time]`."""
        stacked = np.stack([examples.example(epoch, index) for index in indices])
        return torch.from_numpy(stacked).to(self.device)

    def loss(self, sources: Tensor) -> Tensor:
        """Loss between the separated mixture of `sources` and their centre."""
        estimates = self.model(sources.sum(dim=1))
        return LOSSES[self.run.training.loss](estimates, centre(sources, estimates.shape[-1]))

    def record(self, train_loss: float, valid_loss: float, seconds: float) -> None:
        """Append the epoch to the history (reproducible) and to the timing (not)."""
        memory = torch.cuda.max_memory_allocated() if self.device.type == "cuda" else 0
        self.history.append(
            {"epoch": self.epoch, "train_loss": train_loss, "valid_loss": valid_loss}
        )
        self.timing.append({"epoch": self.epoch, "seconds": seconds, "gpu_memory_bytes": memory})
        left = seconds * (self.run.training.epochs - self.epoch)
        say(
            f"{self.run.name}: epoch {self.epoch}/{self.run.training.epochs}  "
            f"loss {train_loss:.5f}  validation {valid_loss:.5f}  "
            f"{seconds:.1f} s, about {left / 60:.1f} min left"
        )

    def save(self) -> None:
        """Write the checkpoint of the epoch that just ended."""
        meta = {
            "spec": self.run.spec,
            "epoch": self.epoch,
            "best_loss": self.best_loss,
            "history": self.history,
            "timing": self.timing,
        }
        tensors = checkpoints.pack(self.model, self.optimizer, self.best)
        checkpoints.save_checkpoint(self.run.checkpoints, tensors, meta)

    def export(self, folder: Path) -> None:
        """Write the trained model: best and last weights, spec, history and timing."""
        spec = self.run.spec | {
            "parameters": sum(p.numel() for p in self.model.parameters() if p.requires_grad),
            "best_epoch": min(self.history, key=lambda row: row["valid_loss"])["epoch"],
        }
        last: nn.Module = self.model
        checkpoints.save(folder / "best.safetensors", self.best, spec)
        checkpoints.save(folder / "last.safetensors", last.state_dict(), spec)
        for name, rows in (("history", self.history), ("timing", self.timing)):
            with atomic_path(folder / f"{name}.csv") as temporary:
                pd.DataFrame(rows).to_csv(temporary, index=False)
        write_json(folder / "spec.json", spec)


def say(message: str) -> None:
    """Print one line of progress to standard error at once."""
    print(message, file=sys.stderr, flush=True)
