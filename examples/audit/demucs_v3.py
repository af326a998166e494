"""Demucs v3, waveform alone, 44.1 kHz: stereo to four sources (random weights)."""

import torch


def network() -> torch.nn.Module:
    from demucs.demucs import Demucs

    torch.manual_seed(0)
    return Demucs(["drums", "bass", "other", "vocals"], channels=32, depth=5, resample=False)
