"""The gradients of losses with respect to the waveform, and their tones (Sec. 2, issue iii).

A convolution with stride s, y[t] = sum over n of w[n] x[s t + n], has the gradient

    dL/dx[s t + j] = sum over m of w[j + m s] dL/dy[t - m],

which is the transposed convolution of dL/dy with the same weights and stride: the gradient is
upsampled layer by layer, through the very operator whose artifacts Sec. 2 describes. The constant
part of dL/dy, as of any loss that is a mean of scores, comes out as the polyphase sums
p[j] = sum over m of w[j + m s], repeated: lines at k fs / s, none if and only if all sums are
equal. Random weights give 0 dB RMS re the constant; weights of ones give none if the length is a
multiple of s (each sample is then covered equally often). Behind the outermost layer the same
happens at its lower rate, so that layers with strides s_1 .. s_L (1 next to the waveform) give
lines at all multiples of fs / (s_1 .. s_L): the comb of an upsampler, mirrored.

With stride 1 there is one phase: a constant gives a constant, and the gradient has no line. An L1
loss on the waveform has the gradient sign(x - target) / N, without any filter.

A leaky ReLU multiplies the gradient by its slope, 1 or `slope`, at each sample. Only the mean slope
over time, per channel, acts on the lines; the rest is noise between them. Feature matching sends
sign(difference) / N into each layer: its mean, per channel, is a constant that the same sums turn
into lines, and its scatter is colored noise. `expected_period` predicts the lines of both.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from upsampling.config.figures import LossGradient
from upsampling.config.losses import Loss, comb_factor
from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.losses.critic import Critic, feature_distance
from upsampling.losses.terms import TrainingLoss
from upsampling.measures import from_waveform
from upsampling.measures.spectra import mean_spectrum
from upsampling.probes.signals import probe_signal
from upsampling.theory.filters import Filters, to_numpy
from upsampling.theory.prediction import line_arrays

Array = NDArray[Any]

LOSSES = ("waveform", "score", "features")
N_FFT = 8192
KERNELS = 200


def loss(name: str, critic: Critic, output: Tensor, target: Tensor) -> Tensor:
    """One of `LOSSES` of `output` [1, 1, time]: L1, minus the mean score, feature matching.

    Feature matching is that of `losses.critic.feature_distance`.
    """
    if name == "waveform":
        return functional.l1_loss(output, target)
    if name == "score":
        return -critic(output)[-1].mean()
    return feature_distance(critic, output, target).mean()


def gradient(name: str, critic: Critic, output: Tensor, target: Tensor) -> Array:
    """Gradient [time] of the loss `name` with respect to the waveform `output` [1, 1, time]."""
    return _gradient(lambda leaf: loss(name, critic, leaf, target), output)


def training_gradient(loss: Loss, output: Tensor, target: Tensor) -> Array:
    """Gradient [time] of a training loss with respect to `output` [1, 1, 1, time]."""
    return _gradient(lambda leaf: TrainingLoss(loss)(leaf, target).sum(), output)


def _gradient(of: Callable[[Tensor], Tensor], output: Tensor) -> Array:
    leaf = output.clone().requires_grad_()
    (grad,) = torch.autograd.grad(of(leaf), leaf)
    return grad.flatten().double().numpy()


def _waveforms(settings: LossGradient, seed: int) -> list[Tensor]:
    """The waveform and its target [1, 1, time]."""
    return [
        torch.from_numpy(probe_signal(name, settings.seconds, settings.samplerate, seed + index))[
            None, None
        ]
        for index, name in enumerate((settings.signal, settings.target))
    ]


def adjoint(convolution: nn.Conv1d) -> Filters:
    """The transposed convolution of a convolution's weights, which its gradients pass through."""
    weight = to_numpy(convolution.weight).transpose(1, 0, 2)
    stride = convolution.stride[0]
    return Filters(weight, 0, stride, np.zeros((len(weight), stride)))


@torch.no_grad()
def expected_period(name: str, critic: Critic, output: Tensor, target: Tensor) -> Array:
    """One period [s_1 .. s_L] of the expected gradient, away from the borders.

    Exact for `score` if the slope is 1. Otherwise a layer's slope is replaced by its mean over
    time, per channel, and so is the product of slope and sign: layers are taken as independent.
    """
    if name == "waveform":
        return np.array([float((output - target).sign().mean()) / output.shape[-1]])
    features = critic(output)
    targets = critic(target)
    period: Array = np.zeros((1, 1))
    if name == "score":
        period = np.full((1, 1), -1 / features[-1].shape[-1])
        period = adjoint(critic.head).steady_output(period)
    layers = list(zip(critic.convolutions, features, targets, strict=False))
    for convolution, feature, target_feature in reversed(layers):
        assert isinstance(convolution, nn.Conv1d)
        slopes = torch.where(feature > 0, 1.0, critic.settings.slope)
        period = period * to_numpy(slopes.mean(dim=(0, 2)))[:, None]
        if name == "features":
            injected = slopes * (feature - target_feature).sign() / feature[0].numel()
            period = period + to_numpy(injected.mean(dim=(0, 2)))[:, None]
        period = adjoint(convolution).steady_output(period)
    return period[0]


def loss_gradients(settings: LossGradient) -> dict[str, Array]:
    """Spectra of the gradients of each loss, with and without strides.

    The network without strides has the same weights at stride 1. Gradients are scaled to an RMS of
    1. Returns `frequencies` Hz [bins]; per loss and network (`strided`, `dense`)
    `{loss}_{network}_measured` dB [bins], and `_lines` Hz and `_levels` dB of the predicted lines
    above 0 Hz; `waveform` has no network: `waveform_measured`.
    """
    critic, samplerate = settings.critic, settings.samplerate
    samples = critic.receptive_field(critic.head_kernel_size)
    if round(settings.seconds * samplerate) < max(N_FFT, 2 * samples):
        raise UserError(
            f"figures.loss_gradient: {settings.seconds} s at {samplerate} Hz are too short: a "
            f"score depends on {samples} samples, spectra need {N_FFT}; "
            "raise seconds"
        )
    output, target = _waveforms(settings, critic.seed)
    networks = {"strided": Critic(critic), "dense": Critic(replace(critic, stride=1))}
    arrays: dict[str, Array] = {}
    for name in LOSSES:
        for kind, network in networks.items():
            grad = gradient(name, network, output, target)
            scale = 1 / np.sqrt(np.mean(grad**2))
            arrays["frequencies"], power = mean_spectrum(scale * grad, samplerate, N_FFT)
            key = name if name == "waveform" else f"{name}_{kind}"
            arrays[f"{key}_measured"] = power_to_db(power)
            if name == "waveform":
                break
            period = scale * expected_period(name, network, output, target)
            arrays |= line_arrays(key, np.abs(np.fft.fft(period)) / len(period), samplerate)
    return arrays | coverage(critic.stride)


def training_losses(settings: LossGradient, losses: Mapping[str, Loss]) -> dict[str, Array]:
    """Spectra of the gradients of `losses`, by name, scaled to an RMS of 1.

    The waveform and its target are those of `settings`; its critic is not used, as training losses
    have their own. Returns `frequencies` Hz [bins], and per name `{name}_measured` dB [bins] and
    `{name}_prominence` dB: the comb prominence at multiples of samplerate / `comb_factor()`, the
    lines of a deep feature loss with strides.
    """
    rate = settings.samplerate
    if round(settings.seconds * rate) < from_waveform.N_FFT:
        raise UserError(
            f"figures.loss_gradient: {settings.seconds:g} s at {rate} Hz are too short for spectra "
            f"of {from_waveform.N_FFT} samples; write at least {from_waveform.N_FFT / rate:.2f} s"
        )
    spacing = rate / comb_factor()
    assert spacing >= from_waveform.MINIMUM_SPACING * rate / from_waveform.N_FFT
    output, target = (waveform[None] for waveform in _waveforms(settings, 0))
    arrays: dict[str, Array] = {}
    for name, loss in losses.items():
        samples = training_gradient(loss, output, target)
        scaled = samples / np.sqrt(np.mean(samples**2))
        arrays["frequencies"], power = mean_spectrum(scaled, rate, from_waveform.N_FFT)
        arrays[f"{name}_measured"] = power_to_db(power)
        ((mean, _),) = from_waveform.comb_prominences(power, [spacing], rate)
        arrays[f"{name}_prominence"] = np.array(mean)
    return arrays


def coverage(stride: int) -> dict[str, Array]:
    """The loudest line re the constant, for kernels of `stride` to 4 `stride` + 2 samples.

    Measured on the gradient of the summed output of one strided convolution: `coverage_lengths`
    [count], `coverage_ones` dB for weights of 1, `coverage_random` dB RMS over `KERNELS` random
    kernels.
    """
    lengths = np.arange(stride, 4 * stride + 3)
    ones: list[float] = []
    random: list[float] = []
    generator = torch.Generator().manual_seed(0)
    for length in lengths:
        weights = torch.randn(KERNELS, 1, int(length), generator=generator, dtype=torch.float64)
        for kernels, levels in ((torch.ones_like(weights[:1]), ones), (weights, random)):
            leaf = torch.zeros(1, len(kernels), 16 * stride).double().requires_grad_()
            score = functional.conv1d(leaf, kernels, stride=stride, groups=len(kernels)).sum()
            (grad,) = torch.autograd.grad(score, leaf)
            period = grad[0, :, 8 * stride : 9 * stride].numpy()
            power = np.abs(np.fft.fft(period, axis=1)) ** 2
            mean = power.mean(axis=0)
            levels.append(power_to_db(mean[1:].max() / mean[0]))
    return {
        "coverage_lengths": lengths,
        "coverage_ones": np.array(ones),
        "coverage_random": np.array(random),
    }
