"""A training run, and the settings and data that make two runs the same."""

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upsampling.config.declared import read_settings
from upsampling.config.mapping import canonical, whole
from upsampling.config.model import ModelSettings, model_settings
from upsampling.config.training import OBSERVATION, TrainingSettings
from upsampling.errors import UserError
from upsampling.tracks.store import TrackStore

# Adding epochs changes none of those before.
MAY_DIFFER = "training.epochs"


@dataclass
class Run:
    """One training run: model, settings, data, the folder of its checkpoints, and its limits.

    `micro_batch` is the number of examples of a process's share that go through the model at once
    (0: all). Gradients are summed before each step, so it saves memory and does not change the
    result. `events` is the folder of TensorBoard's files; None writes none.
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
    def identity(self) -> dict[str, Any]:
        """All that decides the result, as JSON has it; a checkpoint of another is not resumed.

        The number of processes and `micro_batch` are left out, as they change rounding only, and
        settings of what is recorded.
        """
        tracks = [(t.name, t.sha256) for s in ("train", "valid") for t in self.store.tracks(s)]
        identity = {
            **_sections(self.model, self.training),
            "seed": self.seed,
            "data": hashlib.sha256(canonical(tracks).encode()).hexdigest(),
        }
        return whole(identity)


def difference(stored: Mapping[str, Any], current: Mapping[str, Any]) -> str:
    """The settings in which two identities differ, with both values; '' for the same run.

    The number of epochs may differ. A setting that `stored` lacks, since it was added to the
    program later, has its default.
    """
    return ", ".join(_differences(_with_defaults(stored), current, ""))


def _with_defaults(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        model = model_settings(stored["model"], "model")
        training = read_settings(TrainingSettings, stored["training"], "training")
    except (LookupError, TypeError, AttributeError, UserError):
        # Not settings of this version; they differ as they are.
        return stored if isinstance(stored, Mapping) else {}
    return whole({**stored, **_sections(model, training)})


def _sections(model: ModelSettings, training: TrainingSettings) -> dict[str, dict[str, Any]]:
    """The sections of an identity."""
    deciding = dataclasses.asdict(training)
    for key in OBSERVATION:
        del deciding[key]
    return {"model": dataclasses.asdict(model), "training": deciding}


def _differences(stored: Mapping[str, Any], current: Mapping[str, Any], prefix: str) -> list[str]:
    differences = []
    for key in sorted({*stored, *current}):
        old, new = stored.get(key), current.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            differences += _differences(old, new, f"{prefix}{key}.")
        elif old != new and f"{prefix}{key}" != MAY_DIFFER:
            differences.append(f"{prefix}{key} {old!r} -> {new!r}")
    return differences
