"""The gradient that a loss sends back to the waveform, and its tones (Sec. 2, issue iii).

A convolution with stride s, y[t] = sum over n of w[n] x[s t + n], sends back

    dL/dx[s t + j] = sum over m of w[j + m s] dL/dy[t - m],

which is the transposed convolution of dL/dy with the same weights and stride: the gradient is
upsampled layer by layer, through the very operator whose artifacts Sec. 2 describes. What is
constant in dL/dy, as in any loss that is a mean of scores, comes out as the polyphase sums
p[j] = sum over m of w[j + m s], over and over: lines at k fs / s, none if and only if all are
equal. Random weights give 0 dB RMS re the constant; weights of ones have none if the length is a
multiple of s (each sample then is covered equally often). Behind the outermost layer the same
happens at its low rate, so that layers with strides s_1 .. s_L (1 next to the waveform) give lines
at all multiples of fs / (s_1 .. s_L): the comb of an upsampler, mirrored.

With stride 1 there is one phase: a constant gives a constant, and the gradient has no line. An L1
loss on the waveform sends back sign(x - target) / N, without any filter.

A leaky ReLU multiplies the gradient by its slope, 1 or `slope`, of the sample at hand. Its mean
over time, per channel, is what the lines see of it; the rest is noise between them. Feature
matching sends sign(difference) / N into each layer: its mean, per channel, is a constant that the
same sums make lines of, and its scatter is coloured noise. `expected_period` predicts both lines.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from upsampling.config.sections import CriticSettings, LossGradient
from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.measures.spectra import mean_spectrum
from upsampling.operators.base import seeded
from upsampling.probes.signals import probe_signal
from upsampling.theory.taps import Filters, numbers

Array = NDArray[Any]

LOSSES = ("waveform", "score", "features")
N_FFT = 8192
KERNELS = 200
# Length of the convolution that makes a score of features.
HEAD = 3


def reach(settings: CriticSettings) -> int:
    """Samples of the waveform behind one score."""
    samples = HEAD
    for _ in range(settings.layers):
        samples = (samples - 1) * settings.stride + settings.kernel_size
    return samples


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
            self.head = nn.Conv1d(settings.channels, 1, HEAD, bias=False)

    def forward(self, signal: Tensor) -> list[Tensor]:
        """Features [1, channels, time] of each layer, the score [1, 1, time] last."""
        features = []
        for convolution in self.convolutions:
            signal = functional.leaky_relu(convolution(signal), self.settings.slope)
            features.append(signal)
        return [*features, self.head(signal)]


def loss(name: str, critic: Critic, output: Tensor, target: Tensor) -> Tensor:
    """One of `LOSSES` of `output` [1, 1, time]: L1, minus the mean score, feature matching.

    Feature matching is the mean absolute difference of features, summed over layers, without score.
    """
    if name == "waveform":
        return functional.l1_loss(output, target)
    if name == "score":
        return -critic(output)[-1].mean()
    with torch.no_grad():
        wanted = critic(target)[:-1]
    found = critic(output)[:-1]
    return torch.stack([(a - b).abs().mean() for a, b in zip(found, wanted, strict=True)]).sum()


def gradient(name: str, critic: Critic, output: Tensor, target: Tensor) -> Array:
    """Gradient [time] of the loss `name` with respect to the waveform `output`."""
    leaf = output.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(name, critic, leaf, target), leaf)
    return found[0, 0].double().numpy()


def adjoint(convolution: nn.Conv1d) -> Filters:
    """What a convolution does to gradients: the transposed convolution of its weights."""
    weight = numbers(convolution.weight).transpose(1, 0, 2)
    stride = convolution.stride[0]
    return Filters(weight, 0, stride, np.zeros((len(weight), stride)))


@torch.no_grad()
def expected_period(name: str, critic: Critic, output: Tensor, target: Tensor) -> Array:
    """One period [s_1 .. s_L] of the expected gradient, away from the borders.

    Exact for `score` if the slope is 1. Else a layer's slope is replaced by its mean over time, per
    channel, and so is the product of slope and sign: layers are taken for independent.
    """
    if name == "waveform":
        return np.array([float((output - target).sign().mean()) / output.shape[-1]])
    features = critic(output)
    wanted = critic(target)
    period: Array = np.zeros((1, 1))
    if name == "score":
        period = np.full((1, 1), -1 / features[-1].shape[-1])
        period = adjoint(critic.head).steady(period)
    layers = list(zip(critic.convolutions, features, wanted, strict=False))
    for convolution, found, other in reversed(layers):
        assert isinstance(convolution, nn.Conv1d)
        slopes = torch.where(found > 0, 1.0, critic.settings.slope)
        period = period * numbers(slopes.mean(dim=(0, 2)))[:, None]
        if name == "features":
            own = slopes * (found - other).sign() / found[0].numel()
            period = period + numbers(own.mean(dim=(0, 2)))[:, None]
        period = adjoint(convolution).steady(period)
    return period[0]


def loss_gradients(settings: LossGradient) -> dict[str, Array]:
    """Spectra of the gradients of each loss, through strides and without any.

    The network without strides has the same weights at stride 1. Gradients are scaled to an RMS of
    1. Returns `frequencies` Hz [bins]; per loss and network (`strided`, `dense`)
    `{loss}_{network}_measured` dB [bins], and `_lines` Hz and `_levels` dB of the predicted lines
    above 0 Hz; `waveform` has no network: `waveform_measured`.
    """
    critic, samplerate = settings.critic, settings.samplerate
    if round(settings.seconds * samplerate) < max(N_FFT, 2 * reach(critic)):
        raise UserError(
            f"figures.loss_gradient: {settings.seconds} s at {samplerate} Hz are too short: a "
            f"score depends on {reach(critic)} samples, spectra need {N_FFT}; raise seconds"
        )
    output, wanted = (
        torch.from_numpy(probe_signal(kind, settings.seconds, samplerate, critic.seed + place))[
            None, None
        ]
        for place, kind in enumerate((settings.signal, settings.target))
    )
    networks = {
        "strided": Critic(critic),
        "dense": Critic(replace(critic, stride=1)),
    }
    arrays: dict[str, Array] = {}
    for name in LOSSES:
        for kind, network in networks.items():
            found = gradient(name, network, output, wanted)
            scale = 1 / np.sqrt(np.mean(found**2))
            arrays["frequencies"], power = mean_spectrum(scale * found, samplerate, N_FFT)
            key = name if name == "waveform" else f"{name}_{kind}"
            arrays[f"{key}_measured"] = power_to_db(power)
            if name == "waveform":
                break
            period = scale * expected_period(name, network, output, wanted)
            amplitudes = np.abs(np.fft.fft(period)) / len(period)
            lines = np.arange(1, len(period) // 2 + 1)
            arrays[f"{key}_lines"] = lines * samplerate / len(period)
            arrays[f"{key}_levels"] = power_to_db(amplitudes[lines] ** 2)
    return arrays | coverage(critic.stride)


def coverage(stride: int) -> dict[str, Array]:
    """The loudest line re the constant, for kernels of `stride` to 4 `stride` + 2 samples.

    Measured on the gradient of one strided convolution's mean: `coverage_lengths` [count],
    `coverage_ones` dB for weights of 1, `coverage_random` dB RMS over `KERNELS` random ones.
    """
    lengths = np.arange(stride, 4 * stride + 3)
    ones: list[float] = []
    random: list[float] = []
    generator = torch.Generator().manual_seed(0)
    for length in lengths:
        weights = torch.randn(KERNELS, 1, int(length), generator=generator, dtype=torch.float64)
        for kernels, found in ((torch.ones_like(weights[:1]), ones), (weights, random)):
            leaf = torch.zeros(
                1, len(kernels), 16 * stride, dtype=torch.float64, requires_grad=True
            )
            score = functional.conv1d(leaf, kernels, stride=stride, groups=len(kernels)).sum()
            (back,) = torch.autograd.grad(score, leaf)
            period = back[0, :, 8 * stride : 9 * stride].numpy()
            power = np.abs(np.fft.fft(period, axis=1)) ** 2
            mean = power.mean(axis=0)
            found.append(power_to_db(mean[1:].max() / mean[0]))
    return {
        "coverage_lengths": lengths,
        "coverage_ones": np.array(ones),
        "coverage_random": np.array(random),
    }
