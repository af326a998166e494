"""Facts and phrases for the captions of both tables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Description:
    """Data set, extent of training and aggregation of scores; None or '' where unknown."""

    data_set: str = ""
    test_tracks: int | None = None
    epochs: int | None = None
    channels: int | None = None
    aggregation: str = "median"


def counted(number: int, unit: str) -> str:
    """A number with its unit: '1 epoch', '4 epochs'."""
    return f"{number} {unit}{'' if number == 1 else 's'}"


def extent(description: Description) -> list[str]:
    """Epochs and channels with their units, where known."""
    facts = ((description.epochs, "epoch"), (description.channels, "channel"))
    return [counted(number, unit) for number, unit in facts if number is not None]
