"""Hibari, a trained TTS of 24 kHz: hidden frames to audio, by an inverse STFT of free phases.

Of its three parts (harmonics of a pitch, noise, free phases) silence has the last one alone.
"""

from pathlib import Path

import hibari
import onnx
import torch
from torch import nn


class Head(nn.Module):
    sample_rate = 24000

    def __init__(self):
        super().__init__()
        graph = onnx.load(Path(hibari.__file__).parent / "assets" / "hibari.onnx").graph
        stored = {t.name: torch.tensor(onnx.numpy_helper.to_array(t)) for t in graph.initializer}
        matrix, name = nn.Linear(256, 3005), "/head/Transpose_output_0"
        levels = stored[f"{name}_quantized"].float() - stored[f"{name}_zero_point"].float()
        matrix.weight.data = (levels * stored[f"{name}_scale"]).T.contiguous()
        matrix.bias.data = stored["m.head.bias"]
        norm = nn.LayerNorm(256)
        norm.weight.data, norm.bias.data = stored["m.dec_norm.weight"], stored["m.dec_norm.bias"]
        self.frames = nn.Sequential(norm, matrix)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        *_, level, phase = self.frames(hidden.mT).mT.split(601, dim=1)
        spectrum = torch.polar(level.clamp(max=7).exp(), phase)
        return torch.istft(spectrum, 1200, 300, window=torch.hann_window(1200))


def network() -> nn.Module:
    return Head()
