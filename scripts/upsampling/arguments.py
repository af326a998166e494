"""Command lines of the programs: settings as JSON or as files of it."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

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
