"""Terms of the training loss, and the network of a deep feature loss."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from upsampling.config.declared import Bounds, Count, Gain, Seed
from upsampling.errors import UserError

LossName = Literal["l1", "mse", "stft", "features", "features_dense"]
Loss = Annotated[
    LossName | Mapping[LossName, Gain],
    "a term, or a sum of them as {name: weight}. l1, mse: of the waveform; stft: multi-resolution "
    "STFT loss; features: feature matching with a fixed random network of strided convolutions; "
    "features_dense: the same at stride 1, its control (docs/artifacts.md)",
]


@dataclass(frozen=True)
class CriticSettings:
    """A discriminator-like network: strided convolutions, then one score.

    Without padding and biases. MelGAN's discriminator (Kumar et al. 2019) has kernel_size 41 at
    stride 4 and slope 0.2: 41 is no multiple of 4, so coverage is unequal, too. The defaults are
    the network of the training losses `features` and `features_dense`.
    """

    layers: Count = 3
    stride: Count = 4
    kernel_size: Count = 41
    channels: Count = 8
    slope: Annotated[float, Bounds(minimum=0, maximum=1), "of the leaky ReLU"] = 0.2
    seed: Seed = 0
    # Kernel size of the convolution that turns features into a score.
    head_kernel_size: ClassVar[int] = 3

    def receptive_field(self, features: int) -> int:
        """Samples of the waveform on which `features` neighbors of the last layer depend."""
        samples = features
        for _ in range(self.layers):
            samples = (samples - 1) * self.stride + self.kernel_size
        return samples


CRITICS: dict[str, CriticSettings] = {
    "features": CriticSettings(),
    "features_dense": replace(CriticSettings(), stride=1),
}
# Samples that a term needs. auraloss pads by half its longest frame of 2048 samples, by reflection.
LEAST_SAMPLES = {"stft": 1025} | {n: critic.receptive_field(1) for n, critic in CRITICS.items()}


def comb_factor(name: str = "features") -> int:
    """The sampling rate over the spacing of the comb in the gradient of a deep feature loss."""
    return CRITICS[name].stride ** CRITICS[name].layers


def weights(loss: Loss) -> dict[str, float]:
    """The weight of each term of a training loss, by name."""
    return {loss: 1.0} if isinstance(loss, str) else {str(name): w for name, w in loss.items()}


def check_segment(loss: Loss, seconds: float, samplerate: int, where: str) -> None:
    """Raise `UserError` for training segments that are too short for a term of `loss`."""
    for name in weights(loss):
        least = LEAST_SAMPLES.get(name, 1)
        if round(seconds * samplerate) < least:
            raise UserError(
                f"{where}.segment_seconds: {seconds:g} s are too short at {samplerate} Hz for the "
                f"loss {name}; write at least {math.ceil(1e4 * least / samplerate) / 1e4:g}"
            )
