"""Sinc interpolation with noise in the band that it leaves empty."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.operators.base import SameConvolution, Upsampler
from upsampling.operators.filters import FixedInterpolation, hann_sinc_taps, stretch
from upsampling.operators.interpolation import refuse_unknown

SEEDS = 2**31
BRANCHES = ("noise", "stretch")


class NoiseSinc(Upsampler):
    """Sinc interpolation plus a high-passed branch, then a convolution of length 1.

    The branch is a convolution of length 7, then the sinc's complementary high-pass: it writes
    above the old Nyquist frequency only, where interpolation has nothing. Source: Gu et al. 2025
    (arXiv:2512.20211), whose published code calls the branch noise and feeds it features between
    inserted zeros: `branch: stretch`, which has tones for a constant input like any zero
    insertion. `branch: noise` (default) feeds standard normal noise, which has none.

    The noise is a function of a seed and the signal's length. The seed is a buffer, drawn when
    the operator is built and kept in checkpoints: in evaluation mode equal inputs give equal
    outputs, before and after training, and all members of a batch hear the same noise. In training
    mode every forward pass and every member of the batch has noise of its own, of the seed plus the
    number of passes so far; that number is in checkpoints too, so that a resumed training draws
    what an uninterrupted one would have.
    """

    noise_seed: Tensor
    passes: Tensor
    high_pass: Tensor

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        *,
        bias: bool = True,
        zeros: int = 8,
        branch: str = "noise",
    ):
        super().__init__(channels_in, channels_out, stride, bias=bias)
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
        self.colour = SameConvolution(channels_in, channels_in, 7, bias=bias)
        self.convolution = nn.Conv1d(channels_in, channels_out, 1, bias=bias)

    def excitation(self, signal: Tensor) -> Tensor:
        """What the branch filters, at the high rate: `[batch or 1, channels_in, stride * time]`."""
        if self.branch == "stretch":
            return stretch(signal, self.stride)
        members = 1
        seed = int(self.noise_seed)
        if self.training:
            members = len(signal)
            self.passes += 1
            seed += int(self.passes)
        generator = torch.Generator().manual_seed(seed)
        shape = (members, self.channels_in, self.stride * signal.shape[-1])
        # Drawn on the CPU, whose sequence is the same on every machine.
        noise = torch.randn(shape, generator=generator, device="cpu")
        return noise.to(signal.device, signal.dtype)

    def forward(self, signal: Tensor) -> Tensor:
        coloured = self.colour(self.excitation(signal))
        single = coloured.reshape(-1, 1, coloured.shape[-1])
        taps = self.high_pass.to(signal.dtype)
        passed = functional.conv1d(single, taps, padding=taps.shape[-1] // 2)
        return self.convolution(self.interpolation(signal) + passed.reshape(coloured.shape))
