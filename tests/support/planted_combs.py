"""Recordings with known combs, and without any, for the tests of the audit."""

from pathlib import Path

import numpy as np
import soundfile

from upsampling.probes.signals import signal

RATE = 44100


def noise(seconds: float, rate: int = RATE, seed: int = 0, rms: float = 0.05) -> np.ndarray:
    """White noise [samples] of an RMS value."""
    return np.random.default_rng(seed).normal(0, rms, round(seconds * rate))


def comb(
    seconds: float, spacing: float, level_dbfs: float, rate: int = RATE, seed: int = 0
) -> np.ndarray:
    """Sines [samples] at all multiples of `spacing`, each of `level_dbfs`, of random phase."""
    time = np.arange(round(seconds * rate)) / rate
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, int(rate / 2 / spacing))
    lines = [
        np.cos(2 * np.pi * spacing * k * time + phase)
        for k, phase in enumerate(phases, start=1)
        if spacing * k < rate / 2
    ]
    return np.sqrt(2) * 10 ** (level_dbfs / 20) * np.sum(lines, axis=0)


def music(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """The pipeline's test signal of music [samples], without any decoder, and a noise floor."""
    return signal("music", seconds, rate, seed).astype(np.float64) / 4 + noise(
        seconds, rate, seed, 1e-4
    )


def write(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "FLOAT") -> Path:
    """Write samples [samples] or [samples, channels]; return the path."""
    soundfile.write(path, samples, rate, subtype=subtype)
    return path
