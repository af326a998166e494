"""Wavelet upsamplers: a convolution to two bands, then the inverse of a lifting scheme.

The lifting scheme splits a signal into two bands, high = odd - predict(even) and
low = even + update(high), then scaled by 1 / sqrt(2) and sqrt(2). Its inverse merges them into a
signal of twice the rate (Nakamura and Saruwatari 2020, arXiv:2001.10190; as upsamplers in Pons et
al. 2021, arXiv:2111.11773). For strides of 4, 8, ... convolution and inverse step are repeated. The
two bands come from different random filters, so the tones are those of subpixel convolutions.
"""

from torch import Tensor, nn

from upsampling.config.operators import SubpixelOptions
from upsampling.operators.base import SameConvolution, Upsampler
from upsampling.operators.learned_linear import doublings, interleave

SQRT2 = 2**0.5


class LazyWavelet(Upsampler):
    """Inverse lazy wavelet: the low band gives the even samples, the high band the odd ones.

    The first `out_channels` channels of each convolution are the high band, the others the low one.
    At stride 2 it equals a subpixel convolution with another channel order.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        kernel_size: int = SubpixelOptions.kernel_size,
    ):
        super().__init__(in_channels, out_channels, stride, bias=bias)
        self.convolutions = nn.ModuleList(
            SameConvolution(channels, 2 * out_channels, kernel_size, bias=bias)
            for channels in [in_channels] + [out_channels] * (doublings(stride) - 1)
        )

    def inverse(self, high: Tensor, low: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Return even and odd samples of doubling `step`; all signals `[batch, channels, time]`."""
        return low, high

    def forward(self, signal: Tensor) -> Tensor:
        for step, convolution in enumerate(self.convolutions):
            high, low = convolution(signal).chunk(2, dim=1)
            signal = interleave(*self.inverse(high, low, step))
        return signal
