"""A discriminator-like network with random weights, and the distance of its features."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.config.losses import CriticSettings
from upsampling.operators.base import seeded


class Critic(nn.Module):
    """`CriticSettings` as a network; PyTorch's default initialisation, drawn from the seed."""

    def __init__(self, settings: CriticSettings):
        super().__init__()
        self.settings = settings
        widths = [1, *[settings.channels] * settings.layers]
        with seeded(settings.seed):
            self.convolutions = nn.ModuleList(
                nn.Conv1d(first, second, settings.kernel_size, settings.stride, bias=False)
                for first, second in pairwise(widths)
            )
            self.head = nn.Conv1d(settings.channels, 1, settings.head_kernel_size, bias=False)

    def features(self, signal: Tensor) -> list[Tensor]:
        """Features [batch, channels, time] of each layer for `signal` [batch, 1, time]."""
        features = []
        for convolution in self.convolutions:
            signal = functional.leaky_relu(convolution(signal), self.settings.slope)
            features.append(signal)
        return features

    def forward(self, signal: Tensor) -> list[Tensor]:
        """Features of each layer, the score [batch, 1, time] last."""
        features = self.features(signal)
        return [*features, self.head(features[-1])]


def feature_distance(critic: Critic, output: Tensor, target: Tensor) -> Tensor:
    """Feature matching [batch] of `output` and `target` [batch, 1, time].

    The mean absolute difference of features, summed over layers (Kumar et al. 2019, eq. 4).
    Gradients reach `output` alone.
    """
    with torch.no_grad():
        targets = critic.features(target)
    distances = [
        functional.l1_loss(a, b, reduction="none").flatten(1).mean(dim=1)
        for a, b in zip(critic.features(output), targets, strict=True)
    ]
    return torch.stack(distances).sum(dim=0)
