"""Wavelet upsamplers: a convolution to two bands, then the inverse of a lifting scheme.

The lifting scheme takes a signal apart: high = odd - predict(even), low = even + update(high), both
then scaled by 1 / sqrt(2) and sqrt(2). Its inverse puts a signal of twice the rate together
(Nakamura and Saruwatari 2020, arXiv:2001.10190; as upsamplers in Pons et al. 2021,
arXiv:2111.11773). Strides of 4, 8, ... are stacked: convolution and inverse step, again and again.
Since the two bands come from different random filters, tones are those of subpixel convolutions.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.operators.base import SameConvolution, Upsampler
from upsampling.operators.doubling import doublings, interleave

ROOT = 2**0.5


class LazyWavelet(Upsampler):
    """Inverse lazy wavelet: the low band gives the even samples, the high band the odd ones.

    The first `channels_out` channels of each convolution are the high band, the others the low
    one. Equals a subpixel convolution of stride 2 whose channels have another order.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        *,
        bias: bool = True,
        length: int = 3,
    ):
        super().__init__(channels_in, channels_out, stride, bias=bias)
        self.convolutions = nn.ModuleList(
            SameConvolution(channels, 2 * channels_out, length, bias=bias)
            for channels in [channels_in] + [channels_out] * (doublings(stride) - 1)
        )

    def inverse(self, high: Tensor, low: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Even and odd samples from the bands of doubling `step`, all `[batch, channels, time]`."""
        return low, high

    def forward(self, signal: Tensor) -> Tensor:
        for step, convolution in enumerate(self.convolutions):
            high, low = convolution(signal).chunk(2, dim=1)
            signal = interleave(*self.inverse(high, low, step))
        return signal


class HaarWavelet(LazyWavelet):
    """Inverse Haar wavelet: even = (low - high) / sqrt(2), odd = (low + high) / sqrt(2).

    That is the lifting scheme with predict(x) = x and update(x) = x / 2.
    """

    def inverse(self, high: Tensor, low: Tensor, step: int) -> tuple[Tensor, Tensor]:
        return (low - high) / ROOT, (low + high) / ROOT


class LearnedWavelet(LazyWavelet):
    """Inverse lifting step whose predict and update filters are trained; it begins as Haar's.

    Filters of `lifting` samples, an odd number, shared by all channels. Predict sums to 1 and
    update to 1/2 whatever the parameters, which keeps a zero of the high band at 0 Hz and of the
    low one at half the rate (Nakamura et al. 2021, doi:10.1109/TASLP.2021.3072496); the step is
    invertible for any filters.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        *,
        bias: bool = True,
        length: int = 3,
        lifting: int = 3,
    ):
        super().__init__(channels_in, channels_out, stride, bias=bias, length=length)
        if lifting % 2 == 0:
            raise ValueError(f"lifting filters have an odd length, not {lifting}")
        centre = torch.zeros(lifting)
        centre[lifting // 2] = 1
        steps = range(len(self.convolutions))
        self.predictors = nn.ParameterList(nn.Parameter(centre.clone()) for _ in steps)
        self.updates = nn.ParameterList(nn.Parameter(centre / 2) for _ in steps)

    def predict(self, even: Tensor, step: int) -> Tensor:
        """Predict odd from even samples, `[batch, channels, time]`."""
        return _filter_each(even, _with_sum(self.predictors[step], 1.0))

    def update(self, high: Tensor, step: int) -> Tensor:
        """What the high band adds to even samples, `[batch, channels, time]`."""
        return _filter_each(high, _with_sum(self.updates[step], 0.5))

    def inverse(self, high: Tensor, low: Tensor, step: int) -> tuple[Tensor, Tensor]:
        high, low = high * ROOT, low / ROOT
        even = low - self.update(high, step)
        return even, high + self.predict(even, step)


def _with_sum(parameter: Tensor, total: float) -> Tensor:
    """Shift the values of `parameter` so that they sum to `total`."""
    return parameter - parameter.mean() + total / len(parameter)


def _filter_each(signal: Tensor, taps: Tensor) -> Tensor:
    """Filter every channel of `[batch, channels, time]` with the same odd number of taps."""
    single = signal.reshape(-1, 1, signal.shape[-1])
    filtered = functional.conv1d(single, taps[None, None], padding=len(taps) // 2)
    return filtered.reshape(signal.shape)
