"""A subpixel convolution that starts as nearest-neighbor interpolation."""

import torch

from upsampling.config.operators import SubpixelOptions
from upsampling.operators.subpixel import Subpixel


class SubpixelICNR(Subpixel):
    """Subpixel convolution that starts as a convolution and nearest-neighbor interpolation.

    All `stride` filters of an output channel are equal at initialisation, W[o * stride + j] = W0[o]
    for all j, and so are their biases: a constant gives no tone. Training may make them differ
    (Sec. 4). Source: Aitken et al. 2017 (arXiv:1707.02937; reference 21 of the paper), which does
    not specify the biases; unequal ones would add a tone.
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
        super().__init__(in_channels, out_channels, stride, bias=bias, kernel_size=kernel_size)
        with torch.no_grad():
            for parameter in self.convolution.parameters():
                parameter.copy_(parameter[::stride].repeat_interleave(stride, dim=0))
