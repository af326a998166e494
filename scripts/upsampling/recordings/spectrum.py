"""Mean spectrum of a recording of any length, and how steady given lines stand, in one pass."""

from dataclasses import dataclass

import numpy as np

from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.measures.from_waveform import SINGLE_RANGE_DB, TINY, Floats, with_floor
from upsampling.measures.spectra import hann
from upsampling.recordings.audio import Recording


@dataclass(frozen=True)
class RecordingSpectrum:
    """Long-term spectrum of a recording.

    `power` [n_fft // 2 + 1] is the mean over frames and channels of |`frame_transforms`|^2, whose
    units it has: a sine of amplitude A on a bin reads A^2 / 4. Bins more than `SINGLE_RANGE_DB`
    below its sum are raised to that level, since decoders of lossy formats leave their own rounding
    where they leave nothing else. `stationarity` [lines], of the lines that were asked for, is that
    of `upsampling.measures.from_waveform.stationarity` over all channels. `peak` is the largest
    magnitude, `level_dbfs` the RMS level.
    """

    power: Floats
    stationarity: Floats
    samplerate: int
    n_fft: int
    frames: int
    samples: int
    peak: float
    level_dbfs: float

    @property
    def seconds(self) -> float:
        """Duration in s."""
        return self.samples / self.samplerate

    @property
    def bin_hz(self) -> float:
        """Distance of neighbouring bins in Hz."""
        return self.samplerate / self.n_fft


def recording_spectrum(
    recording: Recording, n_fft: int, lines: Floats | None = None
) -> RecordingSpectrum:
    """Mean spectrum of the whole `recording`, and the stationarity of `lines` in Hz.

    Over frames of `n_fft` samples that overlap by half. Memory does not grow with the recording's
    length. Raises `UserError` if it is shorter than one frame, silent, or damaged.
    """
    channels, rate, hop = recording.channels, recording.samplerate, n_fft // 2
    window = hann(n_fft) / hann(n_fft).sum()
    lines = np.zeros(0) if lines is None else np.asarray(lines, dtype=np.float64)
    bins = np.rint(lines * n_fft / rate).astype(np.intp)
    # A steady line gains the phase `turn` from one frame to the next.
    turn, phase = np.exp(-2j * np.pi * lines * hop / rate), np.ones(len(lines), complex)
    power, steady = np.zeros(hop + 1), np.zeros((channels, len(lines)), complex)
    frames, samples, peak, energy = 0, 0, 0.0, 0.0
    rest = np.zeros((0, channels))
    for block in recording.blocks():
        samples += len(block)
        peak = max(peak, float(np.max(np.abs(block), initial=0.0)))
        energy += float(np.sum(np.square(block)))
        rest = np.concatenate([rest, block])
        while len(rest) >= n_fft:
            for channel in range(channels):
                transform = np.fft.rfft(rest[:n_fft, channel] * window)
                power += transform.real**2 + transform.imag**2
                steady[channel] += transform[bins] * phase
            phase *= turn
            frames += 1
            rest = rest[hop:]
        # A view would keep the whole block in memory.
        rest = rest.copy()
    if not frames:
        raise too_short(recording, samples, n_fft)
    if peak == 0:
        raise UserError(f"{recording.path}: silent: all samples are 0")
    share = np.sum(np.abs(steady / frames) ** 2, axis=0) / np.maximum(power[bins] / frames, TINY)
    return RecordingSpectrum(
        power=with_floor(power / (frames * channels), SINGLE_RANGE_DB),
        stationarity=share if frames > 1 else np.zeros(len(bins)),
        samplerate=rate,
        n_fft=n_fft,
        frames=frames,
        samples=samples,
        peak=peak,
        level_dbfs=float(power_to_db(energy / (samples * channels))),
    )


def too_short(recording: Recording, samples: int, needed: int) -> UserError:
    """The error of a recording of fewer than `needed` samples per channel."""
    rate = recording.samplerate
    return UserError(
        f"{recording.path}: {samples / rate:.2f} s are too short; "
        f"at least {needed / rate:.2f} s are needed"
    )
