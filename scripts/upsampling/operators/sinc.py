"""Interpolation by a Hann-windowed sinc, then a convolution."""

import numpy as np

from upsampling.config.operators import SincOptions
from upsampling.operators.fixed_interpolation import FixedInterpolation, Interpolator, Taps


def hann_sinc_taps(stride: int, zeros: int) -> Taps:
    """Sinc low-pass with cutoff 0.5 / `stride` under a Hann window: [2 * zeros * stride + 1] taps.

    `zeros` zero crossings, one per input sample, on either side. The `LowPassFilter` of the julius
    package with its default of 8, here normalised to `stride` at 0 Hz.
    """
    time = np.arange(-zeros * stride, zeros * stride + 1)
    taps = np.sinc(time / stride) * np.hanning(len(time))
    return taps * (stride / taps.sum())


class Sinc(Interpolator):
    """Hann-windowed sinc interpolation with `zeros` zero crossings per side, then a convolution.

    Source: Pons et al. 2021 (arXiv:2111.11773), whose exact taps were not available; see
    `hann_sinc_taps`. A constant gives tones 80 dB (8 zeros, stride 4) or more below itself, for the
    polyphase sums of a windowed sinc are nearly equal.
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
        taps = FixedInterpolation(hann_sinc_taps(stride, zeros), stride)
        super().__init__(
            in_channels, out_channels, stride, taps, bias=bias, kernel_size=kernel_size
        )
