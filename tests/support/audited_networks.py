"""Small networks whose answers are known: every way to upsample that networks in use have."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.networks.torch_network import TorchNetwork
from upsampling.networks.upsamplers import Structure, find_structure
from upsampling.operators import build_operator

SAMPLERATE = 44100


def seeded(build, seed: int = 0):
    """The result of `build()` when PyTorch's generator starts at `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def under_audit(
    module: nn.Module, channels: int, kind: str = "latent", samplerate: int = SAMPLERATE
) -> tuple[TorchNetwork, Structure]:
    """`module` in double precision, and its layers."""
    network = TorchNetwork(module, type(module).__name__, samplerate, kind, channels)
    network.set_precision(torch.float64)
    return network, find_structure(network)


class FunctionalUp(nn.Module):
    """An interpolation by a function in `forward`, then a convolution."""

    def __init__(self, channels: int, stride: int, mode: str = "nearest"):
        super().__init__()
        self.scale, self.mode = float(stride), mode
        self.mix = nn.Conv1d(channels, channels, 5, padding=2)

    def forward(self, signal: Tensor) -> Tensor:
        return self.mix(functional.interpolate(signal, scale_factor=self.scale, mode=self.mode))


class Shuffled(nn.Module):
    """A convolution and a shuffle; `phases_first`: channel j * out + o is phase j of channel o."""

    def __init__(self, channels: int, out: int, stride: int, phases_first: bool = False):
        super().__init__()
        self.stride, self.phases_first = stride, phases_first
        self.mix = nn.Conv1d(channels, out * stride, 3, padding=1)

    def forward(self, signal: Tensor) -> Tensor:
        low = self.mix(signal)
        batch, channels, time = low.shape
        if self.phases_first:
            split = low.reshape(batch, self.stride, channels // self.stride, time)
            return split.permute(0, 2, 3, 1).reshape(batch, -1, time * self.stride)
        split = low.reshape(batch, channels // self.stride, self.stride, time)
        return split.transpose(2, 3).reshape(batch, -1, time * self.stride)


class Stuffed(nn.Module):
    """Samples written among zeros, then a convolution: no operation lengthens anything."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        self.stride = stride
        self.mix = nn.Conv1d(channels, channels, 2 * stride + 1, padding=stride)

    def forward(self, signal: Tensor) -> Tensor:
        zeros = torch.zeros(*signal.shape[:2], signal.shape[2] * self.stride)
        zeros[..., :: self.stride] = signal
        return self.mix(zeros)


class SpectralHead(nn.Module):
    """Magnitudes and phases from a convolution of one tap, then the inverse STFT."""

    def __init__(self, channels: int, hop: int, n_fft: int):
        super().__init__()
        self.hop, self.n_fft = hop, n_fft
        self.mix = nn.Conv1d(channels, n_fft + 2, 1)
        self.register_buffer("window", torch.hann_window(n_fft, dtype=torch.float64))

    def forward(self, signal: Tensor) -> Tensor:
        magnitude, phase = self.mix(signal).chunk(2, dim=1)
        spectrum = magnitude.exp() * torch.complex(phase.cos(), phase.sin())
        return torch.istft(spectrum, self.n_fft, self.hop, window=self.window.to(signal.dtype))


class FunctionalNetwork(nn.Module):
    """Interpolation, shuffle and transposed convolution as functions of the network itself."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(4, 4, 3, padding=1)
        self.second = nn.Conv1d(4, 6, 3, padding=1)
        self.weight = nn.Parameter(torch.randn(3, 1, 10) / 4)

    def forward(self, signal: Tensor) -> Tensor:
        signal = functional.interpolate(self.first(signal), scale_factor=3)
        low = self.second(functional.leaky_relu(signal, 0.1))
        batch, _, time = low.shape
        high = low.reshape(batch, 3, 2, time).transpose(2, 3).reshape(batch, 3, 2 * time)
        return functional.conv_transpose1d(functional.leaky_relu(high, 0.1), self.weight, stride=5)


class AntiAliased(nn.Module):
    """A transposed convolution, then an activation between a doubling and a halving of the rate."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose1d(4, 4, 8, 4, padding=2)
        self.raised = nn.Upsample(scale_factor=2, mode="linear")
        self.lowered = nn.Conv1d(4, 4, 4, stride=2, padding=1)
        self.out = nn.Conv1d(4, 1, 3, padding=1)

    def forward(self, signal: Tensor) -> Tensor:
        signal = self.up(signal)
        return self.out(signal + self.lowered(torch.sin(self.raised(signal))))


class AutoEncoder(nn.Module):
    """Strided convolutions, then transposed ones: audio to audio, without padding if `valid`."""

    def __init__(self, channels: int = 1, strides: tuple[int, ...] = (4, 5), valid: bool = False):
        super().__init__()
        paddings = [0 if valid else s // 2 + s % 2 for s in strides]
        widths = [channels, *(4 * (i + 1) for i in range(len(strides)))]
        pairs = list(zip(widths[:-1], widths[1:], strides, paddings, strict=True))
        self.encoder = nn.Sequential(
            *(m for a, b, s, p in pairs for m in (nn.Conv1d(a, b, 2 * s, s, padding=p), nn.ReLU()))
        )
        self.decoder = nn.Sequential(
            *(
                m
                for a, b, s, p in reversed(pairs)
                for m in (nn.ReLU(), nn.ConvTranspose1d(b, a, 2 * s, s, padding=p))
            )
        )

    def forward(self, signal: Tensor) -> Tensor:
        return self.decoder(self.encoder(signal))


def operators(*strides: int, name: str = "transposed", **options) -> nn.Sequential:
    """A linear stack of one of the package's operators, whose filters have a closed form."""
    widths = [4] * len(strides) + [1]
    layers = [
        build_operator(name, a, b, s, bias=True, options=options)
        for s, a, b in zip(strides, widths[:-1], widths[1:], strict=True)
    ]
    return nn.Sequential(*layers)


def hifi_gan(strides: tuple[int, ...], channels: int = 8, kernels: int = 2) -> nn.Sequential:
    """The skeleton of a vocoder: transposed convolutions with leaky activations between them."""
    layers: list[nn.Module] = [nn.Conv1d(6, channels, 7, padding=3)]
    for stride in strides:
        count, cut = kernels * stride, (kernels - 1) * stride // 2
        layers += [
            nn.LeakyReLU(0.1),
            nn.ConvTranspose1d(channels, channels // 2, count, stride, padding=cut),
        ]
        channels //= 2
        layers += [nn.LeakyReLU(0.1), nn.Conv1d(channels, channels, 3, padding=1)]
    return nn.Sequential(
        *layers, nn.LeakyReLU(0.1), nn.Conv1d(channels, 1, 7, padding=3), nn.Tanh()
    )
