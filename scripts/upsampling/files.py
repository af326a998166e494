"""Files that are either complete under their name or not there at all."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success sync it to disk and rename it to `path`.

    The temporary name keeps the suffix, since many writers choose their format by it. When the
    block raises, the temporary file is removed and whatever stood at `path` stays untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        # Some writers create files that only their owner may read.
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
