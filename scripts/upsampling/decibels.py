"""Decibels with a floor, so that silence and empty bins stay finite."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# Level of a silent output or an empty bin. Rounding of a full-scale float32 signal lies just above.
SILENCE_DB = -200.0
# Largest measured ratio. It stays well above the rounding of double precision (some 300 dB below
# the signal) and of single precision (some 150 dB for a line).
RANGE_DB = 180.0


def power_to_db(power: ArrayLike, floor: float = SILENCE_DB) -> Any:
    """Return 10 log10(power), at least `floor`; any shape."""
    return 10 * np.log10(np.maximum(power, 10 ** (floor / 10)))


def amplitude_to_db(amplitude: ArrayLike, floor: float = SILENCE_DB) -> Any:
    """Return 20 log10(amplitude), at least `floor`; any shape."""
    return 20 * np.log10(np.maximum(amplitude, 10 ** (floor / 20)))


def ratio_to_db(part: float, whole: float, of_zeros: float = 0.0) -> float:
    """Return 10 log10(part / whole) of two energies, within +-`RANGE_DB`; `of_zeros` for 0 / 0."""
    if part <= 0 and whole <= 0:
        return of_zeros
    limit = 10 ** (RANGE_DB / 10)
    return 10 * float(np.log10(np.clip(part / max(whole, 1e-300), 1 / limit, limit)))
