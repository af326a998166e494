"""An inverse short-time Fourier transform in place of the last upsampler."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.config.operators import IstftHeadOptions
from upsampling.operators.base import Upsampler

MAXIMUM_MAGNITUDE = 100.0


class IstftHead(Upsampler):
    """Magnitudes and phases from a convolution of `kernel_size` 1, then an inverse STFT.

    For each output channel and frame the convolution gives `n_fft` // 2 + 1 log-magnitudes m and as
    many phases; the magnitude is exp(m), at most 100. The inverse STFT has hop `stride` and
    periodic Hann windows of `n_fft` samples (default: 4 * stride); overlapping frames are added and
    divided by the sum of the squared windows. Frames are centered on their block of `stride`
    samples. Source: Vocos (Siuzdak 2023, arXiv:2306.00814).

    Its phases are those of a waveform, so only the outermost block can use it (model setting
    `last`). It is not linear. A constant input gives equal frames, hence a signal of period
    `stride`, which can have tones. Silence without bias has tones too, since exp(0) = 1.
    """

    outermost_only = True
    basis: Tensor
    squared_window: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        n_fft: int | None = IstftHeadOptions.n_fft,
    ):
        super().__init__(in_channels, out_channels, stride, bias=bias)
        n_fft = n_fft or 4 * stride
        if n_fft < 2 * stride:
            raise ValueError(f"n_fft {n_fft} is less than two hops of {stride} samples")
        self.n_fft = n_fft
        bins = n_fft // 2 + 1
        self.convolution = nn.Conv1d(in_channels, out_channels * 2 * bins, 1, bias=bias)
        window = torch.hann_window(n_fft, dtype=torch.float64)
        # The inverse transform of each bin's real and imaginary part, windowed.
        unit = torch.eye(bins, dtype=torch.float64)
        rows = torch.fft.irfft(torch.cat([unit + 0j, unit * 1j]), n_fft, dim=1) * window
        self.register_buffer("basis", rows.float().unsqueeze(1), persistent=False)
        squared = window.square().float()[None, None]
        self.register_buffer("squared_window", squared, persistent=False)

    def forward(self, signal: Tensor) -> Tensor:
        """Map `[batch, in_channels, time]` to `[batch, out_channels, output_length(time)]`."""
        batch, _, time = signal.shape
        # [batch, out_channels, magnitude or phase, bins, time]
        values = self.convolution(signal).unflatten(1, (self.out_channels, 2, -1))
        magnitude, phase = values[:, :, 0].exp().clamp(max=MAXIMUM_MAGNITUDE), values[:, :, 1]
        parts = torch.cat([magnitude * phase.cos(), magnitude * phase.sin()], dim=2)
        summed = functional.conv_transpose1d(
            parts.flatten(0, 1), self.basis.to(signal.dtype), stride=self.stride
        )
        envelope = functional.conv_transpose1d(
            signal.new_ones(1, 1, time), self.squared_window.to(signal.dtype), stride=self.stride
        )
        start = (self.n_fft - self.stride) // 2
        inside = slice(start, start + self.stride * time)
        return (summed[..., inside] / envelope[..., inside]).reshape(batch, self.out_channels, -1)
