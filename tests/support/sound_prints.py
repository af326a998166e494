"""A sound in a few numbers that hardly any change of it leaves as they are."""

import numpy as np

# Relative: far more than rounding of another processor, far less than a change of a parameter.
LEVEL_TOLERANCE = 2e-5
PROJECTION_TOLERANCE = 1e-4


def sound_print(sound: np.ndarray) -> list[float]:
    """Of each channel of `sound` [channels, samples]: its RMS, and two projections.

    The projections are those on two fixed white noises of unit variance, over the norm of the
    channel: of size 1, whatever the sound is, and changed wherever the sound is.
    """
    noises = np.random.default_rng(0).standard_normal((2, sound.shape[-1]))
    numbers = []
    for channel in np.atleast_2d(sound).astype(float):
        norm = np.sqrt(np.sum(channel**2))
        numbers += [norm / np.sqrt(len(channel)), *(noises @ channel / norm)]
    return numbers


def assert_print(sound: np.ndarray, expected: list[float]) -> None:
    """Compare the numbers of a sound with those noted before."""
    found = np.reshape(sound_print(sound), (-1, 3))
    noted = np.reshape(expected, (-1, 3))
    np.testing.assert_allclose(found[:, 0], noted[:, 0], rtol=LEVEL_TOLERANCE)
    np.testing.assert_allclose(found[:, 1:], noted[:, 1:], atol=PROJECTION_TOLERANCE, rtol=0)
