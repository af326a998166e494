"""Published scores: folders of museval's JSON files, one per track."""

import gzip
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from upsampling.config.declared import read_settings, shown
from upsampling.config.published_scores import score_files
from upsampling.errors import UserError
from upsampling.files import checked
from upsampling.scoring.score_files import SCORE_COLUMNS
from upsampling.tracks.reading import STEMS

ORIGIN = "published"
SOURCES = STEMS[1:]
METRIC = "SDR"
# Samples of 32 bits tell errors of less than that, in dB.
LARGEST_SCORE = 400.0
# Raised by files that are no JSON, or another document.
NO_SCORES = (gzip.BadGzipFile, zlib.error, EOFError, ValueError, LookupError, TypeError,
             RecursionError)  # fmt: skip


def read_folder(folder: str | Path) -> pd.DataFrame:
    """Read a folder of museval's JSON files, plain or gzipped, as tidy scores of all its tracks.

    `score_files` says which files these are. Columns are `SCORE_COLUMNS`, with the origin
    "published". A file of another kind, and a source without any SDR, are each a `UserError`.
    """
    files = score_files(folder)
    rows = [row for name, path in files.items() for row in track_rows(name, path)]
    table = pd.DataFrame(rows, columns=SCORE_COLUMNS).astype({"frame": int, "value": float})
    known = table[(table["metric"] == METRIC) & table["value"].notna()]["source"].unique()
    for source in SOURCES:
        if source not in known:
            raise UserError(f"{folder}: no track has an SDR of '{source}', which Table 1 needs")
    return table


@dataclass(frozen=True)
class Frame:
    """The metrics of one source in one frame, as museval writes them."""

    metrics: Mapping[str, Any]
    time: Any = None
    duration: Any = None


@dataclass(frozen=True)
class Target:
    """The frames of one source."""

    name: str
    frames: tuple[Frame, ...]


def track_rows(name: str, path: Path) -> Iterator[tuple[Any, ...]]:
    """Rows of one track, in the order of `SCORE_COLUMNS`."""
    try:
        content = checked(path).read_bytes()
        document = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
        targets = read_settings(tuple[Target, ...], document["targets"], "targets")
    except UserError as error:
        raise UserError(f"{path} is not a file of museval's scores: {error}") from error
    except NO_SCORES as error:
        raise UserError(f"{path} is not a file of museval's scores: {error!r}") from error
    names = Counter(target.name for target in targets)
    for source in SOURCES:
        if names[source] != 1:
            raise UserError(
                f"{path}: the source '{source}' is listed {names[source]} times; museval's files "
                f"have {', '.join(SOURCES)} once each"
            )
    check_frames(targets, path)
    for target in targets:
        for number, frame in enumerate(target.frames):
            for metric, value in frame.metrics.items():
                where = f"{path}: {target.name}, frame {number}, {metric}"
                yield name, ORIGIN, target.name, number, metric, decibels(value, where)


def check_frames(targets: Sequence[Target], path: Path) -> None:
    """Refuse sources without frames, with other numbers of frames, or with frames without SDR."""
    frames = {target.name: target.frames for target in targets if target.name in SOURCES}
    counts = {name: len(listed) for name, listed in frames.items()}
    if len({*counts.values()}) > 1 or not all(counts.values()):
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise UserError(f"{path}: sources have the same number of frames, not {listed}")
    for name, listed_frames in frames.items():
        for number, frame in enumerate(listed_frames):
            if METRIC not in frame.metrics:
                raise UserError(f"{path}: {name}, frame {number} has no {METRIC}")


def decibels(value: Any, where: str) -> float:
    """A score in dB; NaN where museval defines none. `UserError` for anything else."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{where}: {shown(value)} is no number")
    if abs(value) > LARGEST_SCORE:
        raise UserError(f"{where}: {shown(value)} is no score in dB")
    return float(value)
