"""Measurements of upsampling artifacts in a waveform: tones, combs of tones, notches, level.

`from_weights` measures layers without audio, `shifts` shift equivariance.

Frequencies of tones: layer l of strides s_1 .. s_L (layer 1 the deepest) computes every s_l-th of
its samples with the same weights, so that even a constant gives a signal of period s_l. The layers
after it stretch that period, and their spectral replicas (Sec. 5) fill in its harmonics. At the
output, of sampling rate fs, layer l can therefore cause tones at

    F_l = { k fs / (s_l s_{l+1} ... s_L) : 0 < f <= fs / 2 },

and F_L is contained in F_{L-1}, and so on. Combs are measured down to the finest one that the
spectrum resolves (lines at least `MINIMUM_SPACING` bins apart).
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from upsampling.decibels import RANGE_DB, SILENCE_DB, power_to_db
from upsampling.measures import ecma418
from upsampling.measures.spectra import frame_transforms

Floats = NDArray[np.floating[Any]]

N_FFT = 16384
# A Hann window spreads a line over +-2 bins; neighbors begin beyond them.
GUARD = 3
NEIGHBORHOOD = 30
# The bin halfway between two lines must lie outside the guard of both.
MINIMUM_SPACING = 2 * (GUARD + 1)
# Floor of bins below the sum of all bins, for a signal of single precision; `RANGE_DB` for double
# precision. Both lie above the rounding errors, which then count neither as noise nor as tones.
SINGLE_RANGE_DB = 140.0
# Keeps 0 / 0 finite.
TINY = 1e-100
ECMA = {
    "tone_to_noise_ratio": ecma418.tone_to_noise_ratio,
    "prominence_ratio": ecma418.prominence_ratio,
}


class Measurement(TypedDict):
    """One measured number; `frequency_hz` is None for a measure of the whole signal."""

    measure: str
    frequency_hz: float | None
    value: float
    unit: str


def comb_spacings(strides: Sequence[int], samplerate: int) -> list[float]:
    """Return spacings in Hz of the combs F_L, F_{L-1}, .. F_1: the outermost layer's first.

    A stride of 1 adds no comb. Demucs, six strides of 4 at 44.1 kHz: 11025, 2756.25,
    689.06, 172.27, 43.07 and 10.77 Hz.
    """
    factors = accumulate((stride for stride in reversed(strides) if stride > 1), mul)
    return [samplerate / factor for factor in factors]


def comb_frequencies(spacing: float, samplerate: int) -> Floats:
    """Return frequencies in Hz [lines] of a comb: multiples of `spacing` in (0, samplerate / 2]."""
    return spacing * np.arange(1, int(samplerate / 2 / spacing + 1e-9) + 1)


def level(output: Floats) -> float:
    """Return the RMS level in dBFS (a constant 1 has 0 dBFS); `SILENCE_DB` for silence."""
    return float(power_to_db(np.mean(np.square(output, dtype=np.float64))))


def with_floor(power: Floats, range_db: float = RANGE_DB) -> Floats:
    """Raise mean power [bins] to `range_db` below its sum and to `SILENCE_DB` where it is less."""
    floor = float(np.sum(power)) * 10 ** (-range_db / 10)
    return np.maximum(power, max(floor, 10 ** (SILENCE_DB / 10)))


def _bins(frequencies: Floats, samplerate: int, power: Floats) -> NDArray[np.intp]:
    n_fft = 2 * (len(power) - 1)
    return np.rint(np.asarray(frequencies) * n_fft / samplerate).astype(np.intp)


def prominence(power: Floats, frequencies: Floats, samplerate: int) -> Floats:
    """Return the prominence in dB [lines] of the bins at `frequencies` over the bins around them.

    With mean power P of `mean_spectrum`: L(f) = 10 log10 P[f] - 10 log10 median of P[b] over
    3 <= |b - f| <= 30 bins, where P is at least `RANGE_DB` below the sum of all bins. Zero if the
    line does not stand out, and for silence; at most `RANGE_DB`.
    """
    power = with_floor(power)
    lines = _bins(frequencies, samplerate, power)
    return 10 * np.log10(power[lines] / median_around(power, lines))


def median_around(power: Floats, lines: NDArray[np.intp]) -> Floats:
    """Median [lines] of the bins that are `GUARD` to `NEIGHBORHOOD` away from each of `lines`."""
    side = np.arange(GUARD, NEIGHBORHOOD + 1)
    around = lines[:, None] + np.concatenate([-side, side])
    outside = (around < 0) | (around >= len(power))
    neighbors = np.where(outside, np.nan, power[np.clip(around, 0, len(power) - 1)])
    return np.asarray(np.nanmedian(neighbors, axis=1))


def comb_prominences(
    power: Floats, spacings: Sequence[float], samplerate: int
) -> list[tuple[float, float]]:
    """Return mean and maximum prominence in dB of each comb's lines, less those of control bins.

    `spacings` in Hz go from the coarsest comb to the finest, which contains the lines of all. Music
    is harmonic itself, so the same statistic is taken for one control bin per line: half the finest
    comb's spacing below it, halfway between two lines and on none of any layer. (Halfway between
    two lines of a coarser comb there may be a line of a finer one.)
    """
    lines = comb_frequencies(spacings[-1], samplerate)
    tones = prominence(power, lines, samplerate)
    controls = prominence(power, lines - spacings[-1] / 2, samplerate)
    steps = [round(spacing / spacings[-1]) for spacing in spacings]
    combs = [(tones[step - 1 :: step], controls[step - 1 :: step]) for step in steps]
    return [(float(t.mean() - c.mean()), float(t.max() - c.max())) for t, c in combs]


def tone_level(power: Floats, frequency: float, samplerate: int) -> float:
    """Return the RMS level in dBFS, at least `SILENCE_DB`, of a sine at the bin of `frequency`."""
    line = int(_bins(np.array([frequency]), samplerate, power)[0])
    sides = 1 if line in (0, len(power) - 1) else 2
    return float(power_to_db(sides * power[line]))


def notch_depth(power: Floats, frequency: float, samplerate: int) -> float:
    """Return the depth in dB of the notch at `frequency` below the third-octave around it.

    The median power of the third-octave (or 6 bins on either side, if that is wider) without guard
    bins, over the power of the bin. Positive for a filtering artifact (Sec. 3), negative for a
    tone, zero for silence. At most `RANGE_DB`, and less where the window leaks: for filtered white
    noise the expected depth is `from_weights.expected_notch_depth`.
    """
    power = with_floor(power)
    line = int(_bins(np.array([frequency]), samplerate, power)[0])
    below = max(round(line * (1 - 2 ** (-1 / 6))), 2 * GUARD)
    above = max(round(line * (2 ** (1 / 6) - 1)), 2 * GUARD)
    band = np.arange(max(line - below, 0), min(line + above, len(power) - 1) + 1)
    band = band[np.abs(band - line) >= GUARD]
    return float(10 * np.log10(np.median(power[band]) / power[line]))


def stationarity(
    transforms: NDArray[Any], frequencies: Floats, samplerate: int, range_db: float = RANGE_DB
) -> Floats:
    """Return the stationarity 0 .. 1 [lines] of `frequencies` in Hz, from `frame_transforms`.

    Each frame's transform is rotated by the phase that a steady line at f has gained since the
    first: C[t] = Y[f, t] exp(-2 pi i f t hop / fs). The measure is |mean C|^2 / mean |C|^2: the
    share of the line's power in a component of constant amplitude and phase. A steady tone has 1, a
    tone in a share d of the frames has d; stationary noise has (1 + (1 - 1 / T) / 3) / T with T
    frames (neighboring frames share half their samples: their correlation is 1/6), and music about
    the same. 0 for lines `range_db` below the whole, and for a single frame.
    """
    frames, bins = transforms.shape
    power = np.mean(np.abs(transforms) ** 2, axis=0)
    lines = _bins(frequencies, samplerate, power)
    hop = bins - 1
    cycles = np.outer(np.arange(frames), np.asarray(frequencies) * hop / samplerate)
    steady = np.abs(np.mean(transforms[:, lines] * np.exp(-2j * np.pi * cycles), axis=0)) ** 2
    above_floor = power[lines] >= with_floor(power, range_db)[lines]
    return np.where(above_floor & (frames > 1), steady / np.maximum(power[lines], TINY), 0.0)


def measure_waveform(output: Floats, samplerate: int, strides: Sequence[int]) -> list[Measurement]:
    """Measure `output` [samples] of a model whose upsampling layers have `strides`, deepest first.

    All values are finite. `level` (dBFS); at each line of the outermost layer and at the
    fundamental of each deeper one `tone_prominence` (dB), `tone_level` (dBFS), `stationarity`
    (0 .. 1) and, where ECMA-418-1 assesses tones, `tone_to_noise_ratio` and `prominence_ratio`
    (dB); `notch_depth` (dB) at each line of the outermost layer, the zeros of its interpolation
    filter; `comb_prominence_mean` and `comb_prominence_max` (dB) of each layer's comb, under the
    comb's spacing. Combs too fine for `N_FFT` points are omitted (Demucs's deepest layer). In an
    `output` of single precision, bins are at least `SINGLE_RANGE_DB` below the whole. Raises
    UserError for samples that are not finite, or too few.
    """
    transforms = frame_transforms(output, N_FFT)
    range_db = SINGLE_RANGE_DB if np.asarray(output).dtype == np.float32 else RANGE_DB
    power = np.mean(np.abs(transforms) ** 2, axis=0)
    floored = with_floor(power, range_db)
    finest = MINIMUM_SPACING * samplerate / N_FFT
    spacings = [s for s in comb_spacings(strides, samplerate) if s >= finest]
    measurements = [
        Measurement(measure="level", frequency_hz=None, value=level(output), unit="dBFS")
    ]
    if not spacings:
        return measurements

    def add(name: str, frequency: float, value: float, unit: str = "dB") -> None:
        measurements.append(
            Measurement(measure=name, frequency_hz=float(frequency), value=float(value), unit=unit)
        )

    outermost = comb_frequencies(spacings[0], samplerate)
    tones = np.concatenate([outermost, spacings[1:]])
    prominences = prominence(floored, tones, samplerate)
    steadiness = stationarity(transforms, tones, samplerate, range_db)
    for index, frequency in enumerate(tones):
        add("tone_prominence", frequency, prominences[index])
        add("tone_level", frequency, tone_level(power, frequency, samplerate), "dBFS")
        add("stationarity", frequency, steadiness[index], "1")
        for name, ratio in ECMA.items():
            if ecma418.assessed(frequency, samplerate, name):
                add(name, frequency, ratio(floored, frequency, samplerate))
    for frequency in outermost:
        add("notch_depth", frequency, notch_depth(power, frequency, samplerate))
    combs = comb_prominences(floored, spacings, samplerate)
    for spacing, (mean, maximum) in zip(spacings, combs, strict=True):
        add("comb_prominence_mean", spacing, mean)
        add("comb_prominence_max", spacing, maximum)
    return measurements
