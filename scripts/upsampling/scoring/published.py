"""Published scores: folders of museval's JSON files, one per track."""

import gzip
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from upsampling.config.declared import read_settings, shown
from upsampling.errors import UserError
from upsampling.files import checked
from upsampling.scoring.score_files import SCORE_COLUMNS
from upsampling.tracks.reading import STEMS

ORIGIN = "published"
SOURCES = STEMS[1:]
# Samples of 32 bits tell errors of less than that, in dB.
LARGEST_SCORE = 400.0
# Raised by files that are no JSON, or another document.
NO_SCORES = (gzip.BadGzipFile, zlib.error, EOFError, ValueError, LookupError, TypeError,
             RecursionError)  # fmt: skip
SUFFIXES = (".json.gz", ".json")


def read_folder(folder: str | Path) -> pd.DataFrame:
    """Read a folder of museval's JSON files, plain or gzipped, as tidy scores of all its tracks.

    Files are searched below `folder`/test if that exists, as museval does, else below `folder`; a
    track has the name of its file without suffix. Columns are `SCORE_COLUMNS`, with the origin
    "published". A folder without such files, a file of another kind, and two files of one track
    are each a `UserError`.
    """
    folder = Path(folder)
    root = folder / "test" if (folder / "test").is_dir() else folder
    names: dict[str, Path] = {}
    for path in sorted(root.rglob("*")):
        suffix = next((s for s in SUFFIXES if path.name.endswith(s)), None)
        if suffix is None or path.name.startswith(".") or not path.is_file():
            continue
        name = path.name.removesuffix(suffix)
        if name in names:
            raise UserError(f"two files of track '{name}': {names[name]} and {path}; remove one")
        names[name] = path
    if not names:
        raise UserError(f"{folder} holds no scores: museval's files (.json, .json.gz) go there")
    rows = [row for name, path in names.items() for row in track_rows(name, path)]
    return pd.DataFrame(rows, columns=SCORE_COLUMNS).astype({"frame": int, "value": float})


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
    for target in targets:
        for number, frame in enumerate(target.frames):
            for metric, value in frame.metrics.items():
                where = f"{path}: {target.name}, frame {number}, {metric}"
                yield name, ORIGIN, target.name, number, metric, decibels(value, where)


def decibels(value: Any, where: str) -> float:
    """A score in dB; NaN where museval defines none. `UserError` for anything else."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{where}: {shown(value)} is no number")
    if abs(value) > LARGEST_SCORE:
        raise UserError(f"{where}: {shown(value)} is no score in dB")
    return float(value)
