"""Matrices of filters against SciPy's upfirdn and freqz, and against PyTorch's convolutions."""

import numpy as np
import pytest
import torch
from scipy import signal as scipy_signal
from torch import nn

from upsampling.theory import filters
from upsampling.theory.filters import Filters

TOLERANCE = 1e-9
SINGLE = 1e-6


def random_filters(
    outputs: int, inputs: int, count: int, stride: int, first: int = 0, seed: int = 0
) -> Filters:
    rng = np.random.default_rng([seed, outputs, count, stride])
    taps = rng.normal(size=(outputs, inputs, count))
    return Filters(taps, first, stride, rng.normal(size=(outputs, stride)))


def run(operator: Filters, signal: np.ndarray) -> np.ndarray:
    """Output [out, samples] for `signal` [in, time] by SciPy, from output sample 0 on."""
    length = operator.stride * signal.shape[-1]
    output = np.tile(operator.offset, signal.shape[-1])
    for o, row in enumerate(operator.taps):
        for taps, channel in zip(row, signal, strict=True):
            filtered = scipy_signal.upfirdn(taps, channel, up=operator.stride)
            filtered = np.pad(filtered, (max(operator.first, 0), length))
            output[o] += filtered[max(-operator.first, 0) :][:length]
    return output


@pytest.mark.parametrize("first", [-3, 0, 2])
def test_steady_output_is_that_of_a_long_periodic_signal(first):
    operator = random_filters(2, 3, 7, 4, first)
    period = np.random.default_rng(1).normal(size=(3, 5))
    output = run(operator, np.tile(period, 6))
    np.testing.assert_allclose(output[:, 40:60], operator.steady_output(period), atol=TOLERANCE)


def test_the_frequency_response_is_scipys():
    operator = random_filters(2, 2, 9, 3, first=-4)
    frequencies = np.linspace(0, 0.5, 21)
    response = operator.frequency_response(frequencies)
    for o in range(2):
        for c in range(2):
            _, expected = scipy_signal.freqz(operator.taps[o, c], worN=2 * np.pi * frequencies)
            ahead = np.exp(2j * np.pi * frequencies * 4)
            np.testing.assert_allclose(response[o, c], expected * ahead, atol=TOLERANCE)


def test_two_operators_in_a_row_are_one():
    first, second = random_filters(3, 2, 5, 2, -1), random_filters(2, 3, 4, 3, 1)
    signal = np.random.default_rng(2).normal(size=(2, 40))
    both = first.then(second)
    assert both.stride == 6
    # The last of 5 taps stands 3 * 4 samples after the first, and 4 taps follow it.
    assert both.taps.shape[-1] == 3 * 4 + 4
    expected = run(second, run(first, signal))
    middle = slice(60, 180)
    np.testing.assert_allclose(run(both, signal)[:, middle], expected[:, middle], atol=TOLERANCE)


def test_operators_side_by_side_are_summed():
    parts = [random_filters(2, 2, 5, 3, -2), random_filters(2, 2, 3, 3, 1, seed=1)]
    signal = np.random.default_rng(3).normal(size=(2, 20))
    total = parts[0].plus(parts[1])
    expected = sum(run(part, signal) for part in parts)
    np.testing.assert_allclose(run(total, signal), expected, atol=TOLERANCE)


@pytest.mark.parametrize("kernel_size", [1, 4, 7])
@pytest.mark.parametrize("bias", [False, True])
@torch.no_grad()
def test_a_convolution_is_pytorchs(kernel_size, bias):
    layer = nn.Conv1d(2, 3, kernel_size, bias=bias)
    signal = np.random.default_rng(4).normal(size=(2, 30))
    padded = nn.functional.pad(torch.from_numpy(signal), ((kernel_size - 1) // 2, kernel_size // 2))
    expected = layer.double()(padded[None])[0].numpy()
    output = run(filters.convolution(layer), signal)
    np.testing.assert_allclose(output, expected, atol=SINGLE)


@torch.no_grad()
def test_the_periodic_shuffle_is_that_of_pytorch():
    """`pixel_shuffle` upsamples images: a signal is one whose rows are all equal."""
    low = random_filters(6, 2, 3, 1)
    signal = np.random.default_rng(5).normal(size=(2, 12))
    rows = np.repeat(run(low, signal).reshape(2, 1, 3, 12), 3, axis=1)
    image = torch.from_numpy(rows.reshape(18, 1, 12))
    expected = nn.functional.pixel_shuffle(image, 3)[:, 0].numpy()
    output = run(filters.interleaved(low, 3), signal)
    np.testing.assert_allclose(output, expected, atol=TOLERANCE)


def test_a_filter_per_channel_mixes_no_channels():
    taps = np.random.default_rng(6).normal(size=(2, 5))
    operator = filters.per_channel(taps, 0, 3, 2)
    signal = np.random.default_rng(7).normal(size=(2, 8))
    output = run(operator, signal)
    for channel in range(2):
        expected = scipy_signal.upfirdn(taps[channel], signal[channel], up=3)[:24]
        np.testing.assert_allclose(output[channel, : len(expected)], expected, atol=TOLERANCE)
    shared = filters.per_channel(taps[0], 0, 3, 2)
    np.testing.assert_array_equal(shared.taps[0, 0], shared.taps[1, 1])
    assert not shared.taps[0, 1].any()


def test_tensors_become_double_precision():
    array = filters.to_numpy(torch.ones(2, dtype=torch.float32, requires_grad=True))
    assert array.dtype == np.float64
