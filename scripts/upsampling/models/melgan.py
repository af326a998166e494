"""The MelGAN generator (Sec. 1, Fig. 1 a; Kumar et al. 2019)."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from upsampling.config.model import MelganSettings
from upsampling.models.base import AudioModel

N_FFT, HOP, FLOOR = 1024, 256, 1e-5
# Of the initial weights that the published code draws and weight norm overwrites.
NORMAL_STD = 0.02


class ResidualBlock(nn.Module):
    """Dilated convolution with a 1x1 shortcut: `[batch, channels, time]` to the same shape."""

    def __init__(self, channels: int, dilation: int):
        super().__init__()
        self.block = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.ReflectionPad1d(dilation),
            weight_norm(nn.Conv1d(channels, channels, 3, dilation=dilation)),
            nn.LeakyReLU(0.2),
            weight_norm(nn.Conv1d(channels, channels, 1)),
        )
        self.shortcut = weight_norm(nn.Conv1d(channels, channels, 1))

    def forward(self, signal: Tensor) -> Tensor:
        return self.shortcut(signal) + self.block(signal)


class MelganGenerator(AudioModel):
    """`[batch, mels, frames]` to a waveform `[batch, 1, frames * product(ratios)]`.

    Transposed convolutions of `kernel_size` 16, 16, 4, 4 and stride 8, 8, 2, 2 (Sec. 1), each
    followed by residual blocks with dilations 1, 3, 9; weight norm; final tanh.
    """

    def __init__(self, settings: MelganSettings):
        super().__init__()
        self.settings = settings
        self.samplerate = settings.samplerate
        channels = settings.channels * 2 ** len(settings.ratios)
        layers: list[nn.Module] = [
            nn.ReflectionPad1d(3),
            weight_norm(nn.Conv1d(settings.mels, channels, 7)),
        ]
        for ratio, kernel_size in zip(settings.ratios, settings.kernel_sizes, strict=True):
            odd = ratio % 2
            upsampler = nn.ConvTranspose1d(
                channels, channels // 2, kernel_size, ratio, ratio // 2 + odd, output_padding=odd
            )
            layers += [nn.LeakyReLU(0.2), weight_norm(upsampler)]
            channels //= 2
            layers += [ResidualBlock(channels, 3**j) for j in range(settings.residual_layers)]
        layers += [nn.LeakyReLU(0.2), nn.ReflectionPad1d(3), weight_norm(nn.Conv1d(channels, 1, 7))]
        self.layers = nn.Sequential(*layers, nn.Tanh())
        if settings.weight_init == "normal":
            for layer in self.modules():
                if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
                    # Assigned as a whole, so that weight norm splits it into norm and direction.
                    layer.weight = torch.empty_like(layer.weight).normal_(0, NORMAL_STD)

    def forward(self, mel: Tensor) -> Tensor:
        return self.layers(mel)

    def find_upsamplers(self) -> list[tuple[nn.Module, int, int]]:
        layers = [layer for layer in self.layers if isinstance(layer, nn.ConvTranspose1d)]
        return [(layer, layer.stride[0], layer.in_channels) for layer in layers]

    @torch.inference_mode()
    def process(self, waveforms: Tensor) -> Tensor:
        """Map waveforms `[batch, 1, samples]`, by their mel spectra, to `[batch, 1, 1, time]`."""
        self.eval()
        settings = self.settings
        mels = [log_mel(w[0].numpy(), settings.samplerate, settings.mels) for w in waveforms]
        return self(torch.cat(mels).to(next(self.parameters()).dtype)).unsqueeze(1)


def log_mel(waveform: np.ndarray, samplerate: int, mels: int) -> Tensor:
    """MelGAN's input for a waveform `[samples]`: log10 mel magnitudes `[1, mels, frames]`.

    Window 1024, hop 256, reflection padding for `samples // hop` frames, magnitudes of at least
    1e-5 before the logarithm, as in the published MelGAN.
    """
    from librosa.filters import mel as mel_filters

    padding = (N_FFT - HOP) // 2
    signal = torch.from_numpy(np.pad(waveform, padding, mode="reflect"))
    spectrum = torch.stft(
        signal, N_FFT, HOP, window=torch.hann_window(N_FFT), center=False, return_complex=True
    ).abs()
    filters = torch.from_numpy(mel_filters(sr=samplerate, n_fft=N_FFT, n_mels=mels))
    return (filters @ spectrum).clamp(min=FLOOR).log10().unsqueeze(0)
