"""What Figs. 1, 6-9 show, asserted on the responses of initialised models and stacks."""

import dataclasses

import numpy as np
import pytest

from upsampling.config.model import DemucsLikeSettings
from upsampling.measures.from_waveform import notch_depth, prominence
from upsampling.measures.spectra import mean_spectrum
from upsampling.models import build
from upsampling.probes.model_output import model_output
from upsampling.probes.operator_stack import stack_outputs

# Sec. 5: a tone stands at "sampling rate / upsampling factor", 44100 / 4.
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


def test_input_and_output_are_aligned_and_of_the_wanted_length():
    inputs, output, rate = model_output(build(NARROW, 0), "white_noise", 1.5, 3)
    assert rate == 44100
    assert inputs.shape == output.shape == (66150,)


@pytest.mark.parametrize(("operator", "length"), [("transposed", 4), ("subpixel", 3)])
def test_figures_7_and_8_tones_and_their_replicas(operator, length):
    arrays = stack_outputs(
        "ones",
        operator,
        {"kernel_size": length},
        layers=3,
        stride=2,
        samplerate=4000,
        seconds=3,
        seed=0,
    )
    assert arrays["samplerates"].tolist() == [4000, 8000, 16000, 32000]
    _, power = mean_spectrum(arrays["layer_3"][2000:-2000], 32000)
    tones = prominence(power, np.array([4000, 8000, 12000, 16000]), 32000)
    assert (tones > 40).all()
    others = prominence(power, np.array([3000, 5000, 7000, 9000, 13000]), 32000)
    assert (np.abs(others) < 10).all()


def test_stacks_depend_on_their_seed_alone():
    settings = {"layers": 2, "stride": 2, "samplerate": 4000, "seconds": 1}
    first = stack_outputs("ones", "transposed", {}, seed=1, **settings)
    again = stack_outputs("ones", "transposed", {}, seed=1, **settings)
    other = stack_outputs("ones", "transposed", {}, seed=2, **settings)
    np.testing.assert_array_equal(first["layer_2"], again["layer_2"])
    assert np.abs(first["layer_2"] - other["layer_2"]).max() > 1e-3
