"""Command lines of the programs: settings as JSON or as files of it."""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, TypeVar

from upsampling.config.declared import read_settings
from upsampling.errors import UserError

T = TypeVar("T")


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help shows a program's docstring as it is written, with its example."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def json_or_file(text: str) -> Any:
    """JSON given on the command line, or the name of a file that holds it."""
    try:
        return json.loads(text if text.lstrip()[:1] in ("[", "{") else Path(text).read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"neither JSON nor a file of it: {text[:80]} ({error})") from error


def settings(kind: type[T], flag: str) -> Callable[[str], T]:
    """An argument type: the settings `kind`, from JSON or a file of it."""
    return lambda text: read_settings(kind, json_or_file(text), flag)


def add_settings(options: argparse.ArgumentParser, flag: str, kind: Any, content: str) -> None:
    """Add the option `flag` with the `content` of settings `kind`, by default its defaults."""
    description = f"{content}, JSON or file"
    options.add_argument(flag, type=settings(kind, flag), default=kind(), help=description)


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """An argument type: a whole number from `least` to `most`."""

    def read(text: str) -> int:
        with suppress(ValueError):
            if least <= (value := int(text)) <= most:
                return value
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} to {most}")

    return read


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path]) -> None:
    """Raise `UserError` for an output, by its option, that is an input or another output."""
    taken = {path.resolve(): "is read, and would be lost" for path in inputs}
    for option, path in outputs.items():
        if path is not None:
            if reason := taken.get(path.resolve()):
                raise UserError(f"{option} {path}: this file {reason}; choose another name")
            taken[path.resolve()] = f"is that of {option}, too"


def forgive_streams() -> None:
    """Lose messages where standard output or error is closed; write letters it lacks in ASCII."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def readers_may_leave(stream: TextIO) -> Iterator[None]:
    """Lose what is printed once nobody reads `stream` any more, as after `| head`."""
    try:
        yield
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
