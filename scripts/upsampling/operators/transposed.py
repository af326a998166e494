"""Transposed convolutions (Sec. 2): in wide use, and prone to tonal artifacts."""

from torch import Tensor, nn

from upsampling.config.operators import TransposedOptions
from upsampling.operators.base import Upsampler


class Transposed(Upsampler):
    """Transposed convolution with filters of `kernel_size` samples, without padding.

    `kernel_size == stride`: no overlap. `kernel_size` a multiple of `stride`: full overlap, as in
    Demucs (8, 4) and MelGAN (2 * stride, stride). Otherwise partial overlap, which adds overlap
    artifacts to those of the weight initialisation. Source: Sec. 2, Figs. 2-5.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        kernel_size: int = TransposedOptions.kernel_size,
    ):
        super().__init__(in_channels, out_channels, stride, bias=bias)
        self.convolution = nn.ConvTranspose1d(
            in_channels, out_channels, kernel_size, stride, bias=bias
        )
        self.initialise()

    def output_length(self, time: int) -> int:
        return (time - 1) * self.stride + self.convolution.kernel_size[0]

    def forward(self, signal: Tensor) -> Tensor:
        return self.convolution(signal)
