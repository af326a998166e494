"""The training loss: a weighted sum of terms.

Each term maps estimates and targets `[batch, sources, audio_channels, time]` to one value per
example, `[batch]`, from that example alone: a batch may be shared among processes, or pass the
model in parts, without changing the loss.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.config.losses import CRITICS, Loss, weights
from upsampling.errors import UserError
from upsampling.losses.critic import Critic, feature_distance


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


class FeatureMatching(nn.Module):
    """Mean over sources and channels of `feature_distance` of one of `CRITICS`."""

    def __init__(self, name: str):
        super().__init__()
        self.critic = Critic(CRITICS[name])

    def forward(self, estimates: Tensor, targets: Tensor) -> Tensor:
        rows = (signal.flatten(0, 2).unsqueeze(1) for signal in (estimates, targets))
        return feature_distance(self.critic, *rows).reshape(len(estimates), -1).mean(dim=1)


TERMS: dict[str, Callable[[], nn.Module]] = {
    "l1": lambda: Waveform(functional.l1_loss),
    "mse": lambda: Waveform(functional.mse_loss),
    "stft": MultiResolutionSTFT,
    "features": lambda: FeatureMatching("features"),
    "features_dense": lambda: FeatureMatching("features_dense"),
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
