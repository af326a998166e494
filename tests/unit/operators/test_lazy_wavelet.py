"""The inverse lazy wavelet is a subpixel convolution with another channel order."""

import numpy as np
import pytest
import torch
from operator_outputs import steady_period

from upsampling.errors import UserError
from upsampling.operators import build_operator
from upsampling.operators.subpixel import Subpixel

ROUNDING = 1e-5
# 20,000 random pairs of filters: three standard errors of the ratio of two mean powers.
RMS_DECIBELS = 0.3


@pytest.mark.parametrize("stride", [2, 4])
def test_it_is_subpixel_with_another_channel_order(stride):
    lazy = build_operator("lazy_wavelet", 3, 5, stride)
    signal = torch.randn(2, 3, 9)
    expected = signal
    for convolution in lazy.convolutions:
        subpixel = Subpixel(convolution.in_channels, 5, 2)
        # Subpixel channel 2 o is the even samples of channel o: the low band, which comes last.
        order = torch.arange(10).reshape(2, 5).flip(0).T.flatten()
        subpixel.convolution.weight.data = convolution.weight.data[order]
        subpixel.convolution.bias.data = convolution.bias.data[order]
        expected = subpixel(expected)
    torch.testing.assert_close(lazy(signal), expected, atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("name", ["lazy_wavelet", "haar_wavelet", "learned_wavelet"])
def test_random_weights_give_tones_of_0_db_rms(name):
    layer = build_operator(name, 1, 20_000, 2, bias=False)
    power = np.mean(np.abs(np.fft.fft(steady_period(layer, 1, 2), axis=1)) ** 2, axis=0)
    assert 10 * np.log10(power[1] / power[0]) == pytest.approx(0, abs=RMS_DECIBELS)


@pytest.mark.parametrize("name", ["lazy_wavelet", "haar_wavelet", "learned_wavelet"])
def test_the_stride_is_a_power_of_two(name):
    with pytest.raises(UserError, match=f"'{name}'.*power of two, not 3"):
        build_operator(name, 2, 3, 3)
