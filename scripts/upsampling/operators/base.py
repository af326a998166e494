"""What every upsampling operator offers to a model."""

from torch import Tensor, nn


class Upsampler(nn.Module):
    """Upsamples `[batch, channels_in, time]` by `stride` to `[batch, channels_out, time']`.

    A subclass takes `(channels_in, channels_out, stride, *, bias, **options)`. Its output has
    `output_length(time)` samples: `stride * time` unless it says otherwise, as a transposed
    convolution does, whose borders reach further.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int, *, bias: bool = True):
        super().__init__()
        self.channels_in = channels_in
        self.channels_out = channels_out
        self.stride = stride
        self.bias = bias

    def output_length(self, time: int) -> int:
        """Samples that come out when `time` samples go in."""
        return self.stride * time

    def forward(self, signal: Tensor) -> Tensor:
        """Upsample `[batch, channels_in, time]` to `[batch, channels_out, output_length(time)]`."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"{self.channels_in}, {self.channels_out}, stride={self.stride}"


class SameConvolution(nn.Conv1d):
    """A convolution that keeps the signal's length: `[batch, channels_in, time]` to equal time.

    An even filter looks one sample further ahead than back.
    """

    def __init__(self, channels_in: int, channels_out: int, length: int, *, bias: bool = True):
        super().__init__(channels_in, channels_out, length, padding=length // 2, bias=bias)

    def forward(self, signal: Tensor) -> Tensor:
        filtered = super().forward(signal)
        return filtered if self.kernel_size[0] % 2 else filtered[..., 1:]
