"""Sounds of the page: matched in level, and encoded as FLAC or Opus in data URIs.

Tones and silence are FLAC of 16 bits. Noise would take ten times the room, and is Opus, as excerpts
of music are. In the demo's outputs, Opus of 96 kbit/s changes the level of the tone at 11,025 Hz by
0.4 dB at most, also where it stands 2 dB above its surroundings. It fills valleys a few bins wide,
such as those of interpolators, from 51 dB to 20 dB, which is inaudible; pictures and measures are
therefore of the signals.
"""

import subprocess
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upsampling.errors import UserError
from upsampling.html_pages import data_uri, flac
from upsampling.measures.from_waveform import level

Samples = NDArray[np.floating[Any]]

TARGET_DBFS = -26.0
PEAK = 10 ** (-1 / 20)
# An output below this level counts as silent: it is inaudible beside the others, and amplification
# would only raise the ends of the signal and the rounding of samples.
AUDIBLE_DBFS = -80.0
OPUS_RATE = "96k"
# Bits per second up to which a probe stays FLAC.
FLAC_LIMIT = 256_000


@dataclass(frozen=True)
class Loudness:
    """A sound's RMS `level` in dBFS without its constant part, which is `constant`.

    It is played with a `gain` in dB; a `silent` one is played as it is.
    """

    level: float
    constant: float
    gain: float
    silent: bool


def match_level(samples: Samples) -> tuple[Samples, Loudness]:
    """Bring `samples` [samples] or [samples, channels] to `TARGET_DBFS` RMS; -1 dBFS at most.

    The mean of each channel is removed: a constant is inaudible, but its ends click. A sound below
    `AUDIBLE_DBFS` keeps its level.
    """
    constant = samples.mean(axis=0, dtype=np.float64)
    moving = samples - constant
    rms, peak = level(moving), float(np.abs(moving).max(initial=0.0))
    silent = rms < AUDIBLE_DBFS
    gain = 0.0 if silent else min(TARGET_DBFS - rms, 20 * float(np.log10(PEAK / peak)))
    loudness = Loudness(rms, float(np.mean(constant)), gain, silent)
    return moving * 10 ** (gain / 20), loudness


def flac_or_opus(samples: Samples, samplerate: int) -> str:
    """`samples` [samples] as FLAC, if that is small, or else as Opus."""
    encoded = flac(samples, samplerate)
    small = len(encoded) * 8 * 3 / 4 <= FLAC_LIMIT * len(samples) / samplerate
    return encoded if small else opus(samples[:, None], samplerate)


def opus(samples: Samples, samplerate: int) -> str:
    """`samples` [samples, channels], at most 1 in size, as a data URI of an Ogg Opus file."""
    # Without `bitexact`, ffmpeg draws the serial number of the Ogg stream at random.
    reproducible = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
    quiet = ["-v", "error", "-nostdin", "-threads", "1"]
    source = ["-f", "f32le", "-ar", str(samplerate), "-ac", str(samples.shape[1]), "-i", "pipe:0"]
    encoder = ["-c:a", "libopus", "-b:a", OPUS_RATE, "-compression_level", "2"]
    try:
        done = subprocess.run(
            ["ffmpeg", *quiet, *source, *reproducible, *encoder, "-f", "ogg", "pipe:1"],
            input=samples.astype("<f4").tobytes(),
            capture_output=True,
        )
    except FileNotFoundError as error:
        raise UserError("ffmpeg is not on PATH; call this in the project's environment") from error
    if done.returncode:
        raise UserError(
            f"ffmpeg cannot encode Opus: {done.stderr.decode(errors='replace').strip()}"
        )
    return data_uri("audio/ogg", done.stdout)
