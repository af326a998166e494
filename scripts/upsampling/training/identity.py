"""What is trained, on what, and what makes two runs the same."""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upsampling.config.mapping import canonical
from upsampling.config.model import ModelSettings
from upsampling.config.training import TrainingSettings
from upsampling.tracks.store import TrackStore


@dataclass
class Run:
    """One training run: what is trained, on what, where its files go, and how it is stopped.

    `events` is the folder of TensorBoard's files, if any are wanted.

    `micro_batch` is how many examples of a process's share go through the model at once (0: all):
    less memory for the same result, as gradients are summed before each step.
    """

    model: ModelSettings
    training: TrainingSettings
    seed: int
    store: TrackStore
    checkpoints: Path
    name: str = "model"
    max_minutes: float = math.inf
    micro_batch: int = 0
    events: Path | None = None

    @property
    def spec(self) -> dict[str, Any]:
        """What decides the result, as JSON has it; a checkpoint of another spec is not resumed.

        Number of processes and `micro_batch` are not in it: they change no more than rounding.
        """
        tracks = [(t.name, t.sha256) for s in ("train", "valid") for t in self.store.tracks(s)]
        spec = {
            "model": dataclasses.asdict(self.model),
            "training": dataclasses.asdict(self.training),
            "seed": self.seed,
            "data": hashlib.sha256(canonical(tracks).encode()).hexdigest(),
        }
        return json.loads(canonical(spec))
