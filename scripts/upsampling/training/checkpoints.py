"""The checkpoints of one run: the newest two, and the best weights of each.

`epoch000012.safetensors` is the state after epoch 12; `best000009.safetensors` holds the weights of
the epoch with the lowest validation loss, written when the loss improves. P parameters take 12 P
bytes per checkpoint and 4 P per file of best weights: 8.8 and 2.9 GB at paper width (P = 737
million), so 21 to 24 GB at rest, and 35 GB while a third checkpoint, with best weights of its own,
replaces the oldest. A trained model's folder holds `best.safetensors`, `last.safetensors` and
`spec.json`.
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
from upsampling.training.identity import difference

CHECKPOINTS_KEPT = 2
BYTES_PER_PARAMETER = (12 + 4) * (CHECKPOINTS_KEPT + 1)


def load_model(folder: str | Path, which: str = "best") -> AudioModel:
    """Load the trained model of `folder`, in evaluation mode.

    `which` is 'best' (lowest validation loss) or 'last'; 'initialised' rebuilds the model before
    training, from the seed in `spec.json`. `UserError` if the file of weights is not complete.
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
        """The file of best weights that epoch `epoch` reached."""
        return self.folder / f"best{epoch:06d}.safetensors"

    def prepare(self, parameters: int) -> None:
        """Remove incomplete files of a killed trainer; `UserError` if the disk is too small."""
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
        """The newest complete checkpoint of this run, and its meta; None if there is none.

        Refused are those that are truncated or damaged, that another run wrote, or that are past
        `epochs`. A larger number of epochs is no other run: it does not change those before.
        """
        self.refused.clear()
        for path in self.paths():
            try:
                meta = checkpoint_file.read_meta(path)
                if changes := difference(meta.get("spec", {}), self.identity):
                    raise UserError(f"{path} belongs to other settings ({changes}); it stays there")
                if meta["epoch"] > epochs:
                    raise UserError(f"{path} is past epoch {epochs}, the last one; it stays there")
                return path, checkpoint_file.read_verified(path)
            except UserError as error:
                self.refused.append(str(error))
        return None

    def best_is_complete(self, epoch: int) -> bool:
        """True if the best weights, of epoch `epoch`, are there as this run wrote them."""
        path = self.best_path(epoch)
        try:
            if not self._is_same_run(checkpoint_file.read_verified(path)):
                raise UserError(f"{path} belongs to other settings")
        except UserError as error:
            self.refused.append(str(error))
            return False
        return True

    def save_best(self, weights: dict[str, Tensor], epoch: int) -> None:
        """Write the weights of `epoch`, whose validation loss is the lowest so far."""
        self._write(self.best_path(epoch), weights, {"epoch": epoch})

    def save(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        """Write the checkpoint of `meta['epoch']`; remove this run's superseded files."""
        path = self.folder / f"epoch{meta['epoch']:06d}.safetensors"
        self._write(path, tensors, meta)
        count = 0
        needed = set()
        for path in self.paths():
            try:
                other = checkpoint_file.read_meta(path)
            except UserError:
                continue
            # A later epoch stays: it was written for a larger number of epochs.
            counts = self._is_same_run(other) and other["epoch"] <= meta["epoch"]
            count += counts
            if counts and count > CHECKPOINTS_KEPT:
                path.unlink()
            else:
                needed.add(self.best_path(other.get("best_epoch", 0)))
        for path in self.folder.glob("best*.safetensors"):
            if path not in needed:
                path.unlink()

    def _is_same_run(self, meta: dict[str, Any]) -> bool:
        return not difference(meta.get("spec", {}), self.identity)

    def _write(self, path: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        try:
            checkpoint_file.save(path, tensors, {"spec": self.identity, **meta})
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise UserError(f"{path} cannot be written: {error.strerror}; make room") from error
