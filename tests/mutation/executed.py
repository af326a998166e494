"""A pytest plugin: notes the functions of the package that each test executes, and its seconds.

Each process writes `<process>.json` into the folder that the environment variable names. Functions
that a test's fixtures execute are noted for the whole file, since other tests may share them.
"""

import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

FOLDER = "EXECUTED_FUNCTIONS_FOLDER"
PACKAGE = str(Path("scripts/upsampling").absolute()) + os.sep

functions: dict[str, set[tuple[str, int]]] = defaultdict(set)
seconds: dict[str, float] = defaultdict(float)
current: set[tuple[str, int]] = set()


def note(frame: FrameType, event: str, argument: object) -> None:
    """Note the function of a frame that begins; as a trace function, it follows no lines."""
    if frame.f_code.co_filename.startswith(PACKAGE):
        current.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))


def noted(key: str) -> Iterator[None]:
    """Note functions and seconds under `key` while the wrapped hook runs."""
    global current
    current = functions[key]
    start = time.perf_counter()
    threading.settrace(note)
    sys.settrace(note)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        seconds[key] += time.perf_counter() - start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    return (yield from noted(item.nodeid.split("::")[0]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    return (yield from noted(item.nodeid))


def pytest_sessionfinish() -> None:
    if seconds:
        relative = {
            key: [[os.path.relpath(name, PACKAGE), line] for name, line in sorted(executed)]
            for key, executed in functions.items()
        }
        text = json.dumps({"functions": relative, "seconds": seconds})
        (Path(os.environ[FOLDER]) / f"{os.getpid()}.json").write_text(text)
