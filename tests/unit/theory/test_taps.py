"""The taps of each linear operator, against its output for impulses and periods."""

import numpy as np
import pytest
import torch
from torch import nn

from upsampling.measures.from_weights import impulse_responses
from upsampling.operators import OPERATORS, build_operator
from upsampling.theory.filters import Filters
from upsampling.theory.taps import added_noise, operator_taps

# Weights and fixed taps are single precision; the operators run in double precision here.
TOLERANCE = 1e-6
# Of the mean of 512 periodograms: three deviations.
NOISE_DB = 0.7
TIME = 66
AT = 32
# Not linear, by construction.
NOT_LINEAR = {"istft_head"}
CASES = [
    *((name, {}, 4) for name in OPERATORS if name not in NOT_LINEAR),
    ("transposed", {"kernel_size": 3}, 2),
    ("transposed", {"kernel_size": 8}, 6),
    ("nearest", {"kernel_size": 9}, 3),
    ("nearest", {"kernel_size": 0}, 4),
    ("linear", {"definition": "triangle"}, 3),
    ("linear", {"definition": "half_pixel"}, 3),
    ("linear", {"definition": "half_pixel", "kernel_size": 0}, 2),
    ("subpixel", {"kernel_size": 4}, 3),
    ("subpixel_zoh", {"kernel_size": 3}, 3),
    ("stretch", {"kernel_size": 5}, 3),
    ("sinc", {"kernel_size": 0, "zeros": 8}, 3),
    ("learned_wavelet", {"lifting": 5}, 2),
    ("learned_wavelet", {"lifting": 1}, 4),
    ("noise_sinc", {"branch": "stretch"}, 2),
]
# Those whose filters are shorter than the signal.
SHORT = [case for case in CASES if case[0] not in ("sinc", "noise_sinc")]


def build(name: str, options: dict, stride: int, channels: int = 2) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        layer = build_operator(name, 2, channels, stride, options=options).double().eval()
        # Away from the initial values of learned interpolations and lifting steps.
        for parameter in layer.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return layer


@torch.no_grad()
def run(layer: nn.Module, signal: np.ndarray) -> np.ndarray:
    return layer(torch.from_numpy(signal)[None])[0].numpy()


@pytest.mark.parametrize(("name", "options", "stride"), CASES)
def test_taps_are_the_impulse_response(name, options, stride):
    layer = build(name, options, stride)
    filters = operator_taps(layer)
    assert filters.stride == stride
    if name == "noise_sinc" and not options:
        # The noise is the same in both runs, and cancels with the output for silence.
        filters = Filters(filters.taps, filters.first, stride, 0 * filters.offset)
    silence = run(layer, np.zeros((2, TIME)))
    for channel in (0, 1):
        signal = np.zeros((2, TIME))
        signal[channel, AT] = 1
        output = run(layer, signal) - silence
        expected = np.zeros_like(output)
        start = stride * AT + filters.first
        inside = slice(max(-start, 0), output.shape[1] - start)
        taps = filters.taps[:, channel][:, inside]
        expected[:, max(start, 0) : max(start, 0) + taps.shape[1]] = taps
        np.testing.assert_allclose(output, expected, atol=TOLERANCE)


@pytest.mark.parametrize(("name", "options", "stride"), CASES)
def test_measured_combs_are_those_of_the_taps(name, options, stride):
    """`from_weights` measures tones of constants and of silence with impulses."""
    layer = build(name, options, stride)
    filters = operator_taps(layer)
    measured = impulse_responses(layer, stride, 2)
    sums = (
        np.stack([filters.steady_output([[1], [0]]), filters.steady_output([[0], [1]])])
        - filters.offset
    )
    comb = np.sum(np.abs(np.fft.fft(sums, axis=-1) / stride) ** 2, axis=(0, 1))
    np.testing.assert_allclose(measured.comb, comb, atol=TOLERANCE)
    energy = np.sum(filters.taps**2)
    assert measured.correlation.max() == pytest.approx(energy, rel=1e-5)
    bias = np.sum(np.abs(np.fft.fft(filters.offset, axis=-1) / stride) ** 2, axis=0)
    if name != "noise_sinc" or options:
        np.testing.assert_allclose(measured.bias_comb, bias, atol=TOLERANCE)


@pytest.mark.parametrize(("name", "options", "stride"), SHORT)
def test_steady_output_for_a_period(name, options, stride):
    layer = build(name, options, stride)
    period = np.random.default_rng(6).normal(size=(2, 3))
    output = run(layer, np.tile(period, TIME // 3))
    expected = operator_taps(layer).steady_output(period)
    middle = slice(stride * 24, stride * 27)
    np.testing.assert_allclose(output[:, middle], expected, atol=TOLERANCE)


@pytest.mark.parametrize("names", [("transposed", "subpixel"), ("learned_wavelet", "linear")])
def test_two_operators_are_one_by_the_noble_identity(names):
    layers = [build(name, {}, 2) for name in names]
    both = operator_taps(layers[0]).then(operator_taps(layers[1]))
    period = np.random.default_rng(7).normal(size=(2, 4))
    output = run(nn.Sequential(*layers), np.tile(period, 12))
    np.testing.assert_allclose(output[:, 80:96], both.steady_output(period), atol=TOLERANCE)
    frequencies = np.linspace(0, 0.5, 33)
    first, second = (operator_taps(layer) for layer in layers)
    product = np.einsum(
        "omf,mcf->ocf",
        second.frequency_response(frequencies),
        first.frequency_response(2 * frequencies),
    )
    np.testing.assert_allclose(both.frequency_response(frequencies), product, atol=TOLERANCE)


def test_an_operator_without_a_filter_is_refused():
    for name, options in (("istft_head", {}), ("linear", {"definition": "align_corners"})):
        with pytest.raises(LookupError):
            operator_taps(build_operator(name, 2, 2, 4, options=options))


def test_added_noise_is_colored_as_its_filter_says():
    """The output's periodogram, less the constant part, against the gain of the noise's filter."""
    layer = build("noise_sinc", {}, 2, channels=1)
    noise_filters = added_noise(layer)
    assert noise_filters is not None
    output = run(layer, np.zeros((2, 1 << 16)))[0]
    noise = output - np.resize(operator_taps(layer).steady_output(np.zeros((2, 1)))[0], len(output))
    window = np.hanning(256)
    segments = noise.reshape(-1, 256) * window
    power = np.mean(np.abs(np.fft.rfft(segments)) ** 2, axis=0)
    gain = noise_filters.frequency_response(np.arange(129) / 256)[0]
    expected = np.sum(np.abs(gain) ** 2, axis=0) * np.sum(window**2)
    loud = expected > 1e-2 * expected.max()
    assert loud.sum() > 30
    np.testing.assert_allclose(10 * np.log10(power[loud] / expected[loud]), 0, atol=NOISE_DB)
    assert added_noise(build("noise_sinc", {"branch": "stretch"}, 2)) is None
    assert added_noise(build("sinc", {}, 2)) is None
