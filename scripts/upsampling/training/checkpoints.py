"""The checkpoints of one run: two of them, the best weights so far, and which to resume from.

`epoch000012.safetensors` is the state after epoch 12, `best000009.safetensors` the weights of the
epoch with the lowest validation loss, written when it improves. With P parameters that is 12 P
bytes per checkpoint and 4 P per best one: at paper width (P = 737 million) 8.8 and 2.9 GB, so
21 to 24 GB at rest, and 35 GB while a third checkpoint, with best weights of its own, replaces the
oldest. A trained model's folder holds `best.safetensors`, `last.safetensors` and `spec.json`.
"""

import errno
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from upsampling.config.model import model_settings
from upsampling.errors import UserError
from upsampling.files import read_json
from upsampling.models import build
from upsampling.models.base import AudioModel
from upsampling.training import checkpoint_file

KEPT = 2
BYTES_PER_PARAMETER = (12 + 4) * (KEPT + 1)


def load_model(folder: str | Path, which: str = "best") -> AudioModel:
    """Load the trained model of `folder`, in evaluation mode.

    `which` is 'best' (lowest validation loss) or 'last'; 'initialised' rebuilds the model as it
    was before training, from the seed in `spec.json`. `UserError` if the weights are not whole.
    """
    folder = Path(folder)
    spec = read_json(folder / "spec.json")
    model = build(model_settings(spec["model"], str(folder / "spec.json")), spec["seed"])
    if which != "initialised":
        path = folder / f"{which}.safetensors"
        try:
            model.load_state_dict(load_file(path))
        except SafetensorError as error:
            raise UserError(f"{path} is not a complete file of weights: {error}") from error
    return model.eval()


@dataclass
class Checkpoints:
    """The checkpoints in `folder` that belong to the run `spec`; those of others stay untouched.

    `refused` has one reason for each checkpoint that `newest` could not use.
    """

    folder: Path
    spec: dict[str, Any]
    refused: list[str] = field(default_factory=list)

    def paths(self) -> list[Path]:
        """All checkpoints in the folder, newest first."""
        return sorted(self.folder.glob("epoch*.safetensors"), reverse=True)

    def best_path(self, epoch: int) -> Path:
        """Where the best weights are that epoch `epoch` reached."""
        return self.folder / f"best{epoch:06d}.safetensors"

    def prepare(self, parameters: int) -> None:
        """Remove what a killed trainer left half-written; `UserError` if the disk is too small."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(".*.safetensors"):
            path.unlink()
        present = sum(path.stat().st_size for path in self.folder.glob("*.safetensors"))
        free = shutil.disk_usage(self.folder).free + present
        needed = parameters * BYTES_PER_PARAMETER
        if free < needed:
            raise UserError(
                f"{self.folder}: checkpoints of {parameters / 1e6:.1f} million parameters need "
                f"{needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; make room or train elsewhere"
            )

    def newest(self, epochs: int) -> tuple[Path, dict[str, Any]] | None:
        """The newest whole checkpoint of this run, and its meta; None if there is none.

        Refused are those that are truncated or damaged, that another run wrote, or that are past
        `epochs`. Epochs may be added: their number does not influence how those before go.
        """
        self.refused.clear()
        for path in self.paths():
            try:
                meta = checkpoint_file.read_meta(path)
                if not same_run(meta.get("spec", {}), self.spec):
                    changes = difference(meta.get("spec", {}), self.spec)
                    raise UserError(f"{path} belongs to other settings ({changes}); it stays there")
                if meta["epoch"] > epochs:
                    raise UserError(f"{path} is past epoch {epochs}, the last one; it stays there")
                return path, checkpoint_file.read_verified(path)
            except UserError as error:
                self.refused.append(str(error))
        return None

    def best_is_whole(self, epoch: int) -> bool:
        """Whether the best weights, of epoch `epoch`, are there as this run wrote them."""
        path = self.best_path(epoch)
        try:
            meta = checkpoint_file.read_verified(path)
            if not same_run(meta.get("spec", {}), self.spec):
                raise UserError(f"{path} belongs to other settings")
        except UserError as error:
            self.refused.append(str(error))
            return False
        return True

    def save_best(self, weights: dict[str, Tensor], epoch: int) -> None:
        """Write the weights that reached the lowest validation loss yet, in `epoch`."""
        self._write(self.best_path(epoch), weights, {"spec": self.spec, "epoch": epoch})

    def save(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        """Write the checkpoint of `meta['epoch']`; remove this run's superseded files."""
        path = self.folder / f"epoch{meta['epoch']:06d}.safetensors"
        self._write(path, tensors, {"spec": self.spec, **meta})
        own = 0
        needed = set()
        for path in self.paths():
            try:
                other = checkpoint_file.read_meta(path)
            except UserError:
                continue
            # One past this epoch is from when more epochs were asked for, and may be wanted again.
            mine = same_run(other.get("spec", {}), self.spec) and other["epoch"] <= meta["epoch"]
            own += mine
            if mine and own > KEPT:
                path.unlink()
            else:
                needed.add(self.best_path(other.get("best_epoch", 0)))
        for path in self.folder.glob("best*.safetensors"):
            if path not in needed:
                path.unlink()

    def _write(self, path: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        try:
            checkpoint_file.save(path, tensors, meta)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise UserError(f"{path} cannot be written: {error.strerror}; make room") from error


def same_run(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether two specs describe one run, whatever their numbers of epochs."""
    return not difference(old, new)


def difference(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> str:
    """Name the keys in which two specs differ, with both values; `training.epochs` may."""
    parts = []
    for key in sorted({*old, *new}):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            parts.append(difference(a, b, f"{prefix}{key}."))
        elif a != b and f"{prefix}{key}" != "training.epochs":
            parts.append(f"{prefix}{key} {a!r} -> {b!r}")
    return ", ".join(part for part in parts if part)
