"""Interpolation of each channel by fixed taps, computed at the low rate.

Taps are computed in double precision. Their gain at 0 Hz is `stride`, which compensates for the
inserted zeros.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from upsampling.config.operators import InterpolatorOptions
from upsampling.operators.base import SameConvolution, Upsampler, refuse_channel_change
from upsampling.operators.subpixel import periodic_shuffle

Taps = NDArray[np.float64]


class FixedInterpolation(nn.Module):
    """Zero insertion and fixed taps: `[batch, channels, time]` to `[..., stride * time]`.

    Computed at the low rate, one filter per phase: with tap index n = j - stride * m + lead, output
    sample stride * t + j is the sum over m of taps[n] x[t + m]; `lead` centers the taps on a block
    of `stride` samples (even count) or on its first one (odd count). The signal's first and last
    sample are repeated beyond its ends.
    """

    polyphase_filters: Tensor

    def __init__(self, taps: Taps, stride: int):
        super().__init__()
        count = len(taps)
        lead = (count - 1) // 2 if count % 2 else (count - stride) // 2
        self.stride = stride
        self.past = (count - 1 - lead) // stride
        self.future = (lead + stride - 1) // stride
        steps = np.arange(-self.past, self.future + 1)
        index = np.arange(stride)[:, None] - stride * steps + lead
        filters = np.where((index >= 0) & (index < count), taps[np.clip(index, 0, count - 1)], 0.0)
        # A buffer is neither trained nor rescaled; checkpoints need not store it.
        values = torch.tensor(filters, dtype=torch.float32).unsqueeze(1)
        self.register_buffer("polyphase_filters", values, persistent=False)

    def forward(self, signal: Tensor) -> Tensor:
        batch, channels, time = signal.shape
        rows = signal.reshape(batch * channels, 1, time)
        padded = functional.pad(rows, (self.past, self.future), mode="replicate")
        filtered = functional.conv1d(padded, self.polyphase_filters.to(signal.dtype))
        return periodic_shuffle(filtered, self.stride).reshape(batch, channels, -1)


class Interpolator(Upsampler):
    """A subclass's interpolation of each channel, then a convolution of `kernel_size` samples.

    `kernel_size` 0 omits the convolution, which requires equal numbers of input and output
    channels. Table 1's interpolation upsamplers have 10 at stride 4.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        kernel_size: int = InterpolatorOptions.kernel_size,
    ):
        super().__init__(in_channels, out_channels, stride, bias=bias)
        self.interpolation = self.build_interpolation()
        refuse_channel_change(kernel_size, in_channels, out_channels)
        self.convolution: nn.Module = nn.Identity()
        if kernel_size:
            self.convolution = SameConvolution(in_channels, out_channels, kernel_size, bias=bias)

    def build_interpolation(self) -> nn.Module:
        """Build the module from `[batch, in_channels, time]` to `[..., stride * time]`."""
        raise NotImplementedError

    def forward(self, signal: Tensor) -> Tensor:
        return self.convolution(self.interpolation(signal))
