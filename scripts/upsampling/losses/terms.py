"""The training loss, a weighted sum of terms, and the network of a deep feature loss.

Each term maps estimates and targets `[batch, sources, audio_channels, time]` to one value per
example, `[batch]`, from that example alone: a batch may be shared among processes, or pass the
model in parts, without changing the loss.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.config.losses import CRITICS, CriticSettings, Loss, weights
from upsampling.errors import UserError
from upsampling.operators.base import seeded


class Waveform(nn.Module):
    """Mean of a distance of single samples."""

    def __init__(self, distance: Callable[..., Tensor]):
        super().__init__()
        self.distance = distance

    def forward(self, estimates: Tensor, targets: Tensor) -> Tensor:
        return self.distance(estimates, targets, reduction="none").flatten(1).mean(dim=1)


class MultiResolutionSTFT(nn.Module):
    """auraloss's multi-resolution STFT loss: L1 of linear and of logarithmic magnitudes.

    Its three resolutions are auraloss's (Yamamoto et al. 2020), its terms those of Engel et al.
    2020. Spectral convergence, auraloss's default in place of linear magnitudes, divides by the
    target's magnitude: where all sources of an example are silent, it is a thousand times as large
    as for others.
    """

    def __init__(self) -> None:
        super().__init__()
        try:
            from auraloss.freq import MultiResolutionSTFTLoss
        except ModuleNotFoundError as error:
            raise UserError(
                "training.loss: stft needs the package auraloss; install it in the version of "
                "envs/requirements.lock"
            ) from error
        self.loss = MultiResolutionSTFTLoss(w_sc=0.0, w_log_mag=1.0, w_lin_mag=1.0)

    def forward(self, estimates: Tensor, targets: Tensor) -> Tensor:
        pairs = zip(estimates, targets, strict=True)
        return torch.stack([self.loss(estimate, target) for estimate, target in pairs])


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


class FeatureMatching(nn.Module):
    """Mean over sources and channels of `feature_distance` of one of `CRITICS`."""

    def __init__(self, name: str):
        super().__init__()
        self.critic = Critic(CRITICS[name])

    def forward(self, estimates: Tensor, targets: Tensor) -> Tensor:
        rows = (signal.flatten(0, 2).unsqueeze(1) for signal in (estimates, targets))
        return feature_distance(self.critic, *rows).reshape(len(estimates), -1).mean(dim=1)


TERMS: dict[str, Callable[[], nn.Module]] = {
    "l1": partial(Waveform, functional.l1_loss),
    "mse": partial(Waveform, functional.mse_loss),
    "stft": MultiResolutionSTFT,
    **{name: partial(FeatureMatching, name) for name in CRITICS},
}


class TrainingLoss(nn.Module):
    """The sum of the terms of `loss`, each with its weight; nothing in it is trained."""

    def __init__(self, loss: Loss):
        super().__init__()
        self.weights = weights(loss)
        self.terms = nn.ModuleDict({name: TERMS[name]() for name in self.weights})
        self.requires_grad_(False)

    def forward(self, estimates: Tensor, targets: Tensor) -> Tensor:
        """Loss of each example, `[batch]`, in single precision."""
        terms: Any = self.terms.items()
        values = [self.weights[name] * term(estimates, targets) for name, term in terms]
        return torch.stack(values).sum(dim=0)
