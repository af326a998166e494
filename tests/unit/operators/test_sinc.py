"""Hann-windowed sinc interpolation against SciPy's window method."""

import numpy as np
import pytest
import torch
from operator_outputs import tone_to_constant
from scipy import signal as scipy_signal

from upsampling.errors import UserError
from upsampling.operators import build_operator
from upsampling.operators.sinc import hann_sinc_taps

ROUNDING = 1e-5
# Taps are stored in single precision, 140 dB below the signal.
TONE_DECIBELS = 0.5


@pytest.mark.parametrize("stride", [2, 3, 4])
@pytest.mark.parametrize("zeros", [8, 24, 56])
def test_it_is_scipys_window_method(stride, zeros):
    layer = build_operator("sinc", 1, 1, stride, options={"zeros": zeros, "kernel_size": 0})
    signal = torch.randn(1, 1, 150)
    taps = stride * scipy_signal.firwin(2 * zeros * stride + 1, 1 / stride, window="hann")
    full = scipy_signal.upfirdn(taps, signal[0, 0].numpy(), up=stride)[zeros * stride :]
    inside = slice(zeros * stride, -zeros * stride)
    output = layer(signal)[0, 0].numpy()
    np.testing.assert_allclose(output[inside], full[: 150 * stride][inside], atol=ROUNDING)


@pytest.mark.parametrize(("zeros", "stride", "printed"), [(8, 4, -80.4), (24, 2, None)])
def test_it_has_the_small_tones_of_its_taps(zeros, stride, printed):
    layer = build_operator("sinc", 1, 1, stride, options={"zeros": zeros, "kernel_size": 0})
    taps = scipy_signal.firwin(2 * zeros * stride + 1, 1 / stride, window="hann")
    sums = [taps[phase::stride].sum() for phase in range(stride)]
    lines = np.abs(np.fft.fft(sums))
    expected = 20 * np.log10(lines[1:].max() / lines[0])
    level = 20 * np.log10(tone_to_constant(layer, 1, stride))
    assert level == pytest.approx(expected, abs=TONE_DECIBELS)
    if printed is not None:
        assert level == pytest.approx(printed, abs=TONE_DECIBELS)


def test_the_gain_at_0_hz_is_the_stride():
    for stride in (2, 3, 5):
        assert hann_sinc_taps(stride, 8).sum() == pytest.approx(stride, rel=1e-12)


def test_a_constant_stays_constant_up_to_the_borders():
    layer = build_operator("sinc", 1, 1, 4, options={"kernel_size": 0})
    output = layer(torch.ones(1, 1, 30)).numpy()
    np.testing.assert_allclose(output, 1, atol=ROUNDING)
    with pytest.raises(UserError, match="cannot change the number of channels"):
        build_operator("sinc", 1, 2, 4, options={"kernel_size": 0})
