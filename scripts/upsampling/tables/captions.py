"""Facts and phrases for the captions of tables."""

import argparse
from dataclasses import dataclass

from upsampling.arguments import add_settings


@dataclass(frozen=True)
class Description:
    """Data set, extent of training and aggregation of scores; None or '' where unknown."""

    data_set: str = ""
    test_tracks: int | None = None
    epochs: int | None = None
    channels: int | None = None
    aggregation: str = "median"


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
