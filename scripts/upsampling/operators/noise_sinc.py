"""Sinc interpolation with noise in the band that it leaves empty."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.config.declared import choices, fields_of
from upsampling.config.operators import NoiseSincOptions
from upsampling.operators.base import SameConvolution, Upsampler, refuse_unknown
from upsampling.operators.fixed_interpolation import FixedInterpolation
from upsampling.operators.sinc import hann_sinc_taps
from upsampling.operators.stretch import stretch

SEEDS = 2**31
BRANCHES = choices(fields_of(NoiseSincOptions)["branch"])


class NoiseSinc(Upsampler):
    """Sinc interpolation plus a high-passed branch, then a convolution of length 1.

    The branch is a convolution of length 7, then the sinc's complementary high-pass: it writes
    above the old Nyquist frequency only, where interpolation has nothing. Source: Gu et al. 2025
    (arXiv:2512.20211), whose published code calls the branch noise and feeds it features between
    inserted zeros: `branch: stretch`, which has tones for a constant input like any zero
    insertion. `branch: noise` (default) feeds standard normal noise, which has none.

    The noise is a function of a seed and the signal's length. The seed is a buffer, drawn when
    the operator is built and kept in checkpoints: in evaluation mode equal inputs give equal
    outputs, before and after training, and all members of a batch get the same noise. In training
    mode every forward pass and every member of the batch has noise of its own, of the seed plus the
    number of passes so far; that number is in checkpoints too, so a resumed training draws the same
    noise as an uninterrupted one.
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
        """Input of the branch at the high rate: `[batch or 1, in_channels, stride * time]`."""
        if self.branch == "stretch":
            return stretch(signal, self.stride)
        members = 1
        seed = int(self.noise_seed)
        if self.training:
            members = len(signal)
            self.passes += 1
            seed += int(self.passes)
        generator = torch.Generator().manual_seed(seed)
        shape = (members, self.in_channels, self.stride * signal.shape[-1])
        # Drawn on the CPU, whose sequence is the same on every machine.
        noise = torch.randn(shape, generator=generator, device="cpu")
        return noise.to(signal.device, signal.dtype)

    def forward(self, signal: Tensor) -> Tensor:
        colored = self.color(self.excitation(signal))
        single = colored.reshape(-1, 1, colored.shape[-1])
        taps = self.high_pass.to(signal.dtype)
        passed = functional.conv1d(single, taps, padding=taps.shape[-1] // 2)
        return self.convolution(self.interpolation(signal) + passed.reshape(colored.shape))
