"""Songs and scores that the tests of this folder share."""

import numpy as np
import pytest

from upsampling.demo_music.composition import Song, compose
from upsampling.demo_music.songs import make_song
from upsampling.demo_music.styles import FEELS

SECONDS = 12


@pytest.fixture(scope="session")
def songs() -> np.ndarray:
    """Three songs, int16 [song, 5, samples, 2]."""
    return np.stack([make_song(3, "train", index, SECONDS) for index in range(3)])


@pytest.fixture(scope="session")
def scores() -> list[Song]:
    """The scores of 96 songs of 30 s, in all styles."""
    return [
        compose(np.random.default_rng(number), 30.0, FEELS[number % len(FEELS)])
        for number in range(96)
    ]
