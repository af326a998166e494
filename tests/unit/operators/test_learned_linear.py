"""Learned linear interpolation against its formula, and the triangle that it contains."""

import numpy as np
import pytest
import torch
from operator_outputs import randomize, tone_to_constant

from upsampling.errors import UserError
from upsampling.operators import build_operator
from upsampling.operators.learned_linear import LearnedDoubling, doublings, interleave
from upsampling.operators.linear import interpolate_triangle

ROUNDING = 1e-5


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_with_equal_weights_it_is_the_triangle(stride):
    layer = build_operator("learned_linear", 3, 3, stride, options={"kernel_size": 0})
    signal = torch.randn(2, 3, 7)
    assert (layer(signal) - interpolate_triangle(signal, stride)).abs().max() > 0.01
    for weight in layer.parameters():
        torch.nn.init.zeros_(weight)
    expected = interpolate_triangle(signal, stride)
    torch.testing.assert_close(layer(signal), expected, atol=ROUNDING, rtol=0)


def test_each_channel_weighs_its_neighboring_samples():
    layer = build_operator("learned_linear", 2, 2, 2, options={"kernel_size": 0})
    (parameter,) = layer.parameters()
    parameter.data = torch.tensor([0.3, -2.0])
    signal = torch.randn(1, 2, 6)
    output = layer(signal)[0].detach().numpy()
    x = signal[0].numpy()
    weight = 1 / (1 + np.exp(-np.array([[0.3], [-2.0]])))
    np.testing.assert_allclose(output[:, ::2], x)
    odd = weight * x[:, :-1] + (1 - weight) * x[:, 1:]
    np.testing.assert_allclose(output[:, 1:-1:2], odd, atol=ROUNDING)
    np.testing.assert_allclose(output[:, -1], x[:, -1], atol=ROUNDING)


@pytest.mark.parametrize("stride", [2, 4])
def test_a_constant_has_no_tone_for_any_weights(stride):
    layer = build_operator("learned_linear", 3, 4, stride)
    assert tone_to_constant(layer, 3, stride) < ROUNDING
    randomize(layer)
    assert tone_to_constant(layer, 3, stride) < ROUNDING


def test_weights_start_within_glorots_bound():
    layer = LearnedDoubling(300, 4)
    bound = (3 / 300) ** 0.5
    for weight in layer.weights:
        assert 0.9 * bound < weight.abs().max().item() <= bound


def test_doublings_are_the_binary_logarithm():
    assert [doublings(2**power) for power in (1, 2, 3, 5)] == [1, 2, 3, 5]
    for stride in (1, 3, 6):
        with pytest.raises(ValueError, match=f"power of two, not {stride}"):
            doublings(stride)
    with pytest.raises(UserError, match=r"'learned_linear'.*power of two, not 6"):
        build_operator("learned_linear", 2, 3, 6)


def test_interleaving_alternates_samples():
    even, odd = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    output = interleave(even, odd)
    assert torch.equal(output[..., ::2], even)
    assert torch.equal(output[..., 1::2], odd)
