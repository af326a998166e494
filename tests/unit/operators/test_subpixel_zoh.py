"""A subpixel convolution and a zero-order hold: no tone for any weights."""

import numpy as np
import pytest
import torch
from operator_outputs import randomize, tone_to_constant

from upsampling.operators import build_operator
from upsampling.operators.subpixel import Subpixel

ROUNDING = 1e-5


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_it_is_a_box_filter_after_subpixel(stride):
    layer = build_operator("subpixel_zoh", 2, 1, stride)
    signal = torch.randn(1, 2, 11)
    before = Subpixel.forward(layer, signal)[0, 0].detach().numpy()
    full = np.convolve(before, np.ones(stride) / stride)
    output = layer(signal)[0, 0].detach().numpy()
    start = stride // 2
    np.testing.assert_allclose(output, full[start : start + len(before)], atol=ROUNDING)


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_a_constant_has_no_tone_for_any_weights(stride):
    layer = build_operator("subpixel_zoh", 3, 4, stride)
    assert tone_to_constant(layer, 3, stride) < ROUNDING
    randomize(layer)
    assert tone_to_constant(layer, 3, stride) < ROUNDING
