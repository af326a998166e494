"""Pictures of the page: spectrograms as small PNG files, mean spectra as short lists."""

import io
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from upsampling.decibels import power_to_db
from upsampling.figures.spectrograms import for_display
from upsampling.figures.style import COLORMAP
from upsampling.html_pages import data_uri
from upsampling.measures.spectra import HOP, Spectrogram, mean_spectrum

# Steps of 2.4 dB on a range of 150 dB: too small to see, and files are a third smaller.
LEVELS = 64
PICTURE_COLUMNS = 280
BANDS = 240


def palette() -> list[str]:
    """The colors of all levels, lowest first, as #rrggbb."""
    colors = colormaps[COLORMAP](np.linspace(0, 1, LEVELS), bytes=True)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b, _ in colors.tolist()]


def spectrogram_png(shown: Spectrogram, floor: float, seconds: float) -> str:
    """The first `seconds` of a spectrogram, from `floor` to 0 dB, as the data URI of a PNG file.

    Low frequencies are at the bottom, there are no axes, and times without a frame are transparent.
    """
    columns = max(1, int(seconds * shown.samplerate / HOP))
    frames = shown.decibels[:, :columns]
    frames = np.pad(frames, ((0, 0), (0, columns - frames.shape[1])), constant_values=np.nan)
    power = for_display(for_display(frames).T, PICTURE_COLUMNS).T[::-1]
    steps = np.rint(np.clip(1 - power / floor, 0, 1) * (LEVELS - 1))
    image = Image.fromarray(np.where(np.isnan(steps), LEVELS, steps).astype(np.uint8))
    image.putpalette(bytes.fromhex("".join([*palette(), "#ffffff"]).replace("#", "")))
    file = io.BytesIO()
    image.save(file, "PNG", transparency=LEVELS)
    return data_uri("image/png", file.getvalue())


def mean_curve(samples: NDArray[Any], samplerate: int) -> list[int]:
    """The mean spectrum in whole dBFS per bin, as the maximum of each of `BANDS` equal bands.

    The maximum keeps tones of one bin.
    """
    _, power = mean_spectrum(samples, samplerate)
    edges = np.linspace(0, len(power), BANDS, endpoint=False).astype(int)
    return np.rint(np.maximum.reduceat(power_to_db(power), edges)).astype(int).tolist()
