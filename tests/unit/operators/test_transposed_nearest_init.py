"""A transposed convolution that is nearest-neighbor interpolation at initialisation."""

import pytest
import torch
from operator_outputs import randomize, tone_to_constant
from torch.nn import functional

from upsampling.errors import UserError
from upsampling.operators import build_operator
from upsampling.operators.nearest import interpolate_nearest

ROUNDING = 1e-5
# Relative spread of the standard deviation of 5000 independent uniform weights, three times.
SPREAD = 0.02


@pytest.mark.parametrize(("kernel_size", "stride"), [(8, 4), (4, 4), (6, 2)])
def test_it_starts_as_nearest_neighbor_interpolation_of_a_convolution(kernel_size, stride):
    options = {"kernel_size": kernel_size}
    layer = build_operator("transposed_nearest_init", 2, 3, stride, options=options)
    low = layer.convolution.weight[..., ::stride].transpose(0, 1).flip(-1)
    signal = torch.randn(1, 2, 11)
    padding = kernel_size // stride - 1
    convolved = functional.conv1d(signal, low, layer.convolution.bias, padding=padding)
    expected = interpolate_nearest(convolved, stride)
    torch.testing.assert_close(layer(signal), expected, atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("stride", [2, 4])
def test_it_has_no_tone_until_training_moves_the_phases_apart(stride):
    layer = build_operator("transposed_nearest_init", 3, 4, stride)
    assert tone_to_constant(layer, 3, stride) < ROUNDING
    randomize(layer)
    assert tone_to_constant(layer, 3, stride) > 0.1


def test_the_spread_is_that_of_the_default_initialisation():
    nearest = build_operator("transposed_nearest_init", 50, 50, 4).convolution.weight.std()
    default = build_operator("transposed", 50, 50, 4).convolution.weight.std()
    assert nearest.item() == pytest.approx(default.item(), rel=SPREAD)


def test_the_kernel_size_is_a_multiple_of_the_stride():
    with pytest.raises(UserError, match="kernel_size 8 is not a multiple of stride 3"):
        build_operator("transposed_nearest_init", 2, 3, 3)
