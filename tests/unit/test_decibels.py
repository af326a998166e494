"""Levels and ratios in dB: exact, with floors for zeros."""

import numpy as np
import pytest

from upsampling.decibels import (
    RANGE_DB,
    SILENCE_DB,
    amplitude_to_db,
    power_to_db,
    ratio_to_db,
)

ROUNDING = 1e-12


def test_powers_and_amplitudes_of_known_level():
    powers = np.array([[1.0, 10.0], [1e-3, 2.0]])
    expected = np.array([[0.0, 10.0], [-30.0, 3.010299956639812]])
    np.testing.assert_allclose(power_to_db(powers), expected, atol=ROUNDING)
    np.testing.assert_allclose(amplitude_to_db(np.sqrt(powers)), expected, atol=ROUNDING)


@pytest.mark.parametrize("floor", [SILENCE_DB, -300.0, -20.0])
def test_zeros_have_the_floor(floor):
    for convert in (power_to_db, amplitude_to_db):
        assert convert(0.0, floor) == pytest.approx(floor, abs=ROUNDING)
        assert convert(1.0, floor) == 0
        assert convert(0.0) == pytest.approx(SILENCE_DB, abs=ROUNDING)


def test_levels_agree_with_librosa():
    import librosa

    values = np.random.default_rng(0).uniform(1e-4, 10, 50)
    np.testing.assert_allclose(
        power_to_db(values), librosa.power_to_db(values, top_db=None), atol=ROUNDING
    )
    np.testing.assert_allclose(
        amplitude_to_db(values), librosa.amplitude_to_db(values, top_db=None), atol=ROUNDING
    )


def test_ratios_stay_within_the_range():
    assert ratio_to_db(1.0, 100.0) == pytest.approx(-20, abs=ROUNDING)
    assert ratio_to_db(0.0, 2.0) == pytest.approx(-RANGE_DB, abs=ROUNDING)
    assert ratio_to_db(2.0, 0.0) == pytest.approx(RANGE_DB, abs=ROUNDING)
    assert ratio_to_db(1e-30, 1.0) == pytest.approx(-RANGE_DB, abs=ROUNDING)
    # Rounding can leave a negative difference of energies.
    assert ratio_to_db(-1e-20, 1.0) == pytest.approx(-RANGE_DB, abs=ROUNDING)
    assert ratio_to_db(0.0, 0.0) == 0
    assert ratio_to_db(0.0, 0.0, of_zeros=-RANGE_DB) == -RANGE_DB
