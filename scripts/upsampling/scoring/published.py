"""Published scores: folders of museval's JSON files, one per track."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from upsampling.errors import UserError
from upsampling.scoring.score_files import SCORE_COLUMNS

ORIGIN = "published"
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


def track_rows(name: str, path: Path) -> Iterator[tuple[Any, ...]]:
    """Rows of one track, in the order of `SCORE_COLUMNS`."""
    try:
        content = path.read_bytes()
        document = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
        for target in document["targets"]:
            for frame, entry in enumerate(target["frames"]):
                for metric, value in entry["metrics"].items():
                    number = float("nan") if value is None else float(value)
                    yield name, ORIGIN, target["name"], frame, metric, number
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not a file of museval's scores: {error!r}") from error
