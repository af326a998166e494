"""Vocos, 24 kHz: mel spectrograms to audio, by an inverse STFT (random weights)."""

import torch
from stand_ins import stand_in_for

stand_in_for("torchaudio")


def network() -> torch.nn.Module:
    from vocos.heads import ISTFTHead
    from vocos.models import VocosBackbone

    torch.manual_seed(0)
    backbone = VocosBackbone(100, dim=512, intermediate_dim=1536, num_layers=8)
    return torch.nn.Sequential(backbone, ISTFTHead(512, n_fft=1024, hop_length=256))
