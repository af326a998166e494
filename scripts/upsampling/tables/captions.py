"""Facts and phrases that the captions of both tables share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Description:
    """The data, the extent of training and the aggregation of scores, as far as they are known."""

    data_set: str = ""
    test_tracks: int | None = None
    epochs: int | None = None
    channels: int | None = None
    aggregation: str = "median"


def counted(number: int, unit: str) -> str:
    """A number with its unit: '1 epoch', '4 epochs'."""
    return f"{number} {unit}{'' if number == 1 else 's'}"


def extent(description: Description) -> list[str]:
    """Epochs and channels with their units, as far as they are known."""
    facts = ((description.epochs, "epoch"), (description.channels, "channel"))
    return [counted(number, unit) for number, unit in facts if number is not None]
