"""Stacks of single-channel operators: the tones and replicas of Figs. 7 and 8, and their seeds."""

import dataclasses

import numpy as np
import pytest
import torch

from upsampling.config.figures import Stack
from upsampling.measures.from_waveform import prominence
from upsampling.measures.spectra import mean_spectrum
from upsampling.probes.operator_stack import names_and_rates, stack_layers, stack_outputs
from upsampling.probes.signals import probe_signal

TONES_HZ = np.array([4000, 8000, 12000, 16000])
OTHERS_HZ = np.array([3000, 5000, 7000, 9000, 13000])
# Far above and about as large as the rounding between lines.
TONE_DB, NOISE_DB = 40, 10


def stack(operator: str, **changes) -> Stack:
    return dataclasses.replace(Stack(operator=operator, signal="ones"), **changes)


@pytest.mark.parametrize(("operator", "kernel_size"), [("transposed", 4), ("subpixel", 3)])
def test_figures_7_and_8_tones_and_their_replicas(operator, kernel_size):
    settings = stack(operator, options={"kernel_size": kernel_size}, layers=3, stride=2)
    arrays = stack_outputs(dataclasses.replace(settings, samplerate=4000, seconds=3))
    assert arrays["samplerates"].tolist() == [4000, 8000, 16000, 32000]
    _, power = mean_spectrum(arrays["layer_3"][2000:-2000], 32000)
    assert (prominence(power, TONES_HZ, 32000) > TONE_DB).all()
    assert (np.abs(prominence(power, OTHERS_HZ, 32000)) < NOISE_DB).all()


def test_each_layer_upsamples_the_one_before():
    settings = stack("nearest", layers=2, stride=3, samplerate=4000, seconds=0.1)
    arrays = stack_outputs(settings)
    np.testing.assert_array_equal(arrays["signal"], probe_signal("ones", 0.1, 4000))
    first, second = stack_layers(settings)
    with torch.no_grad():
        once = first(torch.from_numpy(arrays["signal"])[None, None])
        twice = second(once)
    np.testing.assert_array_equal(arrays["layer_1"], once[0, 0].numpy())
    np.testing.assert_array_equal(arrays["layer_2"], twice[0, 0].numpy())
    assert names_and_rates(arrays) == [("signal", 4000), ("layer_1", 12000), ("layer_2", 36000)]


def test_stacks_depend_on_their_seed_alone():
    settings = stack("transposed", layers=2, stride=2, samplerate=4000, seconds=1)
    first, again, other = (
        stack_outputs(dataclasses.replace(settings, seed=seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first["layer_2"], again["layer_2"])
    assert np.abs(first["layer_2"] - other["layer_2"]).max() > 1e-3


def test_layers_of_a_stack_differ():
    first, second = stack_layers(stack("transposed", layers=2, stride=2))
    assert not torch.equal(first.convolution.weight, second.convolution.weight)
    assert first.convolution.bias is not None
