"""The checkpoints of one run: the newest two, and the best weights of each.

`epoch000012.safetensors` is the state after epoch 12; `best000009.safetensors` holds the weights of
the epoch with the lowest validation loss, written when the loss improves. Where a file of another
run has that name, a number is added. P parameters take 12 P
bytes per checkpoint and 4 P per file of best weights: 8.8 and 2.9 GB at paper width (P = 737
million), so 21 to 24 GB at rest, and 35 GB while a third checkpoint, with best weights of its own,
replaces the oldest. A trained model's folder holds `best.safetensors`, `last.safetensors` and
`spec.json`.
"""

import errno
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from upsampling.config.declared import Count, read_settings
from upsampling.config.model import model_settings
from upsampling.errors import UserError
from upsampling.files import read_json
from upsampling.models import build
from upsampling.models.base import AudioModel
from upsampling.training import checkpoint_file
from upsampling.training.history import EpochMeasurement, History
from upsampling.training.identity import difference

CHECKPOINTS_KEPT = 2
BYTES_PER_PARAMETER = (12 + 4) * (CHECKPOINTS_KEPT + 1)


def load_model(folder: str | Path, which: str = "best") -> AudioModel:
    """Load the trained model of `folder`, in evaluation mode.

    `which` is 'best' (lowest validation loss) or 'last'; 'initialised' rebuilds the model before
    training, from the seed in `spec.json`. `UserError` if the file of weights is damaged.
    """
    folder = Path(folder)
    path = folder / "spec.json"
    spec = read_json(path)
    if not isinstance(spec, dict) or not isinstance(spec.get("seed"), int) or "model" not in spec:
        raise UserError(f"{path} does not describe a model: the keys model and seed are missing")
    weights = folder / f"{'best' if which == 'initialised' else which}.safetensors"
    if checkpoint_file.read_meta(weights) != spec:
        raise UserError(
            f"{path} and {weights} are of different runs; delete both and run the same command "
            "again, which writes them from the last checkpoint"
        )
    model = build(model_settings(spec["model"], str(path)), spec["seed"])
    if which != "initialised":
        model.load_state_dict(checkpoint_file.load_verified(weights, model.state_dict()))
    return model.eval()


@dataclass(frozen=True)
class StoredHistory:
    """A `History` as a checkpoint's metadata holds it."""

    epochs: tuple[Mapping[str, float], ...]
    timing: tuple[Mapping[str, float], ...]
    best_epoch: Count
    best_loss: float
    artifacts: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True)
class Meta:
    """The metadata of a checkpoint: its run, its epoch, and the state of all but the tensors."""

    spec: Mapping[str, Any]
    epoch: Count
    best_epoch: Count
    history: StoredHistory
    scaler: Mapping[str, Any]

    def __post_init__(self) -> None:
        rows = [row.get("epoch") for row in self.history.epochs]
        complete = rows == list(range(1, self.epoch + 1)) and len(self.history.timing) == len(rows)
        if not complete or not self.best_epoch == self.history.best_epoch <= self.epoch:
            raise ValueError("its history does not fit its epoch")
        if any(row.epoch > self.epoch for row in self.artifacts):
            raise ValueError("its artifacts do not fit its epoch")

    @property
    def artifacts(self) -> list[EpochMeasurement]:
        """The artifacts of the epochs so far; ValueError for what is no measurement."""
        return [EpochMeasurement.restore(row) for row in self.history.artifacts]

    def restore_history(self) -> History:
        """The history of the epochs so far, to continue."""
        stored = self.history
        epochs, timing = ([dict(row) for row in rows] for rows in (stored.epochs, stored.timing))
        return History(epochs, timing, stored.best_epoch, stored.best_loss, self.artifacts)


@dataclass
class Checkpoints:
    """The checkpoints in `folder` that belong to the run `identity`; other runs' stay untouched.

    `refused` has one reason for each checkpoint that `newest` could not use.
    """

    folder: Path
    identity: dict[str, Any]
    refused: list[str] = field(default_factory=list)

    def paths(self) -> list[Path]:
        """All checkpoints in the folder, newest first."""
        return sorted(self.folder.glob("epoch*.safetensors"), reverse=True)

    def best_path(self, epoch: int) -> Path:
        """The file of this run's best weights, those of epoch `epoch`."""
        return self._own_path(f"best{epoch:06d}")

    def prepare(self, parameters: int) -> None:
        """Remove incomplete files of a killed trainer; `UserError` if the disk is too small."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(".*.safetensors"):
            path.unlink()
        own = [*self.paths(), *self.folder.glob("best*.safetensors")]
        present = sum(path.stat().st_size for path in own if self._is_own(path))
        free = shutil.disk_usage(self.folder).free + present
        needed = parameters * BYTES_PER_PARAMETER
        if free < needed:
            raise UserError(
                f"{self.folder}: checkpoints of {parameters / 1e6:.1f} million parameters need "
                f"{needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; make room or train elsewhere"
            )

    def newest(self, epochs: int, state: Mapping[str, Tensor]) -> tuple[Path, Meta] | None:
        """The newest complete checkpoint of this run, and its metadata; None if there is none.

        Refused are those that are damaged, that another run wrote, that are past `epochs`, or
        whose tensors are not those of `state`. A larger number of epochs is no other run: it does
        not change those before.
        """
        self.refused.clear()
        for path in self.paths():
            try:
                meta = checkpoint_file.read_meta(path)
                if changes := difference(meta.get("spec", {}), self.identity):
                    raise UserError(f"{path} belongs to other settings ({changes}); it stays there")
                read = self._complete(path, state)
                if read.epoch > epochs:
                    raise UserError(f"{path} is past epoch {epochs}, the last one; it stays there")
                return path, read
            except UserError as error:
                self.refused.append(str(error))
        return None

    def ensure_best(self, epoch: int, state: Mapping[str, Tensor]) -> bool:
        """Make sure that the best weights, those of `epoch`, are there; False if they are lost.

        Damaged or missing ones are taken from the checkpoint of that epoch. Where that is gone,
        damaged ones are a `UserError`, since training again and continuing without them give other
        results.
        """
        weights = {name.removeprefix("model."): tensor for name, tensor in state.items()
                   if name.startswith("model.")}  # fmt: skip
        path = self.best_path(epoch)
        try:
            checkpoint_file.load_verified(path, weights)
            return True
        except FileNotFoundError:
            damage = ""
        except UserError as error:
            damage = str(error)
            self.refused.append(damage)
        for checkpoint in filter(self._is_own, self.folder.glob(f"epoch{epoch:06d}*.safetensors")):
            try:
                self._complete(checkpoint, state)
            except UserError:
                continue
            tensors = checkpoint_file.load_file(checkpoint)
            self.save_best({name: tensors[f"model.{name}"] for name in weights}, epoch)
            return True
        if damage:
            raise UserError(
                f"{damage}, and the checkpoint of that epoch is gone; to train again, delete "
                f"{self.folder}; to continue with the best of the epochs to come, delete {path}"
            )
        return False

    def save_best(self, weights: dict[str, Tensor], epoch: int) -> None:
        """Write the weights of `epoch`, whose validation loss is the lowest so far."""
        self._write(self.best_path(epoch), weights, {"epoch": epoch})

    def save(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        """Write the checkpoint of `meta['epoch']`; remove this run's superseded files."""
        self._write(self._own_path(f"epoch{meta['epoch']:06d}"), tensors, meta)
        count, needed = 0, set()
        for path in filter(self._is_own, self.paths()):
            other = checkpoint_file.read_meta(path)
            # A later epoch stays: it was written for a larger number of epochs.
            counts = other["epoch"] <= meta["epoch"]
            count += counts
            if counts and count > CHECKPOINTS_KEPT:
                path.unlink()
            else:
                needed.add(self.best_path(other["best_epoch"]))
        for path in self.folder.glob("best*.safetensors"):
            if path not in needed and self._is_own(path):
                path.unlink()

    def _own_path(self, stem: str) -> Path:
        """`stem`.safetensors, with a number where another run's file has that name."""
        path, number = self.folder / f"{stem}.safetensors", 2
        while path.exists() and not self._is_own(path, damaged=True):
            path = self.folder / f"{stem}-{number}.safetensors"
            number += 1
        return path

    def _is_own(self, path: Path, damaged: bool = False) -> bool:
        """Return True if this run wrote `path`; `damaged` for a damaged file."""
        try:
            return not difference(checkpoint_file.read_meta(path).get("spec", {}), self.identity)
        except UserError:
            return damaged

    def _complete(self, path: Path, state: Mapping[str, Tensor]) -> Meta:
        """The metadata of a checkpoint that is whole and holds tensors like those of `state`."""
        values = checkpoint_file.read_verified(path)
        try:
            meta = read_settings(Meta, values, str(path))
        except UserError as error:
            raise UserError(f"{path} is not a complete checkpoint: {error}") from error
        checkpoint_file.check_tensors(path, state)
        return meta

    def _write(self, path: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        try:
            checkpoint_file.save(path, tensors, {"spec": self.identity, **meta})
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise UserError(f"{path} cannot be written: {error.strerror}; make room") from error
