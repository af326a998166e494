"""Files that are complete under their name or not there, and are read as they were written.

Data that a later step reads has a checksum in the folder `.checksums` beside it, in the format of
`sha256sum`. Each reader compares it; a file without one, as a user's own, is read as it is.
"""

import csv
import functools
import glob
import hashlib
import io
import json
import os
import re
import socket
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import shorten
from typing import Any

from upsampling.errors import UserError, reason_of
from upsampling.process_state import is_alive

HOST = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())
TEMPORARY = re.compile(r"\..*\.(?P<host>[A-Za-z0-9-]+)\.(?P<pid>\d+)(\.\w+)?")
DAY = 86400.0
CHECKSUMS = ".checksums"
LONGEST_LIST = 200
# Of sounds to listen to: random models are quiet (MelGAN: -180 dB).
LISTENING_PEAK = 0.5
UNREADABLE = "delete it and run the same command again, which writes a new one"


@contextmanager
def atomic_path(path: str | Path, checksum: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success sync it to disk and rename it to `path`.

    The temporary name keeps the suffix, since many writers choose their format by it. When the
    block raises, the temporary file is removed and an earlier file at `path` stays untouched.
    Temporary files of this path that killed processes left are removed. With `checksum`, readers
    notice when the file is changed afterwards.
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
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        digest = sha256(temporary) if checksum else ""
        # A process that is killed between these steps leaves a complete file without a checksum.
        checksum_path(path).unlink(missing_ok=True)
        os.replace(temporary, path)
        if checksum:
            write_text(checksum_path(path), f"{digest}  ../{path.name}\n")
    except OSError as error:
        # Errors of a write, as on a full disk, do not say which file it was.
        if error.filename is None:
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def checksum_path(path: Path) -> Path:
    """The path of a file's checksum."""
    return path.parent / CHECKSUMS / f"{path.name}.sha256"


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(path: str | Path) -> Path:
    """`path`, after its content was compared with its checksum; `UserError` if they differ.

    A process compares a file once, unless its size, time or inode change.
    """
    path = Path(path)
    while True:
        identity = _identity(path)
        try:
            _compare(path, identity)
            return path
        except UserError:
            # A writer may have replaced the file in between.
            if _identity(path) == identity:
                raise


def is_intact(path: str | Path) -> bool:
    """Return True if a file exists and is as it was written."""
    with suppress(FileNotFoundError, UserError):
        return checked(path).is_file()
    return False


def _identity(path: Path) -> tuple[int, int, int]:
    """A file's size, time and inode, which change with its content."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


@functools.lru_cache(maxsize=10000)
def _compare(path: Path, identity: tuple[int, int, int]) -> None:
    stored = checksum_path(path)
    try:
        expected = stored.read_text(errors="replace").partition(" ")[0]
    except (FileNotFoundError, NotADirectoryError):
        return
    if sha256(path) != expected:
        raise UserError(
            f"{path} is not as it was written: its SHA-256 is not the one in {stored}; {UNREADABLE}"
        )


def remove_leftovers(folder: Path, stem: str = "*") -> None:
    """Remove temporary files of `stem` in `folder` whose processes are gone.

    A process on another host cannot be seen: its files are removed when they are a day old.
    """
    for path in folder.glob(f".{stem if stem == '*' else glob.escape(stem)}.*.*"):
        if name := TEMPORARY.fullmatch(path.name):
            with suppress(FileNotFoundError):
                if name["host"] == HOST:
                    gone = not is_alive(int(name["pid"]))
                else:
                    gone = path.stat().st_mtime < time.time() - DAY
                if gone:
                    path.unlink()


def write_text(path: str | Path, text: str, checksum: bool = False) -> None:
    """Write `text` in UTF-8."""
    write_content(path, text.encode(), checksum)


def write_content(path: str | Path, content: bytes | memoryview, checksum: bool = False) -> None:
    """Write `content`, as of a library whose own writing would hide that a disk is full."""
    with atomic_path(path, checksum) as temporary:
        temporary.write_bytes(content)


def write_json(path: str | Path, data: Any) -> None:
    """Write `data` as indented JSON with sorted keys, so that equal data gives equal bytes."""
    text = json.dumps(data, indent=1, sort_keys=True, allow_nan=False)
    write_text(path, f"{text}\n", checksum=True)


def write_csv(
    path: str | Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None
) -> None:
    """Write rows of equal keys as CSV; floats at full precision.

    Without `columns`, those of the first row, there must be a row.
    """
    with atomic_path(path, checksum=True) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_wav(
    path: str | Path,
    samples: Any,
    samplerate: int,
    peak: float | None = None,
    subtype: str = "FLOAT",
    checksum: bool = True,
) -> None:
    """Write a float array [samples] or [samples, channels] as WAV, 32-bit float by default.

    With `peak`, the samples are scaled so that the largest has that magnitude (silence stays).
    `subtype` is libsndfile's; every browser plays PCM_16, which wants magnitudes of at most 1.
    """
    largest = abs(samples).max(initial=0)
    gain = peak / largest if peak is not None and largest > 0 else 1
    # libsndfile reports a full disk as "System error.", and the time of day in files of floats.
    file = io.BytesIO()
    if subtype == "FLOAT":
        import scipy.io.wavfile

        scipy.io.wavfile.write(file, samplerate, (samples * gain).astype("float32"))
    else:
        import soundfile

        soundfile.write(file, samples * gain, samplerate, format="WAV", subtype=subtype)
    write_content(path, file.getbuffer(), checksum)


def read_wav(path: str | Path, **options: Any) -> tuple[Any, int]:
    """Read samples and sampling rate of an audio file, with the options of `soundfile.read`."""
    import numpy as np
    import soundfile

    try:
        samples, samplerate = soundfile.read(checked(path), **options)
    except soundfile.LibsndfileError as error:
        raise UserError(f"{path} cannot be read as audio: {error.error_string}") from error
    if not samples.size or not np.isfinite(samples).all():
        raise UserError(f"{path} has no samples, or some that are not finite; {UNREADABLE}")
    return samples, samplerate


class Content(dict[str, Any]):
    """A mapping that a file holds; looking up a key that it lacks is a `UserError`.

    `kind` is the word for its keys; `names` are those of the file, where not all were read.
    """

    def __init__(
        self, items: Any, path: str | Path, kind: str = "key", names: Sequence[str] | None = None
    ) -> None:
        super().__init__(items)
        self.path, self.kind, self.names = path, kind, names

    def __missing__(self, key: str) -> Any:
        names = shorten(", ".join(self if self.names is None else self.names), LONGEST_LIST)
        raise UserError(f"{self.path}: no {self.kind} '{key}' (it has {names}); {UNREADABLE}")


@contextmanager
def content_of(path: str | Path) -> Iterator[None]:
    """Name the file `path` in mistakes that its content leads to, though it could be read."""
    try:
        yield
    except UserError as error:
        if str(path) in str(error):
            raise
        raise UserError(f"{path}: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = reason_of(error, 200)
        raise UserError(f"{path} has content that does not fit: {reason}; {UNREADABLE}") from error


def read_json(path: str | Path) -> Any:
    """Read one JSON document, its objects as `Content`."""
    try:
        text = checked(path).read_text(encoding="utf-8")
        return json.loads(text, object_pairs_hook=lambda pairs: Content(pairs, path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as JSON: {error}; {UNREADABLE}") from error


def read_table(
    path: str | Path, columns: Mapping[str, type | str], may_be_empty: bool = False, **options: Any
) -> Any:
    """Read the columns of these names and types of a CSV file as a data frame.

    `options` are those of `pandas.read_csv`. A table without rows is a `UserError`, unless it
    `may_be_empty`.
    """
    import pandas as pd

    try:
        # Without usecols, which would accept rows of more cells than columns.
        table = pd.read_csv(checked(path), dtype=dict(columns), **options)
        if missing := [name for name in columns if name not in table]:
            raise ValueError(f"no column {', '.join(missing)}")
        if table.empty and not may_be_empty:
            raise ValueError("it has no rows")
        return table[list(columns)]
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as a table: {reason}; {UNREADABLE}") from error


def write_table(path: str | Path, frame: Any, **options: Any) -> None:
    """Write a data frame as CSV, with the options of `DataFrame.to_csv`."""
    with atomic_path(path, checksum=True) as temporary:
        frame.to_csv(temporary, index=False, **options)


def save_arrays(path: str | Path, arrays: dict[str, Any]) -> None:
    """Write named arrays to a compressed .npz file; equal arrays give equal bytes."""
    import numpy as np

    with atomic_path(path, checksum=True) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_arrays(path: str | Path, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Read the arrays of real numbers `names`, or all, from an .npz file, as `Content`."""
    import numpy as np

    try:
        with np.load(checked(path), allow_pickle=False) as stored:
            kept = [name for name in stored.files if names is None or name in names]
            read = {name: np.asarray(stored[name]) for name in kept}
            arrays = Content(read, path, "array", stored.files)
        for name in kept if names is None else names:
            if arrays[name].dtype.kind not in "biuf":
                raise ValueError(f"'{name}' holds no real numbers, but {arrays[name].dtype}")
        return arrays
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} cannot be read as arrays: {error}; {UNREADABLE}") from error
