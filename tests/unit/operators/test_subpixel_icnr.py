"""A subpixel convolution that is nearest-neighbor interpolation at initialisation."""

import pytest
import torch
from operator_outputs import randomize, tone_to_constant
from torch.nn import functional

from upsampling.operators import build_operator
from upsampling.operators.nearest import interpolate_nearest

ROUNDING = 1e-5
# Relative spread of the standard deviation of 7500 uniform weights: 0.6 %, three times.
SPREAD = 0.02


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_it_starts_as_nearest_neighbor_interpolation_of_a_convolution(stride):
    layer = build_operator("subpixel_icnr", 2, 3, stride)
    weight, bias = layer.convolution.weight[::stride], layer.convolution.bias[::stride]
    signal = torch.randn(1, 2, 9)
    expected = interpolate_nearest(functional.conv1d(signal, weight, bias, padding=1), stride)
    torch.testing.assert_close(layer(signal), expected, atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("stride", [2, 4])
def test_it_has_no_tone_until_training_moves_the_filters_apart(stride):
    layer = build_operator("subpixel_icnr", 3, 4, stride)
    assert tone_to_constant(layer, 3, stride) < ROUNDING
    randomize(layer)
    assert tone_to_constant(layer, 3, stride) > 0.1


def test_the_spread_is_that_of_the_default_initialisation():
    icnr = build_operator("subpixel_icnr", 50, 50, 4).convolution.weight.std()
    default = build_operator("subpixel", 50, 50, 4).convolution.weight.std()
    assert icnr.item() == pytest.approx(default.item(), rel=SPREAD)
