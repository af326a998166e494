"""Outputs of initialised models: aligned with inputs, with the artifacts of Figs. 1 and 9."""

import dataclasses

import numpy as np
import pytest
import torch

from upsampling.config.model import DemucsLikeSettings
from upsampling.measures.from_waveform import notch_depth, prominence
from upsampling.measures.spectra import mean_spectrum
from upsampling.models import build
from upsampling.models.base import AudioModel
from upsampling.probes.model_output import model_output, multichannel_signal
from upsampling.probes.signals import probe_signal

# Sec. 5: a tone at "sampling rate / upsampling factor", 44100 / 4.
TONE_HZ = 11025
NARROW = DemucsLikeSettings(channels=16, rescale=None)
MODIFIED = dataclasses.replace(NARROW, bias=False, first_relu=False)


def tone(settings: DemucsLikeSettings) -> float:
    """Prominence in dB of the tone at a quarter of the sampling rate."""
    _, output, rate = model_output(build(settings, 0), "white_noise", 2, 0)
    _, power = mean_spectrum(output, rate)
    return float(prominence(power, np.array([TONE_HZ]), rate)[0])


@pytest.mark.parametrize("operator", ["transposed", "subpixel"])
def test_figures_1_and_9_tones_that_the_modification_removes(operator):
    original = tone(dataclasses.replace(NARROW, operator=operator))
    modified = tone(dataclasses.replace(MODIFIED, operator=operator))
    assert original > 15
    assert modified < original - 10


@pytest.mark.parametrize("operator", ["nearest", "linear"])
def test_figure_1_valley_of_the_interpolators(operator):
    settings = dataclasses.replace(NARROW, operator=operator)
    _, output, rate = model_output(build(settings, 0), "white_noise", 2, 0)
    _, power = mean_spectrum(output, rate)
    assert notch_depth(power, TONE_HZ, rate) > 20
    assert prominence(power, np.array([TONE_HZ]), rate)[0] < 0


class Identity(AudioModel):
    """Two sources, the input and its negative; the output lacks 3 samples at either end."""

    samplerate = 8000
    audio_channels = 2
    sources = ("plus", "minus")

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(()))

    def forward(self, waveforms):
        inner = self.gain * waveforms[..., 3:-3]
        return torch.stack([inner, -inner], dim=1)

    def input_length(self, samples):
        return samples + 6


def test_input_and_output_are_aligned():
    model = Identity()
    for source, sign in enumerate((1, -1)):
        for channel in range(2):
            inputs, output, rate = model_output(
                model, "white_noise", 0.5, 3, source=source, channel=channel
            )
            assert (len(inputs), rate) == (4000, 8000)
            np.testing.assert_array_equal(output, sign * inputs)


def test_a_margin_is_cut_from_either_end():
    inputs, output, _ = model_output(Identity(), "sweep", 0.5, 0, margin=100)
    whole = probe_signal("sweep", 4206 / 8000, 8000)
    np.testing.assert_array_equal(inputs, whole[103:4103])
    np.testing.assert_array_equal(output, inputs)
    without, _, _ = model_output(Identity(), "sweep", 0.5, 0)
    np.testing.assert_array_equal(without, probe_signal("sweep", 4006 / 8000, 8000)[3:4003])


def test_the_output_has_the_precision_of_the_weights():
    assert model_output(Identity(), "ones", 0.1, 0)[1].dtype == np.float32
    assert model_output(Identity().double(), "ones", 0.1, 0)[1].dtype == np.float64


def test_the_output_of_a_demucs_like_model_has_the_asked_length():
    inputs, output, rate = model_output(build(NARROW, 0), "white_noise", 1.5, 3)
    assert rate == 44100
    assert inputs.shape == output.shape == (66150,)


def test_random_signals_are_independent_in_the_channels():
    noise = multichannel_signal("white_noise", 20000, 8000, 5, 2).numpy()
    assert noise.shape == (2, 20000)
    # Four standard errors of the correlation of independent signals.
    assert abs(np.corrcoef(noise)[0, 1]) < 4 / np.sqrt(20000)
    np.testing.assert_array_equal(noise[1], probe_signal("white_noise", 2.5, 8000, 6))
    ones = multichannel_signal("ones", 33, 8000, 5, 2).numpy()
    np.testing.assert_array_equal(ones, np.ones((2, 33)))
