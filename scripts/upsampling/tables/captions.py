"""Command lines of the programs that write tables, and phrases of their captions."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from upsampling.arguments import add_settings, json_or_file
from upsampling.files import write_text


@dataclass(frozen=True)
class Description:
    """Data set, extent of training and aggregation of scores; None or '' where unknown."""

    data_set: str = ""
    test_tracks: int | None = None
    epochs: int | None = None
    channels: int | None = None
    aggregation: str = "median"


def table_arguments(
    options: argparse.ArgumentParser, suffixes: Sequence[str] = ("csv", "md", "tex", "html")
) -> None:
    """Add --rows, and an option for the file of each format."""
    options.add_argument("--rows", type=json_or_file, required=True, help="JSON list, or its file")
    for suffix in suffixes:
        options.add_argument(f"--{suffix}", type=Path, help=f"the table as .{suffix}")


def write_texts(arguments: argparse.Namespace, texts: Mapping[str, str]) -> None:
    """Write the `texts` for whose options a file is given."""
    for name, text in texts.items():
        if path := getattr(arguments, name):
            write_text(path, text, checksum=True)


def caption_arguments(options: argparse.ArgumentParser) -> None:
    """Add --description and --scale, which the caption of a table states."""
    add_settings(options, "--description", Description, "facts for the caption")
    options.add_argument("--scale", default="demo", help="name of the scale, for the caption")


def counted(number: int, unit: str) -> str:
    """A number with its unit: '1 epoch', '4 epochs'."""
    return f"{number} {unit}{'' if number == 1 else 's'}"


def extent(description: Description) -> list[str]:
    """Epochs and channels with their units, where known."""
    facts = ((description.epochs, "epoch"), (description.channels, "channel"))
    return [counted(number, unit) for number, unit in facts if number is not None]
