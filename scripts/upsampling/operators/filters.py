"""Zero insertion and a filter, learnt or fixed: the signal-processing view of upsampling (Sec. 3).

Taps are in double precision, of gain `stride` at 0 Hz, which makes up for the inserted zeros.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from upsampling.operators.base import SameConvolution, Upsampler
from upsampling.operators.interpolation import Nearest
from upsampling.operators.subpixel import periodic_shuffle

Taps = NDArray[np.float64]


def hann_sinc_taps(stride: int, zeros: int) -> Taps:
    """Sinc low-pass with cutoff 0.5 / `stride` under a Hann window: [2 * zeros * stride + 1] taps.

    `zeros` zero crossings, one per input sample, on either side. The `LowPassFilter` of the julius
    package with its default of 8, here normalised to `stride` at 0 Hz.
    """
    time = np.arange(-zeros * stride, zeros * stride + 1)
    taps = np.sinc(time / stride) * np.hanning(len(time))
    return taps * (stride / taps.sum())


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


def stretch(signal: Tensor, stride: int) -> Tensor:
    """Insert `stride` - 1 zeros after each sample: `[..., time]` to `[..., stride * time]`."""
    stretched = signal.new_zeros(*signal.shape, stride)
    stretched[..., 0] = signal
    return stretched.flatten(-2)


class FixedInterpolation(nn.Module):
    """Zero insertion and fixed taps: `[batch, channels, time]` to `[..., stride * time]`.

    Computed at the low rate, one filter per phase: with tap index n = j - stride * m + lead, output
    sample stride * t + j is the sum over m of taps[n] x[t + m]; `lead` centres the taps on a block
    of `stride` samples (even count) or on its first one (odd count). The signal's ends are held.
    """

    phases: Tensor

    def __init__(self, taps: Taps, stride: int):
        super().__init__()
        count = len(taps)
        lead = (count - 1) // 2 if count % 2 else (count - stride) // 2
        self.stride = stride
        self.past = (count - 1 - lead) // stride
        self.future = (lead + stride - 1) // stride
        steps = np.arange(-self.past, self.future + 1)
        index = np.arange(stride)[:, None] - stride * steps + lead
        inside = (index >= 0) & (index < count)
        phases = np.where(inside, taps[np.clip(index, 0, count - 1)], 0.0)
        # A buffer: neither trained nor rescaled, and not worth a place in checkpoints.
        values = torch.tensor(phases, dtype=torch.float32).unsqueeze(1)
        self.register_buffer("phases", values, persistent=False)

    def forward(self, signal: Tensor) -> Tensor:
        batch, channels, time = signal.shape
        single = signal.reshape(batch * channels, 1, time)
        padded = functional.pad(single, (self.past, self.future), mode="replicate")
        filtered = functional.conv1d(padded, self.phases.to(signal.dtype))
        return periodic_shuffle(filtered, self.stride).reshape(batch, channels, -1)


class Stretch(Upsampler):
    """Zero insertion, then a convolution with filters of `length` samples.

    Identical to a transposed convolution with the time-reversed filters, but for the padding (the
    transposed convolution's first `length` // 2 samples are cut) and the gain of its default
    initialisation; so it has the same tonal artifacts. Source: Pons et al. 2021 (arXiv:2111.11773).
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        *,
        bias: bool = True,
        length: int = 8,
    ):
        super().__init__(channels_in, channels_out, stride, bias=bias)
        self.convolution = SameConvolution(channels_in, channels_out, length, bias=bias)

    def forward(self, signal: Tensor) -> Tensor:
        return self.convolution(stretch(signal, self.stride))


class NearestTwoStrides(Nearest):
    """Nearest-neighbour interpolation, then a convolution of length 2 * stride without bias.

    The `use_nearest_upsample` option of Stable Audio's decoder (Evans et al. 2024,
    arXiv:2402.04825): the length of its transposed convolution. `bias` is ignored; `path` is that
    of `Nearest`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        *,
        bias: bool = True,
        path: str = "auto",
    ):
        length = 2 * stride
        super().__init__(channels_in, channels_out, stride, bias=False, length=length, path=path)


class Interpolator(Upsampler):
    """An interpolation of each channel by itself, then a convolution.

    Filters have `length` samples; 0 leaves the convolution out, which needs as many channels out
    as in. 10 at stride 4 are those of Table 1's interpolation upsamplers.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        interpolation: nn.Module,
        *,
        bias: bool,
        length: int,
    ):
        super().__init__(channels_in, channels_out, stride, bias=bias)
        if length == 0 and channels_in != channels_out:
            raise ValueError("interpolation alone (length 0) cannot change the number of channels")
        self.interpolation = interpolation
        self.convolution = (
            SameConvolution(channels_in, channels_out, length, bias=bias)
            if length
            else nn.Identity()
        )

    def forward(self, signal: Tensor) -> Tensor:
        return self.convolution(self.interpolation(signal))


class Sinc(Interpolator):
    """Hann-windowed sinc interpolation with `zeros` zero crossings per side, then a convolution.

    Source: Pons et al. 2021 (arXiv:2111.11773), whose exact taps were not available; see
    `hann_sinc_taps`. A constant gives tones 80 dB (8 zeros, stride 4) or more below itself, for the
    polyphase sums of a windowed sinc are nearly equal.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        *,
        bias: bool = True,
        length: int = 10,
        zeros: int = 24,
    ):
        interpolation = FixedInterpolation(hann_sinc_taps(stride, zeros), stride)
        super().__init__(channels_in, channels_out, stride, interpolation, bias=bias, length=length)


class KaiserSinc(Interpolator):
    """Kaiser-windowed sinc interpolation with 6 * stride taps, then a convolution.

    The resampling filter of StyleGAN3 and BigVGAN (see `kaiser_sinc_taps`), which hold the ends of
    the signal as here. Short, so its transition band is wide: it takes 3.7 dB at 0.9 of the old
    Nyquist frequency and leaves images 16 dB below the signal.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        *,
        bias: bool = True,
        length: int = 10,
    ):
        interpolation = FixedInterpolation(kaiser_sinc_taps(stride), stride)
        super().__init__(channels_in, channels_out, stride, interpolation, bias=bias, length=length)
