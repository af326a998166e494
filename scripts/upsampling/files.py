"""Files that are either complete under their name or not there at all."""

import csv
import glob
import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from upsampling.errors import UserError

HOST = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())
TEMPORARY = re.compile(r"\..*\.(?P<host>[A-Za-z0-9-]+)\.(?P<pid>\d+)(\.\w+)?")
DAY = 86400.0


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success sync it to disk and rename it to `path`.

    The temporary name keeps the suffix, since many writers choose their format by it. When the
    block raises, the temporary file is removed and whatever stood at `path` stays untouched.
    Temporary files of this path that killed processes left are removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent, path.stem)
    temporary = path.with_name(f".{path.stem}.{HOST}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        # Some writers create files that only their owner may read.
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path, stem: str = "*") -> None:
    """Remove temporary files of `stem` in `folder` whose processes are gone.

    A process on another host cannot be seen: its files are removed when they are a day old.
    """
    for path in folder.glob(f".{stem if stem == '*' else glob.escape(stem)}.*.*"):
        name = TEMPORARY.fullmatch(path.name)
        if name is None:
            continue
        with suppress(FileNotFoundError):
            if name["host"] == HOST:
                gone = not is_running(int(name["pid"]))
            else:
                gone = path.stat().st_mtime < time.time() - DAY
            if gone:
                path.unlink()


def is_running(pid: int) -> bool:
    """Whether a process of this host has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | Path, text: str) -> None:
    """Write `text` in UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, data: Any) -> None:
    """Write `data` as indented JSON with sorted keys, so that equal data gives equal bytes."""
    write_text(path, json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n")


def write_csv(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of equal keys, at least one, as CSV; floats at full precision."""
    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_wav(
    path: str | Path,
    samples: Any,
    samplerate: int,
    peak: float | None = None,
    subtype: str = "FLOAT",
) -> None:
    """Write a float array [samples] or [samples, channels] as WAV, 32-bit float by default.

    With `peak`, the samples are scaled so that the largest has that magnitude (silence stays).
    `subtype` is libsndfile's; every browser plays PCM_16, which wants magnitudes of at most 1.
    """
    import soundfile

    largest = abs(samples).max(initial=0)
    gain = peak / largest if peak is not None and largest > 0 else 1
    with atomic_path(path) as temporary:
        soundfile.write(temporary, samples * gain, samplerate, subtype=subtype)


def read_json(path: str | Path) -> Any:
    """Read one JSON document."""
    return json.loads(Path(path).read_text())


def save_arrays(path: str | Path, arrays: dict[str, Any]) -> None:
    """Write named arrays to a compressed .npz file; equal arrays give equal bytes."""
    import numpy as np

    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_arrays(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Read the arrays `names` from an .npz file; one that is missing is a `UserError`."""
    import numpy as np

    with np.load(path, allow_pickle=False) as stored:
        missing = [name for name in names if name not in stored]
        if missing:
            raise UserError(
                f"{path}: no array '{missing[0]}' (it has {', '.join(stored.files)}); "
                f"make it again with scripts/probe.py"
            )
        return {name: stored[name] for name in names}
