"""Interpolation by a Hann-windowed sinc, then a convolution."""

import numpy as np

from upsampling.config.operators import SincOptions
from upsampling.operators.fixed_interpolation import FixedInterpolation, Interpolator, Taps


def hann_sinc_taps(stride: int, zeros: int) -> Taps:
    """Sinc low-pass with cutoff 0.5 / `stride` under a Hann window: [2 * zeros * stride + 1] taps.

    `zeros` zero crossings, one per input sample, on either side. With `zeros` 8 it is the default
    `LowPassFilter` of the julius package, here normalised to gain `stride` at 0 Hz.
    """
    time = np.arange(-zeros * stride, zeros * stride + 1)
    taps = np.sinc(time / stride) * np.hanning(len(time))
    return taps * (stride / taps.sum())


class Sinc(Interpolator):
    """Hann-windowed sinc interpolation with `zeros` zero crossings per side, then a convolution.

    Source: Pons et al. 2021 (arXiv:2111.11773), whose exact taps were not available; see
    `hann_sinc_taps`. The polyphase sums of a windowed sinc are nearly equal: the tones of a
    constant are 80 dB below it with 8 zeros at stride 4, and weaker with more zeros.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        kernel_size: int = SincOptions.kernel_size,
        zeros: int = SincOptions.zeros,
    ):
        self.zeros = zeros  # The base class builds the interpolation.
        super().__init__(in_channels, out_channels, stride, bias=bias, kernel_size=kernel_size)

    def build_interpolation(self) -> FixedInterpolation:
        return FixedInterpolation(hann_sinc_taps(self.stride, self.zeros), self.stride)
