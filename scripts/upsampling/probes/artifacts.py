"""Measurements of upsampling artifacts in a waveform: tones, combs of tones, notches, level.

Where tones can stand: layer l of strides s_1 .. s_L (layer 1 the deepest) writes every s_l-th of
its samples with the same weights, so that even a constant makes a signal of period s_l. The
layers above stretch that period, and their spectral replicas (Sec. 5) fill in its harmonics. At
the output, of sampling rate fs, layer l can therefore put tones at

    F_l = { k fs / (s_l s_{l+1} ... s_L) : 0 < f <= fs / 2 },

and F_L is contained in F_{L-1}, and so on. The finest comb that the spectrum resolves (lines at
least `MINIMUM_SPACING` bins apart) is the last one that is measured.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from upsampling.probes.spectra import mean_spectrum

Floats = NDArray[np.floating[Any]]

N_FFT = 16384
# A Hann window spreads a line over +-2 bins, and neighbours begin beyond them.
GUARD = 3
NEIGHBOURHOOD = 30
# Halfway between two lines must still be outside the guard of both.
MINIMUM_SPACING = 2 * (GUARD + 1)
# What a silent output, or an empty bin, is recorded as; a full-scale float32 signal's own rounding
# lies just above it.
SILENCE_DB = -200.0


class Record(TypedDict):
    """One measured number; `frequency_hz` is None where a measure is of the whole signal."""

    measure: str
    frequency_hz: float | None
    value: float
    unit: str


def to_decibels(power: Any) -> Any:
    """Return 10 log10(power), at least `SILENCE_DB`; any shape."""
    return 10 * np.log10(np.maximum(power, 10 ** (SILENCE_DB / 10)))


def comb_spacings(strides: Sequence[int], samplerate: int) -> list[float]:
    """Spacings in Hz of the combs F_L, F_{L-1}, .. F_1: the last (outermost) layer's first.

    A stride of 1 adds no comb of its own. Demucs, six strides of 4 at 44.1 kHz: 11025, 2756.25,
    689.06, 172.27, 43.07 and 10.77 Hz.
    """
    factors = accumulate((stride for stride in reversed(strides) if stride > 1), mul)
    return [samplerate / factor for factor in factors]


def comb_frequencies(spacing: float, samplerate: int) -> Floats:
    """Frequencies in Hz [lines] of a comb: multiples of `spacing` in (0, samplerate / 2]."""
    return spacing * np.arange(1, int(samplerate / 2 / spacing + 1e-9) + 1)


def level(output: Floats) -> float:
    """RMS level in dBFS, where a constant 1 has 0 dBFS; `SILENCE_DB` for silence."""
    return float(to_decibels(np.mean(np.square(output, dtype=np.float64))))


def _bins(frequencies: Floats, samplerate: int, power: Floats) -> NDArray[np.intp]:
    n_fft = 2 * (len(power) - 1)
    return np.rint(np.asarray(frequencies) * n_fft / samplerate).astype(np.intp)


def prominence(power: Floats, frequencies: Floats, samplerate: int) -> Floats:
    """Prominence in dB [lines] of the bins at `frequencies` over those around them.

    With mean power P of `mean_spectrum`: L(f) = 10 log10 P[f] - 10 log10 median of P[b] over
    3 <= |b - f| <= 30 bins. Zero where nothing stands out, silence included.
    """
    offsets = np.arange(GUARD, NEIGHBOURHOOD + 1)
    offsets = np.concatenate([-offsets[::-1], offsets])
    lines = _bins(frequencies, samplerate, power)
    around = lines[:, None] + offsets
    outside = (around < 0) | (around >= len(power))
    neighbours = np.where(outside, np.nan, power[np.clip(around, 0, len(power) - 1)])
    return to_decibels(power[lines]) - to_decibels(np.nanmedian(neighbours, axis=1))


def comb_prominence(
    power: Floats, spacing: float, finest: float, samplerate: int
) -> tuple[float, float]:
    """Mean and maximum prominence in dB of a comb's lines, less those of its control bins.

    Music is harmonic itself, so each line has a control bin of the same statistic: half the
    `finest` comb's spacing below it, which is halfway between two lines and on none of any layer.
    (Halfway between two lines of a coarser comb, a line of a finer one may stand.)
    """
    lines = comb_frequencies(spacing, samplerate)
    tones = prominence(power, lines, samplerate)
    controls = prominence(power, lines - finest / 2, samplerate)
    return float(tones.mean() - controls.mean()), float(tones.max() - controls.max())


def tone_level(power: Floats, frequency: float, samplerate: int) -> float:
    """RMS level in dBFS of a sine at `frequency`, a bin of `mean_spectrum`; floor `SILENCE_DB`."""
    line = int(_bins(np.array([frequency]), samplerate, power)[0])
    sides = 1 if line in (0, len(power) - 1) else 2
    return float(to_decibels(sides * power[line]))


def notch_depth(power: Floats, frequency: float, samplerate: int) -> float:
    """Depth in dB of the notch at `frequency`: its level below the third-octave around it.

    The median power of the third-octave (or 6 bins either side, if that is wider), guard bins left
    out, over the power of the bin. Positive for a filtering artifact (Sec. 3), negative for a tone,
    zero for silence.
    """
    line = int(_bins(np.array([frequency]), samplerate, power)[0])
    below = max(round(line * (1 - 2 ** (-1 / 6))), 2 * GUARD)
    above = max(round(line * (2 ** (1 / 6) - 1)), 2 * GUARD)
    band = np.arange(max(line - below, 0), min(line + above, len(power) - 1) + 1)
    band = band[np.abs(band - line) >= GUARD]
    return float(to_decibels(np.median(power[band])) - to_decibels(power[line]))


def measure(
    output: Floats, samplerate: int, strides: Sequence[int], n_fft: int = N_FFT
) -> list[Record]:
    """Measure `output` [samples] of a model whose upsampling layers have `strides`, deepest first.

    Records, all finite: `level` (dBFS); at each line of the outermost layer and at the fundamental
    of each deeper one `tone_prominence` (dB) and `tone_level` (dBFS); `notch_depth` (dB) at each
    line of the outermost layer, the zeros of its interpolation filter; `comb_prominence_mean` and
    `comb_prominence_max` (dB) of each layer's comb, under the comb's spacing. Combs too fine for
    `n_fft` are left out (with 16384 points: Demucs's deepest layer). Raises ValueError for
    samples that are not finite, or too few.
    """
    _, power = mean_spectrum(output, samplerate, n_fft)
    resolved = MINIMUM_SPACING * samplerate / n_fft
    spacings = [s for s in comb_spacings(strides, samplerate) if s >= resolved]
    records: list[Record] = []

    def record(name: str, frequency: float | None, value: float, unit: str = "dB") -> None:
        number = None if frequency is None else float(frequency)
        records.append(Record(measure=name, frequency_hz=number, value=float(value), unit=unit))

    record("level", None, level(output), "dBFS")
    if not spacings:
        return records
    outermost = comb_frequencies(spacings[0], samplerate)
    tones = np.concatenate([outermost, spacings[1:]])
    for frequency, value in zip(tones, prominence(power, tones, samplerate), strict=True):
        record("tone_prominence", frequency, value)
        record("tone_level", frequency, tone_level(power, frequency, samplerate), "dBFS")
    for frequency in outermost:
        record("notch_depth", frequency, notch_depth(power, frequency, samplerate))
    for spacing in spacings:
        mean, maximum = comb_prominence(power, spacing, spacings[-1], samplerate)
        record("comb_prominence_mean", spacing, mean)
        record("comb_prominence_max", spacing, maximum)
    return records
