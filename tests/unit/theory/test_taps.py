"""The taps of each linear operator, against what the operator does with impulses and periods."""

import numpy as np
import pytest
import torch
from torch import nn

from upsampling.measures.from_weights import respond
from upsampling.operators import OPERATORS, build_operator
from upsampling.theory.taps import Filters, operator_taps

# Weights and fixed taps are single precision; the operators run in double precision here.
TOLERANCE = 1e-6
TIME = 66
AT = 32
# What has no filter, by construction.
OTHERS = {"istft_head"}
CASES = [
    *((name, {}, 4) for name in OPERATORS if name not in OTHERS),
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
        # Away from where learnt interpolations and lifting steps begin.
        for parameter in layer.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return layer


@torch.no_grad()
def run(layer: nn.Module, signal: np.ndarray) -> np.ndarray:
    return layer(torch.from_numpy(signal)[None])[0].numpy()


@pytest.mark.parametrize(("name", "options", "stride"), CASES)
def test_taps_are_the_response_to_an_impulse(name, options, stride):
    layer = build(name, options, stride)
    filters = operator_taps(layer)
    assert filters.stride == stride
    if name == "noise_sinc" and not options:
        # The noise is the same in both runs, and goes out with the answer to silence.
        filters = Filters(filters.taps, filters.first, stride, 0 * filters.offset)
    silence = run(layer, np.zeros((2, TIME)))
    for channel in (0, 1):
        signal = np.zeros((2, TIME))
        signal[channel, AT] = 1
        found = run(layer, signal) - silence
        expected = np.zeros_like(found)
        start = stride * AT + filters.first
        kept = slice(max(-start, 0), found.shape[1] - start)
        taps = filters.taps[:, channel][:, kept]
        expected[:, max(start, 0) : max(start, 0) + taps.shape[1]] = taps
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)


@pytest.mark.parametrize(("name", "options", "stride"), CASES)
def test_measured_combs_are_those_of_the_taps(name, options, stride):
    """What `layers` measures with impulses, from the weights: tones of constants, of silence."""
    layer = build(name, options, stride)
    filters = operator_taps(layer)
    found = respond(layer, stride, 2)
    sums = np.stack([filters.steady([[1], [0]]), filters.steady([[0], [1]])]) - filters.offset
    comb = np.sum(np.abs(np.fft.fft(sums, axis=-1) / stride) ** 2, axis=(0, 1))
    np.testing.assert_allclose(found.comb, comb, atol=TOLERANCE)
    energy = np.sum(filters.taps**2)
    assert found.correlation.max() == pytest.approx(energy, rel=1e-5)
    bias = np.sum(np.abs(np.fft.fft(filters.offset, axis=-1) / stride) ** 2, axis=0)
    if name != "noise_sinc" or options:
        np.testing.assert_allclose(found.bias_comb, bias, atol=TOLERANCE)


@pytest.mark.parametrize(("name", "options", "stride"), SHORT)
def test_steady_answer_to_a_period(name, options, stride):
    layer = build(name, options, stride)
    period = np.random.default_rng(6).normal(size=(2, 3))
    output = run(layer, np.tile(period, TIME // 3))
    steady = operator_taps(layer).steady(period)
    middle = slice(stride * 24, stride * 27)
    np.testing.assert_allclose(output[:, middle], steady, atol=TOLERANCE)


@pytest.mark.parametrize("names", [("transposed", "subpixel"), ("learned_wavelet", "linear")])
def test_two_operators_are_one_by_the_noble_identity(names):
    layers = [build(name, {}, 2) for name in names]
    both = operator_taps(layers[0]).then(operator_taps(layers[1]))
    period = np.random.default_rng(7).normal(size=(2, 4))
    output = run(nn.Sequential(*layers), np.tile(period, 12))
    np.testing.assert_allclose(output[:, 80:96], both.steady(period), atol=TOLERANCE)
    frequencies = np.linspace(0, 0.5, 33)
    first, second = (operator_taps(layer) for layer in layers)
    product = np.einsum(
        "omf,mcf->ocf", second.response(frequencies), first.response(2 * frequencies)
    )
    np.testing.assert_allclose(both.response(frequencies), product, atol=TOLERANCE)


def test_what_has_no_filter_is_refused():
    for name, options in (("istft_head", {}), ("linear", {"definition": "align_corners"})):
        with pytest.raises(LookupError):
            operator_taps(build_operator(name, 2, 2, 4, options=options))
