"""Settings of the demo songs. Apart from the composer, since decoding processes import them."""

from dataclasses import dataclass
from typing import Annotated

from upsampling.config.declared import Bounds, Count, Natural, Seed

# A shorter part may have no note at all.
Seconds = Annotated[float, Bounds(minimum=4.0)]


@dataclass(frozen=True)
class DemoSongs:
    """Numbers of songs to train, validate and test on, their lengths, and the seed of all.

    `real_track` adds the real multitrack of the package stempeg to the test songs.
    """

    seed: Seed
    train: Count
    valid: Natural
    test: Count
    seconds: Seconds
    test_seconds: Seconds
    real_track: bool = False
