"""Subpixel convolutions (Sec. 4): a convolution, then the periodic shuffle."""

from torch import Tensor

from upsampling.config.operators import SubpixelOptions
from upsampling.operators.base import SameConvolution, Upsampler


def periodic_shuffle(signal: Tensor, stride: int) -> Tensor:
    """Interleave channels in time: `[batch, O * stride, time]` to `[batch, O, stride * time]`.

    Output sample `stride * t + j` of channel `o` is input sample `t` of channel `o * stride + j`
    (Shi et al. 2016, reference 25 of the paper).
    """
    batch, channels, time = signal.shape
    split = signal.reshape(batch, channels // stride, stride, time)
    return split.transpose(2, 3).reshape(batch, channels // stride, stride * time)


class Subpixel(Upsampler):
    """Convolution to `out_channels * stride` channels at the low rate, then periodic shuffle.

    Consecutive output samples come from different filters, which causes tonal artifacts.
    Source: Sec. 4, Fig. 7 (`kernel_size` 3, stride 2).
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
        self.convolution = SameConvolution(
            in_channels, out_channels * stride, kernel_size, bias=bias
        )
        self.initialise()

    def forward(self, signal: Tensor) -> Tensor:
        return periodic_shuffle(self.convolution(signal), self.stride)
