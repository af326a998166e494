"""Sinc interpolation with noise in the band above the old Nyquist frequency."""

import torch
from torch import Tensor, nn

from upsampling.config.declared import choices, fields_of
from upsampling.config.operators import NoiseSincOptions
from upsampling.operators.base import SameConvolution, Upsampler, filter_each, refuse_unknown
from upsampling.operators.fixed_interpolation import FixedInterpolation
from upsampling.operators.sinc import hann_sinc_taps
from upsampling.operators.stretch import stretch

SEEDS = 2**31
BRANCHES = choices(fields_of(NoiseSincOptions)["branch"])


class NoiseSinc(Upsampler):
    """Sinc interpolation plus a high-passed branch, then a convolution of `kernel_size` 1.

    The branch is a convolution of `kernel_size` 7, then the sinc's complementary high-pass: it adds
    a signal above the old Nyquist frequency, which the interpolation leaves empty. Source: Gu et
    al. 2025 (arXiv:2512.20211), whose published code calls the branch noise, but feeds it the
    features between inserted zeros (`branch: stretch`); like any zero insertion, that has tones for
    a constant input. `branch: noise` (default) feeds standard normal noise, which has none.

    The noise is a function of a seed and the signal's length. The seed is a buffer, drawn when the
    operator is built and stored in checkpoints. In evaluation mode equal inputs give equal outputs,
    and all examples of a batch share the noise. In training mode the noise differs between examples
    and between forward passes: its seed is the buffer plus the number of passes, also a buffer, so
    that resumed and uninterrupted training draw the same noise.
    """

    noise_seed: Tensor
    passes: Tensor
    high_pass: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        zeros: int = NoiseSincOptions.zeros,
        branch: str = NoiseSincOptions.branch,
    ):
        super().__init__(in_channels, out_channels, stride, bias=bias)
        refuse_unknown("branch", branch, BRANCHES)
        self.branch = branch
        taps = hann_sinc_taps(stride, zeros)
        self.interpolation = FixedInterpolation(taps, stride)
        high_pass = -taps / stride
        high_pass[len(taps) // 2] += 1
        values = torch.tensor(high_pass, dtype=torch.float32)[None, None]
        self.register_buffer("high_pass", values, persistent=False)
        self.register_buffer("noise_seed", torch.randint(SEEDS, ()))
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))
        self.color = SameConvolution(in_channels, in_channels, 7, bias=bias)
        self.convolution = nn.Conv1d(in_channels, out_channels, 1, bias=bias)

    def excitation(self, signal: Tensor) -> Tensor:
        """Return the branch's high-rate input, `[batch or 1, in_channels, stride * time]`."""
        if self.branch == "stretch":
            return stretch(signal, self.stride)
        examples, seed = 1, int(self.noise_seed)
        if self.training:
            examples = len(signal)
            self.passes += 1
            seed += int(self.passes)
        generator = torch.Generator().manual_seed(seed)
        shape = (examples, self.in_channels, self.stride * signal.shape[-1])
        # The CPU's generator gives the same sequence on every machine.
        return torch.randn(shape, generator=generator, device="cpu").to(signal.device, signal.dtype)

    def forward(self, signal: Tensor) -> Tensor:
        colored = self.color(self.excitation(signal))
        passed = filter_each(colored, self.high_pass.to(signal.dtype)[0, 0])
        return self.convolution(self.interpolation(signal) + passed)
