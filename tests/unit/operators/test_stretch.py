"""Zero insertion and a convolution, against NumPy and transposed convolutions."""

import numpy as np
import pytest
import torch
from operator_outputs import steady_period
from torch.nn import functional

from upsampling.operators import build_operator
from upsampling.operators.stretch import stretch

ROUNDING = 1e-5
# 20,000 random filters of 8 samples: three standard errors of the ratio of two mean powers.
RMS_DECIBELS = 0.3


def test_zeros_follow_each_sample():
    signal = torch.randn(2, 3, 5)
    expected = np.zeros((2, 3, 20), dtype=np.float32)
    expected[..., ::4] = signal.numpy()
    np.testing.assert_array_equal(stretch(signal, 4).numpy(), expected)


@pytest.mark.parametrize(("kernel_size", "stride"), [(8, 4), (9, 4), (4, 2), (6, 3), (3, 2)])
def test_it_is_a_transposed_convolution_but_for_its_padding(kernel_size, stride):
    options = {"kernel_size": kernel_size}
    layer = build_operator("stretch", 2, 3, stride, options=options)
    transposed = build_operator("transposed", 2, 3, stride, options=options)
    transposed.convolution.weight.data = layer.convolution.weight.data.flip(-1).transpose(0, 1)
    transposed.convolution.bias.data = layer.convolution.bias.data
    signal = torch.randn(1, 2, 17)
    whole = functional.pad(transposed(signal), (0, stride))
    output = layer(signal)
    inner = output.shape[-1] - stride
    expected = whole[..., kernel_size // 2 :][..., :inner]
    torch.testing.assert_close(output[..., :inner], expected, atol=ROUNDING, rtol=0)


def test_random_weights_give_tones_of_0_db_rms():
    layer = build_operator("stretch", 1, 20_000, 2, bias=False)
    power = np.mean(np.abs(np.fft.fft(steady_period(layer, 1, 2), axis=1)) ** 2, axis=0)
    assert 10 * np.log10(power[1] / power[0]) == pytest.approx(0, abs=RMS_DECIBELS)
