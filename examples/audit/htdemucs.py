"""Demucs v4, 44.1 kHz: stereo to four sources, in time and in spectrum (random weights)."""

import torch


def network() -> torch.nn.Module:
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(0)
    return HTDemucs(["drums", "bass", "other", "vocals"], use_train_segment=False)
