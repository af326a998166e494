"""Fixed taps at the low rate against zero insertion and SciPy's filter; the convolution after."""

import numpy as np
import pytest
import torch
from scipy import signal as scipy_signal
from torch.nn import functional

from upsampling.operators.base import SameConvolution
from upsampling.operators.fixed_interpolation import FixedInterpolation, Interpolator

# Taps are stored in single precision.
ROUNDING = 1e-5


@pytest.mark.parametrize("stride", [2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 5, 8, 12, 13, 24])
def test_it_is_zero_insertion_and_a_filter_with_repeated_ends(count, stride):
    taps = np.random.default_rng(count).normal(size=count)
    signal = torch.randn(2, 3, 9)
    ends = count + stride
    padded = np.pad(signal.numpy(), [(0, 0), (0, 0), (ends, ends)], mode="edge")
    filtered = scipy_signal.upfirdn(taps, padded, up=stride, axis=-1)
    # Odd counts are centered on the first sample of a block, even ones on the block.
    lead = (count - 1) // 2 if count % 2 else (count - stride) // 2
    start = ends * stride + lead
    expected = filtered[..., start : start + 9 * stride]
    output = FixedInterpolation(taps, stride)(signal).numpy()
    np.testing.assert_allclose(output, expected, atol=ROUNDING)


def test_taps_are_neither_trained_nor_stored():
    layer = FixedInterpolation(np.ones(4), 4)
    assert list(layer.parameters()) == []
    assert layer.state_dict() == {}
    assert layer(torch.ones(1, 1, 3, dtype=torch.float64)).dtype == torch.float64
    assert layer.double().polyphase_filters.dtype == torch.float64


class Box(Interpolator):
    def build_interpolation(self):
        return FixedInterpolation(np.ones(self.stride), self.stride)


@pytest.mark.parametrize("kernel_size", [0, 3, 10])
def test_an_interpolator_convolves_the_interpolated_signal(kernel_size):
    layer = Box(2, 2, 4, bias=True, kernel_size=kernel_size)
    signal = torch.randn(1, 2, 7)
    upsampled = functional.interpolate(signal, scale_factor=4, mode="nearest")
    if kernel_size:
        assert isinstance(layer.convolution, SameConvolution)
        assert layer.convolution.kernel_size == (kernel_size,)
        upsampled = layer.convolution(upsampled)
    torch.testing.assert_close(layer(signal), upsampled, atol=ROUNDING, rtol=0)


def test_without_a_convolution_the_channels_cannot_change():
    with pytest.raises(ValueError, match="cannot change the number of channels"):
        Box(2, 3, 4, bias=True, kernel_size=0)
