"""Models that take an upsampling operator and know nothing of its inside."""

import torch
from torch import nn

from upsampling.models.demucs_like import DemucsLike
from upsampling.models.melgan import MelganGenerator
from upsampling.settings import DemucsLikeSettings, MelganSettings


def build(settings: DemucsLikeSettings | MelganSettings, seed: int = 0) -> nn.Module:
    """Build a model whose initial weights depend on `seed` alone, not on the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if isinstance(settings, MelganSettings):
            return MelganGenerator(settings)
        return DemucsLike(settings)


def count_parameters(settings: DemucsLikeSettings | MelganSettings) -> int:
    """Number of trainable parameters, counted on the meta device: no weight is allocated."""
    with torch.device("meta"):
        model = build(settings)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
