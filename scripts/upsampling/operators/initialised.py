"""Transposed and subpixel convolutions kept from tones: by their initial weights, or for good."""

import torch
from torch import Tensor
from torch.nn import functional

from upsampling.operators.subpixel import Subpixel
from upsampling.operators.transposed import Transposed


class SubpixelICNR(Subpixel):
    """Subpixel convolution that begins as a convolution and nearest-neighbour interpolation.

    All `stride` filters of an output channel are equal at initialisation, W[o * stride + j] = W0[o]
    for all j, and so are their biases, so that a constant gives no tone. Nothing keeps training
    from pulling them apart (Sec. 4). Source: Aitken et al. 2017 (arXiv:1707.02937; reference 21 of
    the paper), which leaves the biases open; untied ones would be a tone of their own.
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
        super().__init__(channels_in, channels_out, stride, bias=bias, length=length)
        with torch.no_grad():
            for parameter in self.convolution.parameters():
                parameter.copy_(parameter[::stride].repeat_interleave(stride, dim=0))


class SubpixelZOH(Subpixel):
    """Subpixel convolution, then the mean of `stride` consecutive samples (a zero-order hold).

    The mean's zeros lie at all multiples of the low rate, so that a constant gives no tone whatever
    the weights: before, during and after training. The price is the response of nearest-neighbour
    interpolation. Source: Sugawara, Shiota and Kiya 2019 (doi:10.1017/ATSIP.2019.2); Kinoshita and
    Kiya 2020 (arXiv:2002.02117).
    """

    def forward(self, signal: Tensor) -> Tensor:
        stride = self.stride
        padded = functional.pad(super().forward(signal), ((stride - 1) // 2, stride // 2))
        return functional.avg_pool1d(padded, stride, 1)


class TransposedNearestInit(Transposed):
    """Transposed convolution that begins as a convolution and nearest-neighbour interpolation.

    At initialisation each filter is constant over blocks of `stride` samples, hence all its
    polyphase sums are equal and a constant gives no tone: ICNR for transposed convolutions, which
    Aitken et al. 2017 (arXiv:1707.02937) show to be subpixel convolutions. Weights stay random,
    unlike the constant ones that Sec. 2 advises against. `length` is a multiple of `stride`.
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
        if length % stride:
            raise ValueError(f"length {length} is not a multiple of stride {stride}")
        super().__init__(channels_in, channels_out, stride, bias=bias, length=length)
        with torch.no_grad():
            weight = self.convolution.weight
            weight.copy_(weight[..., ::stride].repeat_interleave(stride, dim=-1))
