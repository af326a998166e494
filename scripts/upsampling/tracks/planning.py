"""Plans of a track store: its tracks and their splits; all mistakes that show before decoding."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from upsampling.errors import UserError, nearest_match
from upsampling.tracks.decoder import musdb_validation_names
from upsampling.tracks.reading import SourceTrack, inspect_headers, list_tracks

PROBLEMS_SHOWN = 20


@dataclass(frozen=True)
class PlannedTrack:
    """A track to store: its files, split and origin, and its mixture ("own" or "linear")."""

    source: SourceTrack
    split: str
    origin: str
    mixture: str = "own"


def plan_tracks(
    root: Path, wav: bool, origin: str, validation: Sequence[str] | Literal["musdb"] | float
) -> list[PlannedTrack]:
    """Plan every track of MUSDB's layout in `root`; `validation` chooses tracks of train/.

    It has names, or a share of the tracks, drawn with a fixed seed; "musdb" stands for those of the
    fourteen names in musdb's configuration that exist here. A listed name without a track is a
    `UserError`. Tracks without mixture.wav get the sum of their sources.
    """
    tracks = list_tracks(root, wav)
    train = sorted(track.name for track in tracks if track.subset == "train")
    valid = set(_validation_names(train, root, validation))
    return [
        PlannedTrack(
            track,
            "valid" if track.subset == "train" and track.name in valid else track.subset,
            origin,
            "own" if track.has_mixture else "linear",
        )
        for track in tracks
    ]


def _validation_names(
    train: Sequence[str], root: Path, validation: Sequence[str] | Literal["musdb"] | float
) -> Sequence[str]:
    if isinstance(validation, float):
        count = max(1, round(validation * len(train)))
        order = np.random.default_rng(0).permutation(len(train))
        return [train[place] for place in order[:count]]
    if validation == "musdb":
        return musdb_validation_names()
    for name in validation:
        if name not in train:
            raise UserError(
                f"validation track '{name}' is not in {root / 'train'}{nearest_match(name, train)}"
            )
    return validation


def check_plan(plan: Sequence[PlannedTrack], root: Path) -> None:
    """Raise `UserError` with all mistakes that show before tracks are decoded."""
    needs = {
        "train": f"train on: put tracks into {root / 'train'}",
        "valid": "validate on: name some of train/ in data.validation, or a share of them, "
        "such as 0.1",
        "test": f"test on: put tracks into {root / 'test'}; models are scored on them",
    }
    splits = {planned.split for planned in plan}
    problems = [f"no track to {need}" for split, need in needs.items() if split not in splits]
    for planned in plan:
        problems += inspect_headers(planned.source)
    refuse(problems, str(root))


def refuse(problems: Sequence[str], where: str) -> None:
    """Raise `UserError` with `problems`, one per line, if there are any."""
    if not problems:
        return
    rest = len(problems) - PROBLEMS_SHOWN
    lines = [*problems[:PROBLEMS_SHOWN], *([f"and {rest} more"] if rest > 0 else [])]
    count = f"{len(problems)} mistakes in {where}:\n  " if len(problems) > 1 else ""
    raise UserError(count + "\n  ".join(lines))
