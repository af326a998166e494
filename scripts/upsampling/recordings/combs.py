"""Combs of given spacings in a recording: how far their lines stand above the control bins.

A decoder with strides s_1 .. s_L (layer 1 the deepest) at the sampling rate fs can leave lines at
multiples of fs / (s_l .. s_L) for each layer l. The excess of a comb is the mean over its lines in
a band of their prominence, less that of control bins half the finest comb's spacing below: music is
harmonic itself, and a comb score without a control tells little.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.measures.from_waveform import (
    MINIMUM_SPACING,
    Floats,
    comb_frequencies,
    median_around,
    prominence,
)
from upsampling.recordings.audio import Recording
from upsampling.recordings.spectrum import RecordingSpectrum, recording_spectrum, too_short

# Above most of music's own partials, below the cutoff of lossy codecs.
BAND_HZ = (5000.0, 16000.0)
# Of a frame. A steady line stands out by 3 dB more in frames twice as long: all recordings have the
# same, so that their excesses compare.
FRAME_SECONDS = 1.5
MAXIMUM_N_FFT = 2**20
# A comb of this excess and significance is reported as found; `docs/audit_recordings.md` has the
# values of recordings without decoders.
FOUND_DB = 1.0
FOUND_ERRORS = 4.0
# Fewer lines tell too little: a partial that happens to lie there is one of them.
FOUND_LINES = 8
# Sum over bins of a Hann window's squared response, in units of the central bin's: any line's power
# is that of the bins around it over this, wherever it stands between two of them.
HANN_POWER = 1.5


@dataclass(frozen=True)
class Line:
    """One line of a comb: frequency in Hz, level in dBFS, prominence in dB, stationarity 0 .. 1."""

    frequency_hz: float
    level_dbfs: float
    prominence_db: float
    stationarity: float


@dataclass(frozen=True)
class Comb:
    """A comb of lines at the multiples of `spacing_hz`.

    `excess_db` is the mean prominence of the `lines_in_band` lines less that of their control bins,
    None without a line in the band; `error_db` its standard error, None without two. `level_dbfs`
    is the power sum of those of its lines in the band that are on no coarser comb, noise
    subtracted. `lines` are these, and `stationarity` is their median.
    """

    spacing_hz: float
    lines_in_band: int
    excess_db: float | None
    error_db: float | None
    level_dbfs: float
    stationarity: float | None
    lines: tuple[Line, ...]

    @property
    def found(self) -> bool:
        """True if the excess of enough lines is above `FOUND_DB` and `FOUND_ERRORS` errors."""
        if self.excess_db is None or self.error_db is None or self.lines_in_band < FOUND_LINES:
            return False
        return self.excess_db > max(FOUND_DB, FOUND_ERRORS * self.error_db)


def usable_band(samplerate: int, band: tuple[float, float] = BAND_HZ) -> tuple[float, float]:
    """The band in Hz as far as the sampling rate has it.

    Where less than an octave of it is left, the upper half of the spectrum takes its place.
    """
    low, high = band
    high = min(high, 0.98 * samplerate / 2)
    return (low, high) if high >= 2 * low or band != BAND_HZ else (high / 2, high)


def checked_band(recording: Recording, band: tuple[float, float]) -> tuple[float, float]:
    """The `usable_band`. Raises `UserError` unless 0 < low < high <= half the sampling rate."""
    low, high = usable_band(recording.samplerate, band)
    if not 0 < low < high <= recording.samplerate / 2:
        raise UserError(
            f"{recording.path}: the band {low:g} to {high:g} Hz is empty at a sampling rate of "
            f"{recording.samplerate} Hz; choose another --band"
        )
    return low, high


def frame_length(samplerate: int, spacing: float) -> int:
    """Samples of a frame of about `FRAME_SECONDS` on whose bins all lines fall, if any can.

    They do when samplerate / spacing is a whole number. `measure_combs` refuses a comb that would
    need more than `MAXIMUM_N_FFT` samples.
    """
    near, stride = FRAME_SECONDS * samplerate, samplerate / spacing
    if abs(stride - round(stride)) > 1e-6:
        return max(2 ** round(np.log2(near)), int(np.ceil(MINIMUM_SPACING * stride)))
    # A multiple of an even number of strides, since frames overlap by half.
    period = round(stride) * (2 if round(stride) % 2 else 1)
    return period * max(round(near / period), int(np.ceil(MINIMUM_SPACING * stride / period)))


def measure_combs(
    recording: Recording, spacings: Sequence[float], band: tuple[float, float] = BAND_HZ
) -> tuple[list[Comb], RecordingSpectrum]:
    """Measure combs of `spacings` in Hz, coarsest first, each a multiple of the next one.

    Returns them with the spectrum that they are measured on. Frames are shorter where the recording
    is. Raises `UserError` for recordings that are too short, silent in the band, or damaged.
    """
    rate, finest = recording.samplerate, spacings[-1]
    low, high = checked_band(recording, band)
    if finest > rate / 2:
        raise UserError(
            f"{recording.path}: a comb of spacing {finest:g} Hz has no line at a sampling rate of "
            f"{rate} Hz"
        )
    if MINIMUM_SPACING * (rate / finest) > MAXIMUM_N_FFT:
        raise UserError(
            f"{recording.path}: a comb of spacing {finest:g} Hz is too fine to resolve; "
            f"at {rate} Hz the finest is {MINIMUM_SPACING * rate / MAXIMUM_N_FFT:.2f} Hz"
        )
    n_fft, shortest = frame_length(rate, finest), int(np.ceil(MINIMUM_SPACING * rate / finest))
    length = recording.length(n_fft)
    if length < n_fft:
        n_fft = length // shortest * shortest // 2 * 2
        if n_fft < shortest:
            raise too_short(recording, length, shortest)
    spectrum = recording_spectrum(recording, n_fft, comb_frequencies(finest, rate))
    check_sound(spectrum, low, high, str(recording.path))
    combs = combs_of(spectrum, spacings, (low, high))
    if not combs[-1].lines_in_band:
        raise UserError(
            f"{recording.path}: the comb of spacing {finest:g} Hz has no line from {low:g} to "
            f"{high:g} Hz; choose a wider --band"
        )
    return combs, spectrum


def check_sound(spectrum: RecordingSpectrum, low: float, high: float, where: str) -> None:
    """Raise `UserError` if the band holds nothing but the rounding of the rest."""
    inside = spectrum.power[round(low / spectrum.bin_hz) : round(high / spectrum.bin_hz) + 1]
    if inside.max() <= spectrum.power.min():
        raise UserError(
            f"{where}: nothing sounds between {low:.0f} and {high:.0f} Hz; choose another --band"
        )


def combs_of(
    spectrum: RecordingSpectrum, spacings: Sequence[float], band: tuple[float, float]
) -> list[Comb]:
    """Combs of `spacings` (coarsest first) in a spectrum with the stationarity of the finest's."""
    rate, finest = spectrum.samplerate, spacings[-1]
    frequencies = comb_frequencies(finest, rate)
    tones = prominence(spectrum.power, frequencies, rate)
    controls = prominence(spectrum.power, frequencies - finest / 2, rate)
    powers = line_powers(spectrum, frequencies)
    measured = np.stack([frequencies, power_to_db(powers), tones, spectrum.stationarity], axis=1)
    inside = (frequencies >= band[0]) & (frequencies <= band[1])
    coarser = np.zeros(len(frequencies), dtype=bool)
    found = []
    for spacing in spacings:
        step = round(spacing / finest)
        member = np.zeros(len(frequencies), dtype=bool)
        member[step - 1 :: step] = True
        chosen, alone = member & inside, member & inside & ~coarser
        differences, steady = tones[chosen] - controls[chosen], spectrum.stationarity[alone]
        count = len(differences)
        found.append(
            Comb(
                spacing_hz=float(spacing),
                lines_in_band=count,
                excess_db=float(differences.mean()) if count else None,
                error_db=float(differences.std(ddof=1) / np.sqrt(count)) if count > 1 else None,
                level_dbfs=float(power_to_db(powers[alone].sum())),
                stationarity=float(np.median(steady)) if len(steady) else None,
                lines=tuple(Line(*map(float, line)) for line in measured[alone]),
            )
        )
        coarser |= member
    return found


def line_powers(spectrum: RecordingSpectrum, frequencies: Floats) -> Floats:
    """Mean-square values [lines] of sines at `frequencies`, the noise around them subtracted.

    Where there is noise alone they are of either sign, and their sum is about zero.
    """
    centres = np.rint(frequencies / spectrum.bin_hz).astype(np.intp)
    noise = median_around(spectrum.power, centres)
    lobe = np.minimum(centres[:, None] + np.arange(-2, 3), len(spectrum.power) - 1)
    return 2 * (spectrum.power[lobe] - noise[:, None]).sum(axis=1) / HANN_POWER
