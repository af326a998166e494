"""Recordings with known combs, and without any, for the tests of the audit."""

import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from upsampling.demo_music.songs import make_song
from upsampling.tracks.decoder import ensure_ffmpeg

RATE = 44100


def noise(seconds: float, rate: int = RATE, seed: int = 0, rms: float = 0.05) -> np.ndarray:
    """White noise [samples] of an RMS value."""
    return np.random.default_rng(seed).normal(0, rms, round(seconds * rate))


@cache
def comb(seconds: float, spacing: float, level_dbfs: float, rate: int = RATE) -> np.ndarray:
    """Sines [samples] at all multiples of `spacing` below rate / 2, each of `level_dbfs` RMS."""
    samples = round(seconds * rate)
    turn = np.exp(2j * np.pi * spacing / rate * np.arange(samples))
    phases = np.random.default_rng(1).uniform(0, 2 * np.pi, int(rate / 2 / spacing) + 1)
    power, total = np.ones(samples, complex), np.zeros(samples)
    for k, phase in enumerate(phases, start=1):
        power *= turn
        if spacing * k < rate / 2:
            total += power.real * np.cos(phase) - power.imag * np.sin(phase)
    return np.sqrt(2) * 10 ** (level_dbfs / 20) * total


@cache
def music(seconds: float, index: int = 0) -> np.ndarray:
    """A demo song's mixture [samples, 2] at 44.1 kHz: synthesised without any decoder."""
    return make_song(11, "test", index, seconds)[0].astype(np.float64) / 32768


def write(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "FLOAT") -> Path:
    """Write samples [samples] or [samples, channels]; return the path."""
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def encode(source: Path, target: Path, codec: str, bitrate: str) -> Path:
    """Encode a file by ffmpeg; return the target."""
    ensure_ffmpeg()
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source)]
    command += ["-c:a", codec, "-b:a", bitrate, "-bitexact", str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target
