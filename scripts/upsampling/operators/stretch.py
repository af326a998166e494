"""Zero insertion, then a convolution."""

from torch import Tensor

from upsampling.config.operators import TransposedOptions
from upsampling.operators.base import SameConvolution, Upsampler


def stretch(signal: Tensor, stride: int) -> Tensor:
    """Insert `stride` - 1 zeros after each sample: `[..., time]` to `[..., stride * time]`."""
    stretched = signal.new_zeros(*signal.shape, stride)
    stretched[..., 0] = signal
    return stretched.flatten(-2)


class Stretch(Upsampler):
    """Zero insertion, then a convolution with filters of `kernel_size` samples.

    It equals a transposed convolution with time-reversed filters, except for the padding (the
    transposed convolution's first `kernel_size` // 2 samples are cut) and the gain of the default
    initialisation, so it has the same tonal artifacts. Source: Pons et al. 2021 (arXiv:2111.11773).
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
        self.convolution = SameConvolution(in_channels, out_channels, kernel_size, bias=bias)

    def forward(self, signal: Tensor) -> Tensor:
        return self.convolution(stretch(signal, self.stride))
