"""Pictures hold the spectrogram in steps, and curves hold tones of one bin."""

import base64
import io

import numpy as np
import pytest
from gallery_results import RATE, tone
from PIL import Image

from upsampling.gallery import pictures
from upsampling.measures.spectra import spectrogram


def decode(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(";base64,")[2])))


def test_a_picture_holds_the_spectrogram_in_64_steps_and_its_tone():
    shown = spectrogram(tone(11025, -20, seconds=1.0), RATE, 512.0)
    uri = pictures.spectrogram_png(shown, -150.0, 2.0)
    image = decode(uri)
    assert image.mode == "P"
    steps = np.asarray(image)
    height, width = steps.shape
    assert (height, width) == (256, int(2 * RATE / 512))
    frames = len(shown.times)
    assert (steps[:, frames:] == pictures.LEVELS).all()
    assert image.info["transparency"] == pictures.LEVELS
    row = int(np.argmax(steps[:, frames // 2]))
    assert (height - 1 - row) / height * RATE / 2 == pytest.approx(11025, abs=100)
    assert uri == pictures.spectrogram_png(shown, -150.0, 2.0)


def test_levels_are_steps_of_the_range():
    """A constant spectrum at a fraction of the range has that fraction of the steps."""
    shown = spectrogram(tone(11025, -20, seconds=1.0), RATE, 512.0)
    for level, step in ((20.0, 63), (0.0, 63), (-75.0, 32), (-150.0, 0), (-200.0, 0)):
        flat = type(shown)(
            np.full_like(shown.decibels, level), shown.frequencies, shown.times, RATE
        )
        steps = np.asarray(decode(pictures.spectrogram_png(flat, -150.0, 0.5)))
        assert set(steps.ravel().tolist()) == {step}


def test_the_palette_is_that_of_the_figures():
    colors = pictures.palette()
    assert len(set(colors)) == pictures.LEVELS
    # The ends of matplotlib's magma.
    assert (colors[0], colors[-1]) == ("#000003", "#fbfcbf")


def test_mean_curves_keep_tones_of_one_bin():
    curve = pictures.mean_curve(tone(11025, -40), RATE)
    assert len(curve) == pictures.BANDS
    assert max(curve) == pytest.approx(-43, abs=1)  # Half of its power is at -11025 Hz.
    assert abs(int(np.argmax(curve)) - pictures.BANDS / 2) <= 1


def test_pictures_and_curves_have_their_sizes():
    """At most 280 columns and 256 rows; 240 bands in whole decibels."""
    noise = np.random.default_rng(0).uniform(-1, 1, 10 * RATE)
    shown = spectrogram(noise, RATE, 512.0)
    assert decode(pictures.spectrogram_png(shown, -150.0, 10.0)).size == (280, 256)
    assert decode(pictures.spectrogram_png(shown, -150.0, 0.001)).size == (1, 256)
    assert (pictures.LEVELS, len(pictures.mean_curve(noise, RATE))) == (64, 240)
    # White noise of variance 1/3 has 1.5 / 3 / 16384 at each bin; a band's maximum has more.
    assert np.mean(pictures.mean_curve(noise, RATE)) == pytest.approx(-45 + 3, abs=2)
    # A constant of 1 stands in the first bin, at 0 dB.
    assert pictures.mean_curve(np.ones(RATE), RATE)[0] == 0
    edge = pictures.mean_curve(tone(22049, -40), RATE)
    assert int(np.argmax(edge)) == 239
