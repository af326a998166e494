"""Sound generators shared by the demo instruments: harmonic tones, noise, room, mixing."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import scipy.fft
from scipy import signal

SAMPLERATE = 44100
CONTROL_RATE = 200
HIGHEST_PARTIAL = 16000.0


def hertz(pitch: float | np.ndarray) -> np.ndarray:
    """Frequency in Hz of a MIDI pitch."""
    return 440.0 * 2 ** ((np.asarray(pitch, float) - 69) / 12)


def harmonic_tone(
    frequency: np.ndarray, gain: Callable[[np.ndarray, np.ndarray], np.ndarray], phases: np.ndarray
) -> np.ndarray:
    """A band-limited harmonic tone [n] with a moving spectrum: one wavetable per control instant.

    `frequency` [n] is the fundamental in Hz per sample. `gain(times, partials)` gets times [K, 1]
    in s and partial frequencies [K, H] in Hz and returns amplitudes [K, H]; `phases` [H] are those
    of the partials, so H is their number. Neighboring wavetables are cross-faded linearly, which
    is smooth because the phases stay the same.
    """
    samples, harmonics = len(frequency), len(phases)
    rows = int(np.ceil(samples * CONTROL_RATE / SAMPLERATE)) + 1
    at = np.linspace(0, samples - 1, rows)
    partials = np.interp(at, np.arange(samples), frequency)[:, None] * np.arange(1, harmonics + 1)
    amplitudes = gain(at[:, None] / SAMPLERATE, partials) * (partials < HIGHEST_PARTIAL)
    size = 1 << int(np.ceil(np.log2(8 * harmonics + 8)))
    spectrum = np.zeros((rows, size // 2 + 1), np.complex64)
    spectrum[:, 1 : harmonics + 1] = amplitudes * np.exp(1j * phases) * (size / 2)
    tables = scipy.fft.irfft(spectrum, size, axis=1)
    tables = np.concatenate([tables, tables[:, :1]], axis=1).ravel()

    position = (np.cumsum(frequency / SAMPLERATE) % 1.0 * size).astype(np.float32)
    column = np.minimum(position.astype(np.intp), size - 1)
    between = position - column.astype(np.float32)
    row = np.linspace(0, rows - 1, samples, dtype=np.float32)
    upper = np.minimum(row.astype(np.intp), rows - 2)
    fade = row - upper.astype(np.float32)
    index = upper * (size + 1) + column
    first = tables[index] + between * (tables[index + 1] - tables[index])
    index += size + 1
    second = tables[index] + between * (tables[index + 1] - tables[index])
    return first + fade * (second - first)


@lru_cache(maxsize=32)
def _band(low: float, high: float) -> np.ndarray:
    return signal.butter(2, [low, high], "bandpass", fs=SAMPLERATE, output="sos")


def noise(rng: np.random.Generator, samples: int, low: float, high: float) -> np.ndarray:
    """Gaussian noise [n] of unit RMS, band-passed between `low` and `high` Hz."""
    sound = signal.sosfilt(_band(low, high), rng.standard_normal(samples, dtype=np.float32))
    return sound / (np.sqrt(np.mean(sound**2)) + 1e-12)


def decay(samples: int, seconds: float, attack: float = 0.001) -> np.ndarray:
    """Envelope [n]: linear attack of `attack` s, then exponential with time constant `seconds`.

    The last 5 ms fade to zero, so no sound ends in a click.
    """
    time = np.arange(samples) / SAMPLERATE
    ending = np.clip((samples - 1 - np.arange(samples)) / (0.005 * SAMPLERATE), 0, 1)
    return np.minimum(time / attack, 1.0) * np.exp(-time / seconds) * ending


def add(track: np.ndarray, sound: np.ndarray, start: float, pan: float = 0.0) -> None:
    """Add mono `sound` [n] to stereo `track` [2, samples] at `start` s; pan -1 left .. 1 right.

    Constant-power panning; samples past the end of the track are dropped.
    """
    first = max(0, round(start * SAMPLERATE))
    sound = sound[: max(0, track.shape[1] - first)]
    angle = (pan + 1) * np.pi / 4
    track[0, first : first + len(sound)] += np.cos(angle) * sound
    track[1, first : first + len(sound)] += np.sin(angle) * sound


def room(track: np.ndarray, rng: np.random.Generator, seconds: float, level: float) -> np.ndarray:
    """Add the reverberation of a small room to stereo `track` [2, samples].

    The mean of both channels is convolved with decaying noise of finite length, different left and
    right: after more than `seconds` of silence the result is silent too, up to rounding.
    """
    length = int(seconds * SAMPLERATE)
    time = np.arange(length) / SAMPLERATE
    impulse_response = rng.standard_normal((2, length)) * np.exp(-time * 5.5 / seconds)
    impulse_response *= np.minimum(time / 0.008, 1) * np.hanning(2 * length)[length:]
    impulse_response = signal.lfilter([0.45], [1, -0.55], impulse_response)
    impulse_response *= level / np.sqrt(np.sum(impulse_response**2, axis=1, keepdims=True))
    samples = track.shape[1]
    size = scipy.fft.next_fast_len(samples + length, real=True)
    dry = scipy.fft.rfft(track.mean(axis=0).astype(np.float32), size)
    wet = scipy.fft.irfft(dry * scipy.fft.rfft(impulse_response.astype(np.float32), size), size)
    return track + wet[:, :samples]
