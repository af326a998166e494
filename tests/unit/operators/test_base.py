"""The interface of operators: equal lengths, refused options, seeds."""

import numpy as np
import pytest
import torch

from upsampling.operators.base import (
    SameConvolution,
    Upsampler,
    refuse_channel_change,
    refuse_unknown,
    seeded,
)

ROUNDING = 1e-6


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 6, 7, 10])
def test_same_convolution_is_a_correlation_of_equal_length(kernel_size):
    layer = SameConvolution(1, 1, kernel_size)
    signal = np.random.default_rng(0).normal(size=20).astype(np.float32)
    weight, bias = layer.weight[0, 0].detach().numpy(), layer.bias.item()
    # With an even kernel_size, one more sample of the future than of the past.
    padded = np.pad(signal, ((kernel_size - 1) // 2, kernel_size // 2))
    expected = np.correlate(padded, weight, "valid") + bias
    output = layer(torch.from_numpy(signal)[None, None])[0, 0].detach().numpy()
    assert output.shape == signal.shape
    np.testing.assert_allclose(output, expected, atol=ROUNDING)


def test_output_length_is_the_product_unless_a_subclass_differs():
    class Late(Upsampler):
        def output_length(self, time):
            return self.stride * time + 2

    assert Upsampler(1, 1, 3).output_length(7) == 21
    assert Late(1, 1, 3).output_length(7) == 23
    assert repr(Late(2, 5, 3)) == "Late(2, 5, stride=3)"


def test_unknown_choices_are_refused_with_the_nearest_one():
    refuse_unknown("branch", "noise", ["noise", "stretch"])
    with pytest.raises(ValueError, match=r"branch 'nose' \(did you mean 'noise'\?\); choose from"):
        refuse_unknown("branch", "nose", ["noise", "stretch"])


def test_interpolation_alone_keeps_the_number_of_channels():
    refuse_channel_change(0, 3, 3)
    refuse_channel_change(5, 3, 4)
    with pytest.raises(ValueError, match="cannot change the number of channels"):
        refuse_channel_change(0, 3, 4)


def test_a_seeded_block_repeats_and_restores_the_global_generator():
    draws = []
    for _ in range(2):
        before = torch.get_rng_state()
        with seeded(4):
            draws.append(torch.rand(5))
        assert torch.equal(torch.get_rng_state(), before)
        torch.rand(3)
    assert torch.equal(draws[0], draws[1])
    with pytest.raises(ZeroDivisionError), seeded(4):
        raise ZeroDivisionError
    with seeded(5):
        assert not torch.equal(torch.rand(5), draws[0])
