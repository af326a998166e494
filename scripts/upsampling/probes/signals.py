"""Test signals for upsamplers: the paper's (ones, white noise, music) and out-of-distribution ones.

Sec. 6 reports tonal artifacts after training "in silent parts and with out-of-distribution data";
silence, a constant, a sweep, percussion and artificial speech make that measurable.
"""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from upsampling.errors import UserError, nearest_match

Samples = NDArray[np.float32]

MUSIC_FILE = Path(__file__).with_name("vibe_ace_4khz.wav")
CONSTANT = 0.1
SWEEP_START_HZ = 20.0
SWEEP_END = 0.45

# Mean formants F1 to F3 of male speakers, Hz (Peterson and Barney 1952): /a/ /i/ /u/ /e/ /o/.
FORMANTS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
)
FORMANT_BANDWIDTH_HZ = 90.0


def _sweep(count: int, samplerate: int, rng: np.random.Generator) -> np.ndarray:
    """Exponential sine sweep from 20 Hz to 0.45 of the sampling rate, amplitude 0.5."""
    ratio = np.log(SWEEP_END * samplerate / SWEEP_START_HZ)
    cycles = SWEEP_START_HZ * count / samplerate / ratio
    return 0.5 * np.sin(2 * np.pi * cycles * np.expm1(ratio * np.arange(count) / count))


def _music(count: int, samplerate: int, rng: np.random.Generator) -> np.ndarray:
    """The 3 s clip of Fig. 6, resampled; longer signals repeat it back and forth, with no jump."""
    import soundfile
    import soxr

    clip, rate = soundfile.read(MUSIC_FILE, dtype="float32")
    # librosa resamples with soxr too; importing librosa takes a second.
    clip = soxr.resample(clip, rate, samplerate, quality="HQ")
    return np.resize(np.concatenate([clip, clip[::-1]]), count)


def _percussive(count: int, samplerate: int, rng: np.random.Generator) -> np.ndarray:
    """Four hits per second, alternately a falling sine (kick) and a burst of noise (snare)."""
    step = samplerate // 4
    time = np.arange(step) / samplerate
    kick = np.sin(2 * np.pi * (50 * time + 2 * -np.expm1(-time / 0.03))) * np.exp(-time / 0.08)
    hits = [
        kick if hit % 2 == 0 else rng.uniform(-1, 1, step) * np.exp(-time / 0.03)
        for hit in range(count // step + 1)
    ]
    return 0.8 * np.concatenate(hits)[:count]


def _resonate(sound: np.ndarray, formant: float, samplerate: int) -> np.ndarray:
    """Filter `sound` [samples] with a pair of poles at `formant` in Hz, of unit gain at 0 Hz.

    Its impulse response r^n sin((n + 1) a) / sin(a) decays within the sound.
    """
    radius = np.exp(-np.pi * FORMANT_BANDWIDTH_HZ / samplerate)
    angle = 2 * np.pi * formant / samplerate
    steps = np.arange(len(sound))
    impulse_response = radius**steps * np.sin((steps + 1) * angle) / np.sin(angle)
    impulse_response *= 1 - 2 * radius * np.cos(angle) + radius**2
    width = 2 * len(sound)
    spectrum = np.fft.rfft(sound, width) * np.fft.rfft(impulse_response, width)
    return np.fft.irfft(spectrum, width)[: len(sound)]


def _speech_like(count: int, samplerate: int, rng: np.random.Generator) -> np.ndarray:
    """Syllables: a pulse train through three formants, some with a hiss at the start, some silent.

    Each lasts 0.25 s (the 4 Hz rhythm of speech); the pitch varies around 120 Hz.
    """
    step = samplerate // 4
    time = np.arange(step) / samplerate
    envelope = np.sin(np.pi * np.arange(step) / step) ** 2
    syllables = []
    for _ in range(count // step + 1):
        pitch = rng.uniform(95, 145) * (1 + rng.uniform(-0.5, 0.5) * time)
        voice = np.diff(np.floor(np.cumsum(pitch) / samplerate), prepend=0.0)
        for formant in FORMANTS[rng.integers(len(FORMANTS))]:
            if formant < SWEEP_END * samplerate:
                voice = _resonate(voice, formant, samplerate)
        voice *= envelope / np.max(np.abs(voice))
        hiss = np.diff(rng.uniform(-0.2, 0.2, step), prepend=0.0) * np.exp(-time / 0.03)
        voiced, hissing = rng.uniform(size=2) < (0.8, 0.4)
        syllables.append(voiced * voice + hissing * hiss)
    speech = np.concatenate(syllables)[:count]
    return 0.5 * speech / max(np.max(np.abs(speech), initial=0.0), 1e-9)


SIGNALS: dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "ones": lambda count, samplerate, rng: np.ones(count),
    "silence": lambda count, samplerate, rng: np.zeros(count),
    "constant": lambda count, samplerate, rng: np.full(count, CONSTANT),
    "white_noise": lambda count, samplerate, rng: rng.uniform(-1.0, 1.0, count),
    "sweep": _sweep,
    "music": _music,
    "percussive": _percussive,
    "speech_like": _speech_like,
}


def probe_signal(name: str, seconds: float, samplerate: int, seed: int = 0) -> Samples:
    """Return the test signal `name` as float32 [round(seconds * samplerate)], magnitudes at most 1.

    `white_noise` is U(-1, 1) as in the paper's figures; `music` is the excerpt of Fig. 6 (at 4 kHz
    and 3 s, sample for sample). Only `white_noise`, `percussive` and `speech_like` depend on
    `seed`. Raises `UserError` for an unknown name or a length below one sample.
    """
    if name not in SIGNALS:
        raise UserError(
            f"unknown probe signal '{name}'{nearest_match(name, SIGNALS)}; "
            f"choose from {', '.join(SIGNALS)}"
        )
    count = round(seconds * samplerate)
    if count < 1:
        raise UserError(
            f"probe signal '{name}': {seconds} s at {samplerate} Hz is less than one sample"
        )
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return SIGNALS[name](count, samplerate, rng).astype(np.float32)
