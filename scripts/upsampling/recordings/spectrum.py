"""Mean spectrum of a recording of any length, and how steady given lines stand, in one pass."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.measures.from_waveform import SINGLE_RANGE_DB, TINY, with_floor
from upsampling.measures.spectra import hann
from upsampling.recordings.audio import Recording

Floats = NDArray[np.floating[Any]]


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


class _Accumulator:
    """Sums over frames of n_fft samples that overlap by half."""

    def __init__(self, channels: int, samplerate: int, n_fft: int, lines: Floats) -> None:
        self.n_fft, self.hop = n_fft, n_fft // 2
        self.window = hann(n_fft) / hann(n_fft).sum()
        self.bins = np.rint(lines * n_fft / samplerate).astype(np.intp)
        # A steady line gains this phase from one frame to the next.
        self.turn = np.exp(-2j * np.pi * lines * self.hop / samplerate)
        self.phase = np.ones(len(lines), complex)
        self.power = np.zeros(n_fft // 2 + 1)
        self.steady = np.zeros((channels, len(lines)), complex)
        self.rest = np.zeros((0, channels))
        self.frames = 0

    def add(self, block: Floats) -> None:
        """Add samples [samples, channels]."""
        samples = np.concatenate([self.rest, block])
        start = 0
        while start + self.n_fft <= len(samples):
            self._frame(samples[start : start + self.n_fft].T)
            start += self.hop
        self.rest = samples[start:].copy()

    def _frame(self, samples: Floats) -> None:
        for channel, signal in enumerate(samples):
            transform = np.fft.rfft(signal * self.window)
            self.power += transform.real**2 + transform.imag**2
            self.steady[channel] += transform[self.bins] * self.phase
        self.phase *= self.turn
        self.frames += 1

    def stationarity(self) -> Floats:
        """Share of each line's power in a component of constant amplitude and phase [lines]."""
        total = self.power[self.bins] / max(self.frames, 1)
        steady = np.sum(np.abs(self.steady / max(self.frames, 1)) ** 2, axis=0)
        return steady / np.maximum(total, TINY) if self.frames > 1 else np.zeros(len(self.bins))


def recording_spectrum(
    recording: Recording, n_fft: int, lines: Floats | None = None
) -> RecordingSpectrum:
    """Mean spectrum of the whole `recording`, and the stationarity of `lines` in Hz.

    Memory does not grow with the recording's length. Raises `UserError` if it is shorter than one
    frame of `n_fft` samples, silent, or damaged.
    """
    lines = np.zeros(0) if lines is None else np.asarray(lines, dtype=np.float64)
    sums = _Accumulator(recording.channels, recording.samplerate, n_fft, lines)
    samples, peak, energy = 0, 0.0, 0.0
    for block in recording.blocks():
        samples += len(block)
        peak = max(peak, float(np.max(np.abs(block), initial=0.0)))
        energy += float(np.sum(np.square(block)))
        sums.add(block)
    if not sums.frames:
        raise too_short(recording, samples, n_fft)
    if peak == 0:
        raise UserError(f"{recording.path}: silent: all samples are 0")
    power = sums.power / (sums.frames * recording.channels)
    return RecordingSpectrum(
        power=with_floor(power, SINGLE_RANGE_DB),
        stationarity=sums.stationarity(),
        samplerate=recording.samplerate,
        n_fft=n_fft,
        frames=sums.frames,
        samples=samples,
        peak=peak,
        level_dbfs=float(power_to_db(energy / (samples * recording.channels))),
    )


def too_short(recording: Recording, samples: int, needed: int) -> UserError:
    """The error of a recording of fewer than `needed` samples per channel."""
    rate = recording.samplerate
    return UserError(
        f"{recording.path}: {samples / rate:.2f} s are too short; "
        f"at least {needed / rate:.2f} s are needed"
    )
