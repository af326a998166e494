"""Learned linear interpolation, which doubles the rate once or repeatedly."""

import torch
from torch import Tensor, nn

from upsampling.operators.fixed_interpolation import Interpolator


def doublings(stride: int) -> int:
    """Return log2 of `stride`; `ValueError` if it is not a power of two."""
    if stride < 2 or stride & (stride - 1):
        raise ValueError(
            f"each step doubles the rate: the stride must be a power of two, not {stride}"
        )
    return stride.bit_length() - 1


def interleave(even: Tensor, odd: Tensor) -> Tensor:
    """Alternate samples of `even` and `odd`: two of `[..., time]` to `[..., 2 * time]`."""
    return torch.stack([even, odd], dim=-1).flatten(-2)


class LearnedDoubling(nn.Module):
    """One learned interpolation per doubling: `[batch, channels, time]` to `stride * time`.

    With w = sigmoid(a), one per channel: y[2 t] = x[t], y[2 t + 1] = w x[t] + (1 - w) x[t + 1]. The
    last sample is repeated. Parameters a are initialised as in the published Wave-U-Net (Glorot's
    uniform distribution for vectors), so w starts near 1/2.
    """

    def __init__(self, channels: int, stride: int):
        super().__init__()
        bound = (3 / channels) ** 0.5
        self.weights = nn.ParameterList(
            nn.Parameter(torch.empty(channels).uniform_(-bound, bound))
            for _ in range(doublings(stride))
        )

    def forward(self, signal: Tensor) -> Tensor:
        for parameter in self.weights:
            following = torch.cat([signal[..., 1:], signal[..., -1:]], dim=-1)
            weight = parameter.sigmoid().unsqueeze(-1)
            signal = interleave(signal, weight * signal + (1 - weight) * following)
        return signal


class LearnedLinear(Interpolator):
    """Learned linear interpolation of each channel, then a convolution.

    A constant gives no tone for any weights. With all weights w = 1/2 it is the linear
    interpolation `triangle`. Source: Wave-U-Net (Stoller et al. 2018, arXiv:1806.03185), where the
    next decoder block's convolution follows it.
    """

    def build_interpolation(self) -> LearnedDoubling:
        return LearnedDoubling(self.in_channels, self.stride)
