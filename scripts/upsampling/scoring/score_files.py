"""Score files: tidy CSV, and JSON for museval's own tools."""

import hashlib
import json
import math
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from upsampling.files import read_table, write_table, write_text

TRACK_COLUMNS = ["source", "frame", "metric", "value"]
SCORE_COLUMNS = ["track", "origin", *TRACK_COLUMNS]
MUSEVAL_METRICS = ("SDR", "SIR", "SAR", "ISR")
LONGEST_STEM = 150


def file_stem(name: str) -> str:
    """A file name for the track `name`, without suffix, that cannot leave its folder.

    Letters, digits, spaces and the usual punctuation of titles stay; all else is percent-encoded
    (`urllib.parse.unquote` reverses it). Very long names end in a hash, marked by '%~', which no
    encoded name contains.
    """
    stem = quote(name, safe=" ,'&()+!@=", errors="surrogateescape")
    if stem.startswith("."):
        stem = "%2E" + stem[1:]
    if not stem or len(stem) > LONGEST_STEM:
        digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]
        stem = f"{stem[:LONGEST_STEM]}%~{digest}"
    return stem


def tidy(scores: dict[str, np.ndarray], sources: Sequence[str]) -> pd.DataFrame:
    """One row per source, frame and metric; `scores` holds `[sources, frames]` per metric, dB.

    A metric of the whole track has one frame, 0.
    """
    if not scores:
        return pd.DataFrame(columns=TRACK_COLUMNS)
    parts = {}
    for metric, values in scores.items():
        index = pd.MultiIndex.from_product([sources, range(values.shape[1])])
        parts[metric] = pd.Series(values.ravel(), index)
    table = pd.concat(parts, names=["metric", "source", "frame"])
    return table.reset_index(name="value")[TRACK_COLUMNS]


def museval_scores(
    scores: dict[str, np.ndarray], sources: Sequence[str], engine: str
) -> dict[str, Any]:
    """The JSON of museval's `TrackStore`: targets, their frames, metrics rounded to 5 digits.

    As there, inf becomes NaN. A metric that was not computed is NaN throughout, since museval's
    readers require all four. The key `engine` is an addition.
    """

    def frame(source: int, second: int) -> dict[str, Any]:
        metrics = dict.fromkeys(MUSEVAL_METRICS, math.nan)
        for metric in scores.keys() & metrics.keys():
            value = float(scores[metric][source, second])
            metrics[metric] = round(value, 5) if math.isfinite(value) else math.nan
        return {"time": float(second), "duration": 1.0, "metrics": metrics}

    seconds = range(scores["SDR"].shape[1])
    return {
        "targets": [
            {"name": name, "frames": [frame(source, second) for second in seconds]}
            for source, name in enumerate(sources)
        ],
        "museval_version": version("museval"),
        "engine": engine,
    }


def write_track(
    folder: Path, name: str, scores: dict[str, np.ndarray], sources: Sequence[str], engine: str
) -> None:
    """Write `{track}.csv` and `{track}.json` to `folder`, atomically.

    museval reads `test/**/*.json` under the folder given to `EvalStore.add_eval_dir`, so
    `test/{track}.json` links to the latter. Without `scores` the CSV has no rows and there is no
    JSON.
    """
    stem = file_stem(name)
    write_frame(folder / f"{stem}.csv", tidy(scores, sources))
    document, link = folder / f"{stem}.json", folder / "test" / f"{stem}.json"
    if not scores:
        document.unlink(missing_ok=True)
        link.unlink(missing_ok=True)
        return
    text = json.dumps(museval_scores(scores, sources, engine), indent=2)
    write_text(document, text, checksum=True)
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(Path("..") / document.name)


def read_track(folder: Path, name: str, scored: bool = True) -> pd.DataFrame:
    """Read the CSV of `write_track`; without rows if the track was not `scored`."""
    return read_frame(folder / f"{file_stem(name)}.csv", TRACK_COLUMNS, may_be_empty=not scored)


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as CSV atomically, at full precision."""
    write_table(path, frame, na_rep="nan")


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read the tidy scores of all test tracks of one model; `UserError` if a column is missing."""
    return read_frame(Path(path), SCORE_COLUMNS)


def read_frame(path: Path, columns: list[str], may_be_empty: bool = False) -> pd.DataFrame:
    """Read a CSV of scores exactly as written: a track may be called 'nan' or '1'."""
    types: dict[str, type] = {name: str for name in columns} | {"frame": int, "value": float}
    nan = {"value": ["nan"]}
    return read_table(path, types, may_be_empty, keep_default_na=False, na_values=nan)
