"""Subpixel convolutions (Sec. 4): a convolution, then the periodic shuffle."""

from torch import Tensor

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
    """Convolution to `channels_out * stride` channels at the low rate, then periodic shuffle.

    Consecutive output samples come from different filters, hence tonal artifacts.
    Source: Sec. 4, Fig. 7 (`length` 3, stride 2).
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
        self.convolution = SameConvolution(channels_in, channels_out * stride, length, bias=bias)

    def forward(self, signal: Tensor) -> Tensor:
        return periodic_shuffle(self.convolution(signal), self.stride)
