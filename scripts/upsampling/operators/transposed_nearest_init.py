"""A transposed convolution that starts as nearest-neighbor interpolation."""

import torch

from upsampling.operators.transposed import Transposed


class TransposedNearestInit(Transposed):
    """Transposed convolution that starts as a convolution and nearest-neighbor interpolation.

    At initialisation each filter is constant over blocks of `stride` samples, so all its polyphase
    sums are equal and a constant gives no tone: ICNR for transposed convolutions, which Aitken et
    al. 2017 (arXiv:1707.02937) show to be subpixel convolutions. Weights are still random, unlike
    the constant ones that Sec. 2 advises against. `kernel_size` is a multiple of `stride`.
    """

    @torch.no_grad()
    def initialise(self) -> None:
        weight, stride = self.convolution.weight, self.stride
        if (kernel_size := weight.shape[-1]) % stride:
            raise ValueError(f"kernel_size {kernel_size} is not a multiple of stride {stride}")
        weight.copy_(weight[..., ::stride].repeat_interleave(stride, dim=-1))
