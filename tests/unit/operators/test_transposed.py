"""Transposed convolutions are overlap-add, with the tones of their polyphase sums."""

import numpy as np
import pytest
import torch
from operator_outputs import randomize, tone_to_constant

from upsampling.operators import build_operator

ROUNDING = 1e-6
# To which Sec. 2's levels of filters of ones are rounded.
DECIBELS = 0.05


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 3), (3, 2), (8, 4), (8, 6), (2, 3)])
def test_it_is_overlap_and_add(kernel_size, stride):
    layer = build_operator("transposed", 1, 1, stride, options={"kernel_size": kernel_size})
    inputs = np.random.default_rng(0).normal(size=10)
    expected = np.full(9 * stride + kernel_size, layer.convolution.bias.item())
    for time, value in enumerate(inputs):
        weight = layer.convolution.weight.detach().numpy()[0, 0]
        expected[time * stride : time * stride + kernel_size] += value * weight
    output = layer(torch.tensor(inputs, dtype=torch.float32)[None, None])[0, 0].detach().numpy()
    np.testing.assert_allclose(output, expected, atol=ROUNDING)
    assert layer.output_length(10) == len(output)


@pytest.mark.parametrize(
    ("kernel_size", "stride", "level"), [(3, 2, -9.54), (8, 6, -13.3), (8, 4, None), (3, 3, None)]
)
def test_filters_of_ones_have_tones_with_partial_overlap_only(kernel_size, stride, level):
    layer = build_operator(
        "transposed", 1, 1, stride, bias=False, options={"kernel_size": kernel_size}
    )
    torch.nn.init.ones_(layer.convolution.weight)
    tone = tone_to_constant(layer, 1, stride)
    if level is None:
        assert tone < ROUNDING
    else:
        assert 20 * np.log10(tone) == pytest.approx(level, abs=DECIBELS)


def test_random_weights_have_tones_with_full_overlap_too():
    layer = build_operator("transposed", 3, 4, 4, options={"kernel_size": 8})
    randomize(layer)
    assert tone_to_constant(layer, 3, 4) > 0.1
