"""Folders of published scores: the files that a table reads, known before any job starts.

Standard library only, as each call of the workflow reads them.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from upsampling.errors import UserError, describe, require_text


def score_files(folder: str | Path) -> dict[str, Path]:
    """museval's files in a folder, plain or gzipped, by the names of their tracks.

    A track has the name of its file without suffix. Files are searched below `folder`/test if that
    exists, as museval does, else below `folder`, and in folders that links lead to. Hidden files
    are left out. A folder without such files, one that cannot be read, two files of one track, and
    what is not a file are each a `UserError`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"there is no folder '{folder}'")
    root = folder / "test" if (folder / "test").is_dir() else folder
    names: dict[str, Path] = {}
    for path in sorted(_walk(root)):
        name = re.sub(r"\.json(\.gz)?\Z", "", path.name)
        if name == path.name:
            continue
        if not path.is_file():
            raise UserError(f"{path} is not a file of museval's scores; remove it")
        require_text(path, "file")
        if {*"{}"} & {*str(path)}:
            raise UserError(f"{path}: Snakemake takes names in braces for wildcards; rename it")
        if name in names:
            raise UserError(f"two files of track '{name}': {names[name]} and {path}; remove one")
        names[name] = path
    if not names:
        raise UserError(f"{folder} holds no scores: museval's files (.json, .json.gz) go there")
    return names


def _walk(root: Path) -> Iterator[Path]:
    """All that is below `root`, without hidden names; each folder once, however it is linked."""
    visited = set()
    for folder, inner, files in os.walk(root, onerror=_refuse, followlinks=True):
        inner[:] = [name for name in inner if not name.startswith(".")]
        identity = os.path.realpath(folder)
        if identity in visited:
            inner.clear()
            continue
        visited.add(identity)
        yield from (Path(folder, n) for n in (*inner, *files) if not n.startswith("."))


def _refuse(error: OSError) -> None:
    raise UserError(describe(error)) from error
