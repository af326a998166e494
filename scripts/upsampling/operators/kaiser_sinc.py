"""Interpolation by the short Kaiser-windowed sinc of StyleGAN3 and BigVGAN, then a convolution."""

import numpy as np

from upsampling.operators.fixed_interpolation import FixedInterpolation, Interpolator, Taps


def kaiser_sinc_taps(stride: int) -> Taps:
    """Kaiser-windowed sinc low-pass of StyleGAN3 and BigVGAN: [6 * stride] taps.

    Cutoff 0.5 / stride, half width of the transition band 0.6 / stride, both in cycles per output
    sample; Kaiser's formulas for attenuation and beta, as in Karras et al. 2021 (arXiv:2106.12423)
    and BigVGAN (Lee et al. 2022, arXiv:2206.04658), which count half of the taps as the length.
    """
    half = 3 * stride
    # Above 50 dB for every stride from 2, where Kaiser's beta has this form.
    attenuation = 2.285 * (half - 1) * np.pi * (4 * 0.6 / stride) + 7.95
    beta = 0.1102 * (attenuation - 8.7)
    time = np.arange(-half, half) + 0.5
    taps = np.sinc(time / stride) * np.kaiser(2 * half, beta)
    return taps * (stride / taps.sum())


class KaiserSinc(Interpolator):
    """Kaiser-windowed sinc interpolation with 6 * stride taps, then a convolution.

    The resampling filter of StyleGAN3 and BigVGAN (see `kaiser_sinc_taps`), which repeat the
    signal's end samples as here. A filter this short has a wide transition band: it attenuates by
    3.7 dB at 0.9 of the old Nyquist frequency and leaves images 16 dB below the signal.
    """

    def build_interpolation(self) -> FixedInterpolation:
        return FixedInterpolation(kaiser_sinc_taps(self.stride), self.stride)
