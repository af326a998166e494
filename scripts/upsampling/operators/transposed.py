"""Transposed convolutions (Sec. 2): state of the art, and prone to tonal artifacts."""

from torch import Tensor, nn

from upsampling.operators.base import Upsampler


class Transposed(Upsampler):
    """Transposed convolution with filters of `length` samples, without padding.

    `length == stride`: no overlap. `length` a multiple of `stride`: full overlap, as in Demucs
    (8, 4) and MelGAN (2 * stride, stride). Else partial overlap, which adds overlap artifacts to
    those of the weight initialisation. Source: Sec. 2, Figs. 2-5.
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
        self.convolution = nn.ConvTranspose1d(channels_in, channels_out, length, stride, bias=bias)

    def output_length(self, time: int) -> int:
        return (time - 1) * self.stride + self.convolution.kernel_size[0]

    def forward(self, signal: Tensor) -> Tensor:
        return self.convolution(signal)


def overlap(length: int, stride: int) -> str:
    """Name the overlap of a transposed convolution as Sec. 2 does: 'no', 'full' or 'partial'."""
    if length == stride:
        return "no"
    return "partial" if length % stride else "full"
