"""Subpixel convolutions: a convolution, then the one-dimensional pixel shuffle."""

import pytest
import torch
from operator_outputs import tone_to_constant
from torch.nn import functional

from upsampling.operators import build_operator
from upsampling.operators.subpixel import periodic_shuffle

ROUNDING = 1e-6


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_periodic_shuffle_is_the_one_dimensional_pixel_shuffle(stride):
    inputs = torch.randn(2, 3 * stride, 5)
    output = periodic_shuffle(inputs, stride)
    assert output.shape == (2, 3, 5 * stride)
    for channel in range(3):
        for phase in range(stride):
            expected = inputs[:, channel * stride + phase]
            assert torch.equal(output[:, channel, phase::stride], expected)


@pytest.mark.parametrize("kernel_size", [1, 3, 4])
def test_a_convolution_at_the_low_rate_gives_all_phases(kernel_size):
    layer = build_operator("subpixel", 2, 3, 4, options={"kernel_size": kernel_size})
    signal = torch.randn(2, 2, 9)
    weight, bias = layer.convolution.weight, layer.convolution.bias
    padded = functional.pad(signal, ((kernel_size - 1) // 2, kernel_size // 2))
    low = functional.conv1d(padded, weight, bias)
    output = layer(signal)
    for sample in range(36):
        expected = low[:, sample % 4 :: 4, sample // 4]
        torch.testing.assert_close(output[..., sample], expected, atol=ROUNDING, rtol=0)


def test_random_filters_give_tones():
    assert tone_to_constant(build_operator("subpixel", 3, 4, 4), 3, 4) > 0.1
