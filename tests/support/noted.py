"""Results as text, compared with the text that was noted: words exactly, numbers to a rounding.

With RECORD_NOTED=1 in the environment, the text of a result that is meant to change is noted.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

NUMBER = re.compile(r"-?\d+\.\d*(?:e[-+]\d+)?|\bnan\b")
# Relative; numbers of a smaller size than a tenth of it count as zero.
ROUNDING = 2e-4
# Quieter lines are rounding, which differs from one processor to another.
QUIET_DB = -150.0


def assert_noted(
    path: Path, lines: Iterable[str], accuracy: Callable[[str], float] = lambda line: ROUNDING / 10
) -> None:
    """Compare `lines` with those noted in `path`; `accuracy` of a line's numbers is absolute."""
    found = list(lines)
    if os.environ.get("RECORD_NOTED"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(found) + "\n")
    for line, expected in zip_longest(found, path.read_text().splitlines()):
        assert line is not None, expected
        assert expected is not None, line
        assert NUMBER.sub("#", line) == NUMBER.sub("#", expected)
        values, noted = ([float(n) for n in NUMBER.findall(text)] for text in (line, expected))
        np.testing.assert_allclose(
            values, noted, rtol=ROUNDING, atol=accuracy(line), err_msg=expected
        )


def described(value: Any, name: str = "") -> Iterator[str]:
    """Lines `name: value` of nested mappings, sequences and arrays."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from described(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, np.ndarray) and value.size > 12:
        yield from described(summary(value), name)
    elif isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        for place, part in enumerate(value):
            yield from described(part, f"{name}[{place}]")
    elif isinstance(value, float | np.floating):
        yield f"{name}: {value:#.7g}"
    else:
        yield f"{name}: {value}"


def summary(array: np.ndarray) -> dict[str, Any]:
    """Of an array: its shape, norm, and projection on fixed noise, of size 1 unless it is zero."""
    norm = float(np.linalg.norm(array))
    noise = np.random.default_rng(0).standard_normal(array.shape)
    return {
        "shape": str(array.shape),
        "norm": norm,
        "projection": float(np.abs(np.sum(array * noise))) / (norm or 1.0),
    }


def without_rounding(value: Any, quiet: float = QUIET_DB) -> Any:
    """The same value, whose levels in dB are at least `quiet`."""
    if isinstance(value, dict):
        return {key: without_rounding(part, quiet) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_rounding(part, quiet) for part in value]
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.maximum(value, quiet)
    return max(value, quiet) if isinstance(value, float) else value
