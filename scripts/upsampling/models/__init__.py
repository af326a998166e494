"""Models around an upsampling operator, by the name of their architecture."""

from collections.abc import Callable
from typing import Any

import torch

from upsampling.config.model import ModelSettings
from upsampling.models.base import AudioModel
from upsampling.models.demucs_like import DemucsLike
from upsampling.models.melgan import MelganGenerator
from upsampling.models.own import build_own
from upsampling.operators.base import seeded

MODELS: dict[str, Callable[[Any], AudioModel]] = {
    "demucs_like": DemucsLike,
    "melgan": MelganGenerator,
}


def build(settings: ModelSettings, seed: int = 0) -> AudioModel:
    """Build a model whose initial weights are a function of `seed`, not of the global generator."""
    with seeded(seed):
        return MODELS.get(settings.architecture, build_own)(settings)


def count_parameters(settings: ModelSettings) -> int:
    """Count the trainable parameters on the meta device: no weight is allocated."""
    with torch.device("meta"):
        return sum(p.numel() for p in build(settings).parameters() if p.requires_grad)
