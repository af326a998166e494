"""A subpixel convolution that starts as nearest-neighbor interpolation."""

import torch

from upsampling.operators.subpixel import Subpixel


class SubpixelICNR(Subpixel):
    """Subpixel convolution that starts as a convolution and nearest-neighbor interpolation.

    All `stride` filters of an output channel are equal at initialisation, W[o * stride + j] = W0[o]
    for all j, and so are their biases: a constant gives no tone. Training may make them differ
    (Sec. 4). Source: Aitken et al. 2017 (arXiv:1707.02937; reference 21 of the paper), which does
    not specify the biases; unequal ones would add a tone.
    """

    @torch.no_grad()
    def initialise(self) -> None:
        for parameter in self.convolution.parameters():
            parameter.copy_(parameter[:: self.stride].repeat_interleave(self.stride, dim=0))
