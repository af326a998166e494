"""The Kaiser-windowed sinc of StyleGAN3 and BigVGAN against SciPy and BigVGAN's computation."""

import numpy as np
import pytest
import torch
from operator_outputs import tone_to_constant
from scipy import signal as scipy_signal
from torch.nn import functional

from upsampling.errors import UserError
from upsampling.operators import build_operator
from upsampling.operators.kaiser_sinc import kaiser_sinc_taps

ROUNDING = 1e-5
# A constant's deviation and tones: the polyphase sums of so short a filter differ by 1e-3.
CONSTANT = 1e-3
DECIBELS = 0.1


def scipy_taps(stride: int) -> np.ndarray:
    attenuation = scipy_signal.kaiser_atten(3 * stride, 4 * 0.6 / stride)
    window = ("kaiser", scipy_signal.kaiser_beta(attenuation))
    return stride * scipy_signal.firwin(6 * stride, 1 / stride, window=window)


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_taps_are_scipys(stride):
    np.testing.assert_allclose(kaiser_sinc_taps(stride), scipy_taps(stride), atol=ROUNDING)


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_it_is_bigvgans_transposed_convolution(stride):
    layer = build_operator("kaiser_sinc", 2, 2, stride, options={"kernel_size": 0})
    length = 6 * stride
    signal = torch.randn(1, 2, 20)
    padded = functional.pad(signal, (length, length), mode="replicate")
    weight = torch.tensor(scipy_taps(stride), dtype=torch.float32).expand(2, 1, -1)
    full = functional.conv_transpose1d(padded, weight, stride=stride, groups=2)
    start = length * stride + (length - stride) // 2
    expected = full[..., start : start + 20 * stride]
    torch.testing.assert_close(layer(signal), expected, atol=ROUNDING, rtol=0)


def test_gain_images_and_tone_at_stride_4():
    """The levels of the class's docstring and of docs/operators.md."""
    taps = kaiser_sinc_taps(4)
    frequencies, gain = scipy_signal.freqz(taps / 4, worN=np.linspace(0, np.pi, 4096))
    levels = 20 * np.log10(np.maximum(np.abs(gain), 1e-9))
    old_nyquist = np.pi / 4
    assert np.interp(0.9 * old_nyquist, frequencies, levels) == pytest.approx(-3.7, abs=DECIBELS)
    images = levels[frequencies >= 1.25 * old_nyquist]
    assert images.max() == pytest.approx(-15.9, abs=DECIBELS)
    layer = build_operator("kaiser_sinc", 1, 1, 4, options={"kernel_size": 0})
    tone = 20 * np.log10(tone_to_constant(layer, 1, 4))
    assert tone == pytest.approx(-63.7, abs=DECIBELS)


def test_a_constant_stays_constant_up_to_the_borders():
    layer = build_operator("kaiser_sinc", 1, 1, 4, options={"kernel_size": 0})
    np.testing.assert_allclose(layer(torch.ones(1, 1, 30)).numpy(), 1, atol=CONSTANT)
    with pytest.raises(UserError, match="cannot change the number of channels"):
        build_operator("kaiser_sinc", 1, 2, 4, options={"kernel_size": 0})
