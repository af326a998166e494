"""The interface of every upsampling operator, and shared parts."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.errors import nearest_match


class Upsampler(nn.Module):
    """Upsamples `[batch, in_channels, time]` by `stride` to `[batch, out_channels, time']`.

    A subclass takes `(in_channels, out_channels, stride, *, bias, **options)`. Its output has
    `output_length(time)` samples: `stride * time`, unless the subclass overrides it, as a
    transposed convolution does, whose borders reach further.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, *, bias: bool = True):
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.stride = stride
        self.bias = bias

    def initialise(self) -> None:
        """Change weights that were drawn; `Subpixel` and `Transposed` call it."""

    def output_length(self, time: int) -> int:
        """Return the number of output samples for `time` input samples."""
        return self.stride * time

    def forward(self, signal: Tensor) -> Tensor:
        """Upsample `[batch, in_channels, time]` to `[batch, out_channels, output_length(time)]`."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, stride={self.stride}"


class SameConvolution(nn.Conv1d):
    """Convolution of equal input and output length: `[batch, in_channels, time]`.

    With an even `kernel_size` it covers one more future sample than past ones.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, bias: bool = True):
        padding = kernel_size // 2
        super().__init__(in_channels, out_channels, kernel_size, padding=padding, bias=bias)

    def forward(self, signal: Tensor) -> Tensor:
        filtered = super().forward(signal)
        return filtered if self.kernel_size[0] % 2 else filtered[..., 1:]


def filter_each(signal: Tensor, taps: Tensor) -> Tensor:
    """Filter every channel of `[batch, channels, time]` with the same odd number of taps."""
    rows = signal.reshape(-1, 1, signal.shape[-1])
    return functional.conv1d(rows, taps[None, None], padding=len(taps) // 2).reshape(signal.shape)


def refuse_unknown(option: str, value: str, choices: Collection[str]) -> None:
    """Raise a `ValueError` that lists the choices if `value` is not one of them."""
    if value not in choices:
        raise ValueError(
            f"{option} '{value}'{nearest_match(value, choices)}; choose from {', '.join(choices)}"
        )


def refuse_channel_change(kernel_size: int, in_channels: int, out_channels: int) -> None:
    """Raise a `ValueError` if interpolation without a convolution would have to mix channels."""
    if kernel_size == 0 and in_channels != out_channels:
        raise ValueError("interpolation alone (kernel_size 0) cannot change the number of channels")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed PyTorch's global generator for the block, and restore its state afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
