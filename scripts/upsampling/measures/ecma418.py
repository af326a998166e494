"""Tone-to-noise ratio and prominence ratio of ECMA-418-1 (before 2021: ECMA-74, Annex D).

Both compare a tone with its masker: noise in the critical band of hearing around the tone's
frequency (tone-to-noise ratio), or the critical bands below and above it (prominence ratio). From
89.1 Hz to 11.2 kHz the standard calls a tone prominent above a limit found in listening tests. It
is meant for the noise of machines; here it tells which tones of an upsampler are audible as tones.

Critical band around f0, f0 in Hz (ECMA-418-1: width, then edges f1 and f2):

    df = 25 + 75 (1 + 1.4 (f0 / 1000)^2)^0.69
    f0 <= 500:  f1, f2 = f0 -+ df / 2
    f0 > 500:   f1 = (sqrt(df^2 + 4 f0^2) - df) / 2,  f2 = f1 + df

The window scales the band sums of tone and noise alike, so the ratios do not depend on it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

LOWEST_HZ, HIGHEST_HZ = 89.1, 11200.0
# Bins on either side of a line that belong to its tone: the main lobe of a Hann window.
TONE_BINS = 2
# Lower edge of the band below and upper edge of the band above, as polynomials in f0: from this
# frequency in Hz on, coefficients of f0^0, f0^1, f0^2.
LOWER_EDGE = (
    (0.0, (20.0, 0.0, 0.0)),
    (171.4, (-149.5, 1.001, -6.90e-5)),
    (1600.0, (6.8, 0.806, -8.20e-6)),
)
UPPER_EDGE = ((0.0, (149.5, 1.035, 7.70e-5)), (1600.0, (3.3, 1.215, 2.16e-5)))
# Below this frequency the lower band is cut at 20 Hz, and its power is scaled to 100 Hz.
NARROWED_BELOW_HZ = 171.4


def critical_band(frequency: float) -> tuple[float, float]:
    """Return the edges in Hz of the critical band around `frequency` in Hz."""
    width = 25 + 75 * (1 + 1.4 * (frequency / 1000) ** 2) ** 0.69
    if frequency <= 500:
        return frequency - width / 2, frequency + width / 2
    lower = (np.sqrt(width**2 + 4 * frequency**2) - width) / 2
    return float(lower), float(lower + width)


def lower_band(frequency: float) -> tuple[float, float]:
    """Return the edges in Hz of the critical band below the one around `frequency` in Hz."""
    return _edge(LOWER_EDGE, frequency), critical_band(frequency)[0]


def upper_band(frequency: float) -> tuple[float, float]:
    """Return the edges in Hz of the critical band above the one around `frequency` in Hz."""
    return critical_band(frequency)[1], _edge(UPPER_EDGE, frequency)


def _edge(pieces: tuple[tuple[float, tuple[float, float, float]], ...], frequency: float) -> float:
    coefficients = [c for begin, c in pieces if frequency >= begin][-1]
    return float(np.polyval(coefficients[::-1], frequency))


def assessed(frequency: float, samplerate: float, ratio: str = "tone_to_noise_ratio") -> bool:
    """Return true if the standard assesses tones at `frequency` and its bands are below Nyquist."""
    band = upper_band if ratio == "prominence_ratio" else critical_band
    return LOWEST_HZ <= frequency <= HIGHEST_HZ and band(frequency)[1] <= samplerate / 2


def tone_to_noise_ratio(power: Floats, frequency: float, samplerate: float) -> float:
    """Return the tone-to-noise ratio in dB of the tone at `frequency`, from mean power [bins].

    10 log10(W_t / W_n): W_t is the power of the bin and two on either side (the main lobe of a Hann
    window), W_n that of all other bins in the critical band, scaled from their width to that of the
    band. Other tones in the band count as noise. `power` must be positive.
    """
    width = samplerate / (2 * (len(power) - 1))
    band = _bins(critical_band(frequency), power, samplerate)
    line = round(frequency / width)
    tone = np.abs(band - line) <= TONE_BINS
    low, high = critical_band(frequency)
    noise = power[band[~tone]].sum() * (high - low) / (width * np.count_nonzero(~tone))
    return float(10 * np.log10(power[band[tone]].sum() / noise))


def prominence_ratio(power: Floats, frequency: float, samplerate: float) -> float:
    """Return the prominence ratio in dB of the band around `frequency`, from mean power [bins].

    10 log10(W_M / ((W_L + W_U) / 2)) with the powers of the band around `frequency`, of the one
    below and of the one above; up to 171.4 Hz W_L is first scaled to a width of 100 Hz. `power`
    must be positive.
    """
    below = power[_bins(lower_band(frequency), power, samplerate)].sum()
    above = power[_bins(upper_band(frequency), power, samplerate)].sum()
    if frequency <= NARROWED_BELOW_HZ:
        low, high = lower_band(frequency)
        below *= 100 / (high - low)
    middle = power[_bins(critical_band(frequency), power, samplerate)].sum()
    return float(10 * np.log10(middle / ((below + above) / 2)))


def _bins(edges: tuple[float, float], power: Floats, samplerate: float) -> NDArray[np.intp]:
    """Return the bins from the lower edge to below the upper one: neighboring bands share none."""
    width = samplerate / (2 * (len(power) - 1))
    low, high = (int(np.ceil(edge / width)) for edge in edges)
    return np.arange(max(low, 0), min(high, len(power)))


def prominence_limit(frequency: float, ratio: str) -> float:
    """Return the ratio in dB above which the standard calls a tone at `frequency` prominent.

    8 dB for the tone-to-noise ratio and 9 dB for the prominence ratio from 1 kHz on; towards lower
    frequencies they rise by 8.33 and 10 dB per decade.
    """
    base, slope = {"tone_to_noise_ratio": (8.0, 8.33), "prominence_ratio": (9.0, 10.0)}[ratio]
    return base + slope * float(np.log10(1000 / min(frequency, 1000)))
