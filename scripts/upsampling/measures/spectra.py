"""Spectra by the conventions of the paper's appendix (Sec. 8), and long-term mean spectra."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from upsampling.decibels import amplitude_to_db
from upsampling.errors import UserError

Floats = NDArray[np.floating[Any]]

N_FFT = 2048
HOP = 512
# librosa's default when the paper was written; "constant" since librosa 0.9.
PAD_MODE: Final = "reflect"
# Level of an empty bin, 100 dB below the lowest range of a figure.
FLOOR_DB = -300.0


@dataclass(frozen=True)
class Spectrogram:
    """A magnitude spectrogram in dB for a panel of a figure.

    `decibels` float32 [bins, frames] is not clipped for display; `frequencies` [bins] in Hz;
    `times` [frames] in seconds: the middle of a frame with `center=True`, its start otherwise.
    """

    decibels: Floats
    frequencies: Floats
    times: Floats
    samplerate: int

    def arrays(self) -> dict[str, Any]:
        """Return the fields by name."""
        return dict(vars(self))


def hann(width: int) -> Floats:
    """Return a periodic Hann window [width]. SciPy has the same, but is slow to import."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)


def hann_transform(distances: Floats) -> Floats:
    """Return the transform sinc(d) / (1 - d^2) of a Hann window, d bins from its center."""
    unit = np.abs(np.abs(distances) - 1) < 1e-9
    return np.where(unit, 0.5, np.sinc(distances) / (1 - np.where(unit, 0.0, distances**2)))


def stft(signal: Floats, center: bool) -> NDArray[np.complex128]:
    """Return the short-time Fourier transform [1025, frames] of `signal` [samples]: Hann, hop 512.

    The paper sets `center=False` for outputs of upsamplers, since padding would add boundary
    artifacts, and leaves librosa's `center=True` for inputs. In double precision, so that its
    rounding lies below the signal's. Equal to librosa's STFT; importing librosa takes longer than
    computing a figure's spectrograms.
    """
    if len(signal) < N_FFT:
        raise UserError(
            f"a signal of {len(signal)} samples is too short for a spectrogram; "
            f"use a longer signal (at least {N_FFT} samples)"
        )
    samples = np.asarray(signal, dtype=np.float64)
    if center:
        samples = np.pad(samples, N_FFT // 2, mode=PAD_MODE)
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
    return np.fft.rfft(frames * hann(N_FFT), axis=1).T


def reference_magnitude(signal: Floats) -> float:
    """Return the largest STFT magnitude of an input [samples]: 0 dB of all panels of its outputs.

    For a silent input, that of a full-scale sine: half the sum of the window.
    """
    peak = float(np.max(np.abs(stft(signal, center=True))))
    return peak if peak > 0 else N_FFT / 4


def spectrogram(
    signal: Floats, samplerate: int, reference: float, center: bool = False
) -> Spectrogram:
    """Spectrogram of `signal` [samples] in dB re `reference` (see `reference_magnitude`)."""
    ratio = np.abs(stft(signal, center)) / reference
    levels = amplitude_to_db(ratio, FLOOR_DB).astype(np.float32)
    return Spectrogram(
        decibels=levels,
        frequencies=np.arange(levels.shape[0]) * samplerate / N_FFT,
        times=np.arange(levels.shape[1]) * HOP / samplerate,
        samplerate=samplerate,
    )


def frame_transforms(signal: Floats, n_fft: int = 16384) -> NDArray[np.complex128]:
    """Return transforms [frames, n_fft // 2 + 1] of half-overlapping Hann frames of `signal`.

    Divided by the sum of the window, so that a complex exponential of amplitude A on a bin gives A,
    and a sine half its amplitude. A signal [samples] shorter than a frame is one shorter, padded
    frame. Raises UserError for non-finite samples and for signals under half a frame, whose lines
    would be wider than `from_waveform.GUARD`.
    """
    signal = np.asarray(signal, dtype=np.float64)
    if not np.isfinite(signal).all():
        raise UserError("the signal has samples that are not finite: has the model diverged?")
    if len(signal) < n_fft // 2:
        raise UserError(
            f"a signal of {len(signal)} samples is too short for a spectrum of {n_fft} points; "
            f"use a longer signal (at least {n_fft // 2} samples)"
        )
    width = min(n_fft, len(signal))
    window = hann(width)
    frames = np.lib.stride_tricks.sliding_window_view(signal, width)[:: n_fft // 2]
    return np.fft.rfft(frames * window, n_fft, axis=-1) / window.sum()


def mean_spectrum(signal: Floats, samplerate: int, n_fft: int = 16384) -> tuple[Floats, Floats]:
    """Return frequencies in Hz and mean power [n_fft // 2 + 1] of `signal` [samples].

    Mean over the frames of |`frame_transforms`|^2: a complex exponential of power P on a bin gives
    P, so a sine of RMS r gives r^2 / 2 (the other half is at the negative frequency), but r^2 at
    0 Hz and at half the sampling rate. White noise of variance v gives 1.5 v / n_fft at every bin.
    Raises UserError as `frame_transforms`.
    """
    power = np.mean(np.abs(frame_transforms(signal, n_fft)) ** 2, axis=0)
    return np.fft.rfftfreq(n_fft, 1 / samplerate), power
