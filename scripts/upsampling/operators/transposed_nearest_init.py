"""A transposed convolution that starts as nearest-neighbor interpolation."""

import torch

from upsampling.config.operators import TransposedOptions
from upsampling.operators.transposed import Transposed


class TransposedNearestInit(Transposed):
    """Transposed convolution that starts as a convolution and nearest-neighbor interpolation.

    At initialisation each filter is constant over blocks of `stride` samples, so all its polyphase
    sums are equal and a constant gives no tone: ICNR for transposed convolutions, which Aitken et
    al. 2017 (arXiv:1707.02937) show to be subpixel convolutions. Weights are still random, unlike
    the constant ones that Sec. 2 advises against. `kernel_size` is a multiple of `stride`.
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
        if kernel_size % stride:
            raise ValueError(f"kernel_size {kernel_size} is not a multiple of stride {stride}")
        super().__init__(in_channels, out_channels, stride, bias=bias, kernel_size=kernel_size)
        with torch.no_grad():
            weight = self.convolution.weight
            weight.copy_(weight[..., ::stride].repeat_interleave(stride, dim=-1))
