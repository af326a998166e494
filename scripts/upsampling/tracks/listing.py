"""The files of a data set: a change of them calls for preparing its tracks again.

Standard library only, as each call of the workflow reads the listing.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from upsampling.errors import UserError
from upsampling.files import read_json, write_json

SUBSETS = ("train", "test")
# Beside a store's manifest: what its tracks were prepared by.
SETTINGS = "settings.json"


def tracks_root(folder: Path) -> Path | None:
    """The folder that holds train/ and test/: `folder`, or one up to two levels inside it, or None.

    Archives differ in whether they put the two into a folder of their own.
    """
    for candidate in (folder, *sorted(folder.glob("*")), *sorted(folder.glob("*/*"))):
        hidden = any(part.startswith(".") for part in candidate.relative_to(folder).parts)
        if not hidden and all((candidate / subset).is_dir() for subset in SUBSETS):
            return candidate
    return None


def list_files(root: Path) -> dict[str, list[int]]:
    """Size in bytes and time in ns of each file below train/ and test/, by its path there."""
    files = {}
    for subset in SUBSETS:
        for folder, _, names in os.walk(root / subset):
            for name in names:
                path = Path(folder, name)
                with suppress(OSError):
                    stat = path.stat()
                    files[str(path.relative_to(root))] = [stat.st_size, stat.st_mtime_ns]
    return dict(sorted(files.items()))


def record(dataset: str, folder: Path) -> dict[str, object]:
    """The content of dataset.json: the data set, its folder, and its files."""
    return {"dataset": dataset, "folder": str(folder), "files": list_files(folder)}


def refresh(path: Path, root: Path, tell: Callable[[str], None]) -> None:
    """Rewrite the record at `path` if the data set in `root` is not as it says.

    The track store, which is made from the record's data set, is then out of date. Without a record
    there is nothing to compare. A data set that is gone, as to save space, leaves the store as it
    is.
    """
    try:
        stored = read_json(path)
        files = stored["files"]
    except FileNotFoundError:
        return
    except (UserError, KeyError, TypeError):
        stored, files = {}, None
    folder = tracks_root(root)
    if folder is None:
        tell(f"{root} is gone; the tracks in {path.parent} are used as they are.")
        return
    current = record(str(stored.get("dataset", "")), folder)
    if current["files"] == files:
        return
    tell(f"The data set in {folder} changed ({changes(files, list_files(folder))}): its tracks are "
         "prepared again.")  # fmt: skip
    write_json(path, current)


def changes(before: object, after: dict[str, list[int]]) -> str:
    """Counts of added, removed and changed files."""
    if not isinstance(before, dict):
        return "its record was damaged"
    counts = {
        "new": len(after.keys() - before.keys()),
        "removed": len(before.keys() - after.keys()),
        "changed": sum(before[name] != after[name] for name in before.keys() & after.keys()),
    }
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def require_settings(
    manifest: Path, settings: Mapping[str, Any], tell: Callable[[str], None]
) -> None:
    """Remove the `manifest` of a store whose tracks were prepared by other `settings`.

    Studies may share a store, and Snakemake knows the settings of its own calls alone. A store
    without a record of them, as earlier versions left it, is used as it is.
    """
    try:
        if read_json(manifest.with_name(SETTINGS)) == settings:
            return
    except FileNotFoundError:
        return
    except UserError:
        pass
    if manifest.exists():
        tell(f"The tracks in {manifest.parent} were prepared by other settings: they are prepared "
             "again.")  # fmt: skip
        manifest.unlink()
