"""The networks of docs/audit.md: small vocoders of 22.05 kHz, as HiFi-GAN's (random weights)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu


class Vocoder(nn.Module):
    sample_rate = 22050

    def __init__(self, strides: tuple[int, ...] = (8, 8, 4), channels: int = 64, mels: int = 80):
        super().__init__()
        self.first = nn.Conv1d(mels, channels, 7, padding=3)
        widths = [channels >> place for place in range(len(strides) + 1)]
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(wide, narrow, 2 * stride, stride, padding=stride // 2)
            for stride, wide, narrow in zip(strides, widths[:-1], widths[1:], strict=True)
        )
        self.mixes = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for width in widths[1:])
        self.last = nn.Conv1d(widths[-1], 1, 7, padding=3)

    def forward(self, mel: Tensor) -> Tensor:
        hidden = self.first(mel)
        for up, mix in zip(self.ups, self.mixes, strict=True):
            hidden = mix(leaky_relu(up(leaky_relu(hidden, 0.1)), 0.1))
        return self.last(leaky_relu(hidden, 0.1)).tanh()


class Resized(nn.Module):
    """Nearest neighbors, then a convolution, in place of a transposed convolution."""

    def __init__(self, wide: int, narrow: int, stride: int):
        super().__init__()
        self.resize = nn.Upsample(scale_factor=stride)
        self.mix = nn.Conv1d(wide, narrow, 2 * stride + 1, padding=stride)

    def forward(self, signal: Tensor) -> Tensor:
        return self.mix(self.resize(signal))


def network() -> nn.Module:
    torch.manual_seed(0)
    return Vocoder()


def resized() -> nn.Module:
    torch.manual_seed(0)
    vocoder = Vocoder()
    vocoder.ups = nn.ModuleList(
        Resized(up.in_channels, up.out_channels, up.stride[0]) for up in vocoder.ups
    )
    return vocoder
