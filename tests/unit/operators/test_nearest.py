"""Nearest-neighbor interpolation, then a convolution: plain and polyphase are the same function."""

import numpy as np
import pytest
import torch
from operator_outputs import tone_to_constant
from torch.nn import functional

from upsampling.errors import UserError
from upsampling.operators import build_operator
from upsampling.operators.nearest import interpolate_nearest

ROUNDING = 1e-6
SINGLE = 1e-5


@pytest.mark.parametrize("stride", [1, 2, 5])
def test_each_sample_is_repeated(stride):
    signal = torch.randn(2, 3, 7)
    expected = np.repeat(signal.numpy(), stride, axis=-1)
    np.testing.assert_array_equal(interpolate_nearest(signal, stride).numpy(), expected)


@pytest.mark.parametrize("implementation", ["plain", "polyphase", "auto"])
@pytest.mark.parametrize("kernel_size", [1, 4, 9, 10])
def test_a_convolution_follows(kernel_size, implementation):
    options = {"kernel_size": kernel_size, "implementation": implementation}
    layer = build_operator("nearest", 2, 3, 4, options=options)
    signal = torch.randn(2, 2, 13)
    upsampled = functional.interpolate(signal, scale_factor=4, mode="nearest")
    padded = functional.pad(upsampled, ((kernel_size - 1) // 2, kernel_size // 2))
    expected = functional.conv1d(padded, layer.convolution.weight, layer.convolution.bias)
    torch.testing.assert_close(layer(signal), expected, atol=SINGLE, rtol=0)


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_a_constant_has_no_tone(stride):
    layer = build_operator("nearest", 1, 1, stride, options={"kernel_size": 9})
    assert tone_to_constant(layer, 1, stride) < ROUNDING


def test_without_a_convolution_it_has_no_parameters():
    layer = build_operator("nearest", 2, 2, 3, options={"kernel_size": 0})
    assert list(layer.parameters()) == []
    signal = torch.randn(1, 2, 5)
    assert torch.equal(layer(signal), interpolate_nearest(signal, 3))


@pytest.mark.parametrize(
    ("out_channels", "options", "message"),
    [
        (2, {"implementation": "polyfase"}, "did you mean 'polyphase'"),
        (2, {"implementation": "polyphase", "kernel_size": 0}, "has no polyphase implementation"),
        (3, {"kernel_size": 0}, "cannot change the number of channels"),
    ],
)
def test_impossible_options_are_refused(out_channels, options, message):
    with pytest.raises(UserError, match=message):
        build_operator("nearest", 2, out_channels, 4, options=options)
