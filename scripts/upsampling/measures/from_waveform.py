"""Measurements of upsampling artifacts in a waveform: tones, combs of tones, notches, level.

What an operator's weights alone tell is in `layers`; how far a shift passes through, in `shifts`.

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

from upsampling.measures import ecma418
from upsampling.measures.spectra import frame_transforms

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
# What lies so far below the whole signal counts as that far below it: well above the rounding of
# double precision (some 300 dB), and of single precision (some 150 dB for a line). So what rounding
# leaves between two tones, or makes of a constant, is neither noise nor tone.
RANGE_DB = 180.0
SINGLE_RANGE_DB = 140.0
# Keeps quotients of nothing finite.
TINY = 1e-100
ECMA = {
    "tone_to_noise_ratio": ecma418.tone_to_noise_ratio,
    "prominence_ratio": ecma418.prominence_ratio,
}


class Measurement(TypedDict):
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


def resolved(power: Floats, range_db: float = RANGE_DB) -> Floats:
    """Mean power [bins], none further than `range_db` below its sum, nor below `SILENCE_DB`."""
    floor = float(np.sum(power)) * 10 ** (-range_db / 10)
    return np.maximum(power, max(floor, 10 ** (SILENCE_DB / 10)))


def _bins(frequencies: Floats, samplerate: int, power: Floats) -> NDArray[np.intp]:
    n_fft = 2 * (len(power) - 1)
    return np.rint(np.asarray(frequencies) * n_fft / samplerate).astype(np.intp)


def prominence(power: Floats, frequencies: Floats, samplerate: int) -> Floats:
    """Prominence in dB [lines] of the bins at `frequencies` over those around them.

    With mean power P of `mean_spectrum`: L(f) = 10 log10 P[f] - 10 log10 median of P[b] over
    3 <= |b - f| <= 30 bins, where P is at least `RANGE_DB` below the sum of all bins. Zero where
    nothing stands out, silence included; at most `RANGE_DB`.
    """
    power = resolved(power)
    offsets = np.arange(GUARD, NEIGHBOURHOOD + 1)
    offsets = np.concatenate([-offsets[::-1], offsets])
    lines = _bins(frequencies, samplerate, power)
    around = lines[:, None] + offsets
    outside = (around < 0) | (around >= len(power))
    neighbours = np.where(outside, np.nan, power[np.clip(around, 0, len(power) - 1)])
    return 10 * np.log10(power[lines] / np.nanmedian(neighbours, axis=1))


def comb_prominences(
    power: Floats, spacings: Sequence[float], samplerate: int
) -> list[tuple[float, float]]:
    """Mean and maximum prominence in dB of each comb's lines, less those of its control bins.

    `spacings` in Hz go from the coarsest comb to the finest, which holds the lines of all. Music is
    harmonic itself, so each line has a control bin of the same statistic: half the finest comb's
    spacing below it, which is halfway between two lines and on none of any layer. (Halfway between
    two lines of a coarser comb, a line of a finer one may stand.)
    """
    lines = comb_frequencies(spacings[-1], samplerate)
    tones = prominence(power, lines, samplerate)
    controls = prominence(power, lines - spacings[-1] / 2, samplerate)
    found = []
    for spacing in spacings:
        step = round(spacing / spacings[-1])
        tone, control = tones[step - 1 :: step], controls[step - 1 :: step]
        found.append((float(tone.mean() - control.mean()), float(tone.max() - control.max())))
    return found


def tone_level(power: Floats, frequency: float, samplerate: int) -> float:
    """RMS level in dBFS of a sine at `frequency`, a bin of `mean_spectrum`; floor `SILENCE_DB`."""
    line = int(_bins(np.array([frequency]), samplerate, power)[0])
    sides = 1 if line in (0, len(power) - 1) else 2
    return float(to_decibels(sides * power[line]))


def notch_depth(power: Floats, frequency: float, samplerate: int) -> float:
    """Depth in dB of the notch at `frequency`: its level below the third-octave around it.

    The median power of the third-octave (or 6 bins either side, if that is wider), guard bins left
    out, over the power of the bin. Positive for a filtering artifact (Sec. 3), negative for a tone,
    zero for silence. At most `RANGE_DB`, and less where the window leaks: white noise between the
    zeros of a box of s samples reads the depth that `layers.expected_notch_depth` gives.
    """
    power = resolved(power)
    line = int(_bins(np.array([frequency]), samplerate, power)[0])
    below = max(round(line * (1 - 2 ** (-1 / 6))), 2 * GUARD)
    above = max(round(line * (2 ** (1 / 6) - 1)), 2 * GUARD)
    band = np.arange(max(line - below, 0), min(line + above, len(power) - 1) + 1)
    band = band[np.abs(band - line) >= GUARD]
    return float(10 * np.log10(np.median(power[band]) / power[line]))


def stationarity(
    transforms: NDArray[Any], frequencies: Floats, samplerate: int, range_db: float = RANGE_DB
) -> Floats:
    """How still the lines at `frequencies` stand: 0 .. 1 [lines], from `frame_transforms`.

    Each frame's transform is turned back by the phase that a steady line at f has gained since the
    first: C[t] = Y[f, t] exp(-2 pi i f t hop / fs). The measure is |mean C|^2 / mean |C|^2: the
    share of the line's power in a component of constant amplitude and phase. A steady tone has 1,
    one that sounds in a share d of the frames d; stationary noise has (1 + (1 - 1 / T) / 3) / T
    with T frames (neighbours share half their samples: their correlation is 1/6), which for music
    is about the same. 0 for lines below `range_db` and where a single frame cannot tell.
    """
    frames, bins = transforms.shape
    power = np.mean(np.abs(transforms) ** 2, axis=0)
    lines = _bins(frequencies, samplerate, power)
    hop = bins - 1
    phases = np.outer(np.arange(frames), np.asarray(frequencies) * hop / samplerate)
    steady = np.abs(np.mean(transforms[:, lines] * np.exp(-2j * np.pi * phases), axis=0)) ** 2
    heard = power[lines] >= resolved(power, range_db)[lines]
    return np.where(heard & (frames > 1), steady / np.maximum(power[lines], TINY), 0.0)


def measure(
    output: Floats, samplerate: int, strides: Sequence[int], n_fft: int = N_FFT
) -> list[Measurement]:
    """Measure `output` [samples] of a model whose upsampling layers have `strides`, deepest first.

    Records, all finite: `level` (dBFS); at each line of the outermost layer and at the fundamental
    of each deeper one `tone_prominence` (dB), `tone_level` (dBFS) and `stationarity` (0 .. 1), and
    where ECMA-418-1 assesses tones `tone_to_noise_ratio` and `prominence_ratio` (dB); `notch_depth`
    (dB) at each line of the outermost layer, the zeros of its interpolation filter;
    `comb_prominence_mean` and `comb_prominence_max` (dB) of each layer's comb, under the comb's
    spacing. Combs too fine for `n_fft` are left out (with 16384 points: Demucs's deepest layer).
    In an `output` of single precision, nothing is told apart `SINGLE_RANGE_DB` below the whole.
    Raises ValueError for samples that are not finite, or too few.
    """
    transforms = frame_transforms(output, n_fft)
    range_db = SINGLE_RANGE_DB if np.asarray(output).dtype == np.float32 else RANGE_DB
    power = np.mean(np.abs(transforms) ** 2, axis=0)
    told = resolved(power, range_db)
    finest = MINIMUM_SPACING * samplerate / n_fft
    spacings = [s for s in comb_spacings(strides, samplerate) if s >= finest]
    records = [Measurement(measure="level", frequency_hz=None, value=level(output), unit="dBFS")]
    if not spacings:
        return records

    def record(name: str, frequency: float, value: float, unit: str = "dB") -> None:
        records.append(
            Measurement(measure=name, frequency_hz=float(frequency), value=float(value), unit=unit)
        )

    outermost = comb_frequencies(spacings[0], samplerate)
    tones = np.concatenate([outermost, spacings[1:]])
    stands_out = prominence(told, tones, samplerate)
    still = stationarity(transforms, tones, samplerate, range_db)
    for place, frequency in enumerate(tones):
        record("tone_prominence", frequency, stands_out[place])
        record("tone_level", frequency, tone_level(power, frequency, samplerate), "dBFS")
        record("stationarity", frequency, still[place], "1")
        for name, ratio in ECMA.items():
            if ecma418.assessed(frequency, samplerate, name):
                record(name, frequency, ratio(told, frequency, samplerate))
    for frequency in outermost:
        record("notch_depth", frequency, notch_depth(power, frequency, samplerate))
    combs = comb_prominences(told, spacings, samplerate)
    for spacing, (mean, maximum) in zip(spacings, combs, strict=True):
        record("comb_prominence_mean", spacing, mean)
        record("comb_prominence_max", spacing, maximum)
    return records
