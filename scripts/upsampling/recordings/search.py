"""Combs of unknown spacing in a recording's mean spectrum.

The residual of the spectrum in dB above its running median is folded at a trial spacing d: averaged
over all lines k d in the band, at k d itself and at every fraction of the way to (k + 1) d with a
denominator up to `FRACTIONS`. A decoder's comb has one peak, at k d. Music that repeats in time, as
loops on a tempo do, has a comb as well, but a finer one: it fills several fractions alike. The
score of d is hence the height of k d above the *highest* of the fractions, in standard errors.

A coarser comb would also lift the mean at its divisors d, of whose lines it has every p-th. So a
trial counts only if the lines whose k a prime p does not divide are high, too.

Trial spacings are those that a decoder can have: a usual sampling rate, or the recording's own,
over a total stride that is a product of 2, 3 and 5.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np
from scipy.ndimage import median_filter

from upsampling.errors import UserError
from upsampling.measures.from_waveform import Floats, prominence
from upsampling.recordings.audio import Recording
from upsampling.recordings.combs import BAND_HZ, FOUND_ERRORS, check_sound, checked_band
from upsampling.recordings.spectrum import RecordingSpectrum, recording_spectrum

SAMPLERATES = (16000, 22050, 24000, 32000, 44100, 48000)
FINEST_HZ = 20.0
MAXIMUM_STRIDE = 4800
# Lines that the coarsest comb has in the band.
FEWEST_LINES = 8
FRACTIONS = 24
# Bins on either side of a line that its own width fills.
GUARD_BINS = 3
# Width of a bin that suits, where the recording has `FEWEST_FRAMES` frames of that length, and the
# widest with which the lines of a comb are still apart.
BIN_HZ = 0.75
FEWEST_FRAMES = 4
WIDEST_BIN_HZ = 1.8
MEDIAN_HZ = 60.0
# Lines stand above the median: holes below it, which low bit rates leave, count for nothing; and no
# single line weighs more than 10 dB in a mean.
CLIP_DB = (0.0, 10.0)
# A comb whose lines are lower is not worth its fractions: it never reaches the threshold.
FAINTEST_DB = 0.25
# Of total strides. Each of the decoders in `known_decoders` has these alone; a factor of 7 would
# admit spacings that loops on a tempo have, and the filter bank of MP3 at low bit rates.
PRIMES = (2, 3, 5)
# Of lines that rise out of nothing, all to the same clipped height.
SMALLEST_ERROR_DB = 0.01
# Of the height over all lines, the share that the lines without every p-th must have.
LEAST_SHARE = 0.25
# Mean excess of a finer comb's own lines, beside a coarser comb that was found.
FINER_DB = 0.3
# In standard errors. Without a decoder, 1 of 212 recordings is above it, and no other above 2.2;
# docs/audit_recordings.md has these, lossy files and the rates of detection.
THRESHOLD = 4.0


@dataclass(frozen=True)
class Trial:
    """A trial spacing in Hz, the decoder that would have it, and its score in standard errors.

    `excess_db` is the height of the comb's lines over the median of the fractions between them.
    """

    spacing_hz: float
    samplerate: int
    total_stride: int
    score: float
    excess_db: float


@dataclass(frozen=True)
class BlindSearch:
    """All trials, the best first, on the spectrum they were made on."""

    trials: tuple[Trial, ...]
    spectrum: RecordingSpectrum
    band_hz: tuple[float, float]

    @property
    def best(self) -> Trial:
        """The trial of the highest score."""
        return self.trials[0]

    @property
    def found(self) -> list[float]:
        """Spacings in Hz of the combs found, coarsest first; the finest divides all others.

        Of the trials above `THRESHOLD`, the finest that the best is a multiple of, and its
        multiples: all can be combs of one decoder. A finer comb, too faint for a search, is added
        where its lines stand out by themselves. Empty if the best is not above the threshold.
        """
        above = [trial for trial in self.trials if trial.score > THRESHOLD]
        divisors = [trial for trial in above if _multiple(self.best.spacing_hz, trial.spacing_hz)]
        if not divisors:
            return []
        finest = min(trial.spacing_hz for trial in divisors)
        spacings = {trial.spacing_hz for trial in above if _multiple(trial.spacing_hz, finest)}
        while finer := finer_comb(self.spectrum, finest, self.band_hz):
            spacings.add(finest := finer)
        return sorted(spacings, reverse=True)


def _multiple(spacing: float, finer: float) -> bool:
    """Return True if `spacing` is a multiple of `finer`, to the accuracy of trial spacings."""
    ratio = spacing / finer
    return abs(ratio - round(ratio)) < 1e-6 * ratio


def search(recording: Recording, band: tuple[float, float] = BAND_HZ) -> BlindSearch:
    """Search the recording for combs. Raises `UserError` for one too short, silent or damaged."""
    rate = recording.samplerate
    low, high = checked_band(recording, band)
    n_fft = 2 ** int(np.ceil(np.log2(rate / BIN_HZ)))
    length = recording.length(FEWEST_FRAMES * n_fft)
    while n_fft * FEWEST_FRAMES > length and n_fft > rate / WIDEST_BIN_HZ:
        n_fft //= 2
    spectrum = recording_spectrum(recording, n_fft)
    check_sound(spectrum, low, high, str(recording.path))
    residual = residual_decibels(spectrum.power, spectrum.bin_hz)
    trials = [
        Trial(spacing, samplerate, stride, *fold(residual, spectrum.bin_hz, spacing, (low, high)))
        for spacing, samplerate, stride in trial_spacings(rate)
        if finest_spacing(spectrum.bin_hz) <= spacing <= (high - low) / FEWEST_LINES
    ]
    if not trials:
        raise UserError(
            f"{recording.path}: no comb that is searched for has {FEWEST_LINES} lines from "
            f"{low:g} to {high:g} Hz; choose a wider --band"
        )
    trials.sort(key=lambda trial: -trial.score)
    return BlindSearch(tuple(trials), spectrum, (low, high))


def finest_spacing(bin_hz: float) -> float:
    """Finest trial spacing in Hz: several places lie apart from its lines."""
    return max(FINEST_HZ, (4 * GUARD_BINS + 1) * bin_hz)


def trial_spacings(samplerate: int) -> Iterator[tuple[float, int, int]]:
    """Spacings in Hz, each once, with the sampling rate and the total stride they come from.

    The recording's own rate goes before others with which a spacing agrees.
    """
    # Products of `PRIMES` divide a power of them all whose exponent is as large as theirs can be.
    power = prod(PRIMES) ** MAXIMUM_STRIDE.bit_length()
    strides = [stride for stride in range(1, MAXIMUM_STRIDE + 1) if power % stride == 0]
    seen: set[Fraction] = set()
    for rate in dict.fromkeys((samplerate, *SAMPLERATES)):
        for stride in strides:
            spacing = Fraction(rate, stride)
            if spacing not in seen:
                seen.add(spacing)
                yield float(spacing), rate, stride


def finer_comb(
    spectrum: RecordingSpectrum, spacing: float, band: tuple[float, float]
) -> float | None:
    """Spacing in Hz of a comb p times finer than `spacing`, if those of its lines stand out that it
    does not share, for a prime p; else None.

    They do by more than `FINER_DB` and `FOUND_ERRORS` standard errors over their control bins.
    """
    for p in PRIMES:
        finer = spacing / p
        lines = np.arange(np.ceil(band[0] / finer), np.floor(band[1] / finer) + 1)
        lines = lines[lines % p != 0] * finer
        if finer < finest_spacing(spectrum.bin_hz) or len(lines) < FEWEST_LINES:
            continue
        excess = prominence(spectrum.power, lines, spectrum.samplerate) - prominence(
            spectrum.power, lines - finer / 2, spectrum.samplerate
        )
        error = excess.std(ddof=1) / np.sqrt(len(lines))
        if excess.mean() > max(FINER_DB, FOUND_ERRORS * error):
            return finer
    return None


def residual_decibels(power: Floats, bin_hz: float) -> Floats:
    """Spectrum in dB [bins] less its running median over `MEDIAN_HZ`, clipped to `CLIP_DB`."""
    decibels, width = 10 * np.log10(power), int(MEDIAN_HZ / bin_hz) | 1
    return np.clip(decibels - median_filter(decibels, size=width, mode="nearest"), *CLIP_DB)


# Places between two lines where finer combs have theirs: 1/2, 1/3, 2/3, 1/4, ...
PLACES = np.array(sorted({n / d for d in range(2, FRACTIONS + 1) for n in range(1, d)}))


def fold(
    residual: Floats, bin_hz: float, spacing: float, band: tuple[float, float]
) -> tuple[float, float]:
    """Score in standard errors and excess in dB of a comb in `residual` [bins] in dB.

    Means over the comb's lines k d in the band, and over the places between each and the next.
    """
    lines = np.arange(np.ceil(band[0] / spacing), np.floor(band[1] / spacing))
    if residual[np.rint(lines * spacing / bin_hz).astype(np.intp)].mean() < FAINTEST_DB:
        return 0.0, 0.0
    apart = np.minimum(PLACES, 1 - PLACES) * spacing > GUARD_BINS * bin_hz
    places = np.concatenate([[0.0], PLACES[apart]])
    values = residual[np.rint((lines[:, None] + places) * spacing / bin_hz).astype(np.intp)]
    height, error = _height(values)
    for p in PRIMES:
        others = values[lines % p != 0]
        if len(others) >= FEWEST_LINES // 2 and _height(others)[0] < LEAST_SHARE * height:
            return 0.0, 0.0
    means = values.mean(axis=0)
    return height / error, float(means[0] - np.median(means[1:]))


def _height(values: Floats) -> tuple[float, float]:
    """Height in dB of place 0 over the highest other, of `values` [lines, places], and its error.

    The standard error of the mean over lines is that at place 0 or, if it is larger, of all places.
    """
    means, variances = values.mean(axis=0), values.var(axis=0, ddof=1)
    error = np.sqrt(max(variances[0], variances.mean()) / len(values))
    return float(means[0] - means[1:].max()), max(float(error), SMALLEST_ERROR_DB)
