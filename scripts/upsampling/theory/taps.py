"""The taps of every linear operator, from its weights (see `filters`).

With y[s t + j] the phase j of an output block:

* transposed: h is the weight itself.
* subpixel and its kin: a convolution's filter of output channel o s + j is the phase j of h.
* interpolation: a fixed h (a box, a triangle, a windowed sinc), convolved with the layer's weight.
* wavelets: the two phases are the inverse lifting step of two convolutions.

`align_corners` drifts and `istft_head` is not linear: they have no taps. `noise_sinc` adds noise
through a second filter (`added_noise`).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
from torch import nn

from upsampling.operators.fixed_interpolation import FixedInterpolation, Interpolator
from upsampling.operators.haar_wavelet import HaarWavelet
from upsampling.operators.lazy_wavelet import SQRT2, LazyWavelet
from upsampling.operators.learned_linear import LearnedDoubling
from upsampling.operators.learned_wavelet import LearnedWavelet
from upsampling.operators.linear import LINEAR
from upsampling.operators.nearest import Nearest, interpolate_nearest
from upsampling.operators.noise_sinc import NoiseSinc
from upsampling.operators.stretch import Stretch
from upsampling.operators.subpixel import Subpixel
from upsampling.operators.subpixel_zoh import SubpixelZOH
from upsampling.operators.transposed import Transposed
from upsampling.theory.closed_forms import INTERPOLATORS
from upsampling.theory.filters import Filters, convolution, interleaved, per_channel, to_numpy


def transposed(layer: Transposed) -> Filters:
    """Transposed convolution: h is the weight."""
    weight = to_numpy(layer.convolution.weight).transpose(1, 0, 2)
    bias = layer.convolution.bias
    offset = np.zeros(len(weight)) if bias is None else to_numpy(bias)
    return Filters(weight, 0, layer.stride, np.repeat(offset[:, None], layer.stride, axis=1))


def interpolation(layer: Any, channels: int, stride: int) -> Filters:
    """The fixed or learned filter of an interpolation, a function or a module, on each channel.

    Raises `LookupError` for one that is no filter.
    """
    if layer is interpolate_nearest:
        return per_channel(INTERPOLATORS["nearest"](stride), 0, stride, channels)
    if layer is LINEAR["triangle"]:
        taps = INTERPOLATORS["linear (triangle)"](stride)
        return per_channel(taps, 1 - stride, stride, channels)
    if layer is LINEAR["half_pixel"]:
        taps = INTERPOLATORS["linear (half_pixel)"](stride)
        return per_channel(taps, -(stride // 2), stride, channels)
    if isinstance(layer, LearnedDoubling):
        weights = [to_numpy(parameter.sigmoid()) for parameter in layer.weights]
        doublings = [np.stack([1 - w, np.ones(channels), w], axis=1) for w in weights]
        return reduce(Filters.then, (per_channel(taps, -1, 2, channels) for taps in doublings))
    if isinstance(layer, FixedInterpolation):
        # One filter per phase, as in a subpixel convolution, and the same for each channel.
        phases = to_numpy(layer.polyphase_filters)[..., ::-1]
        low = Filters(phases, layer.past - phases.shape[-1] + 1, 1, np.zeros((stride, 1)))
        shared = interleaved(low, stride)
        return per_channel(shared.taps[0], shared.first, stride, channels)
    raise LookupError("this interpolation is no filter")


def interpolated(layer: Nearest | Interpolator) -> Filters:
    """The interpolation's filter, then the convolution, if there is one."""
    fixed = interpolation(layer.interpolation, layer.in_channels, layer.stride)
    if not isinstance(layer.convolution, nn.Conv1d):
        return fixed
    return fixed.then(convolution(layer.convolution))


def subpixel(layer: Subpixel) -> Filters:
    """A convolution and the periodic shuffle."""
    return interleaved(convolution(layer.convolution), layer.stride)


def zero_order_hold(layer: SubpixelZOH) -> Filters:
    """A subpixel convolution, then the mean of `stride` samples, the older half one more."""
    stride, channels = layer.stride, layer.out_channels
    box = per_channel(np.full(stride, 1 / stride), -(stride // 2), 1, channels)
    return subpixel(layer).then(box)


def stretched(layer: Stretch) -> Filters:
    """Zero insertion alone, then the convolution."""
    inserted = per_channel([1.0], 0, layer.stride, layer.in_channels)
    return inserted.then(convolution(layer.convolution))


def high_passed(layer: NoiseSinc) -> Filters:
    """The branch of `NoiseSinc` at its high rate: convolution and high-pass, stride 1."""
    taps = to_numpy(layer.high_pass)[0, 0]
    passed = per_channel(taps[::-1], -(len(taps) // 2), 1, layer.in_channels)
    return convolution(layer.color).then(passed)


def noise_sinc(layer: NoiseSinc) -> Filters:
    """The interpolation and, for `branch: stretch`, the high-passed filter of inserted zeros."""
    channels, stride = layer.in_channels, layer.stride
    branch = per_channel([1.0], 0, stride, channels).then(high_passed(layer))
    if layer.branch == "noise":
        # Noise of zero mean in place of zeros: only the output for the bias is steady.
        branch = replace(branch, taps=0 * branch.taps)
    total = interpolation(layer.interpolation, channels, stride).plus(branch)
    return total.then(convolution(layer.convolution))


def added_noise(layer: nn.Module) -> Filters | None:
    """Filters, of stride 1, of the standard normal noise that an operator adds; None for most.

    Without offset, which `operator_taps` includes.
    """
    if not isinstance(layer, NoiseSinc) or layer.branch != "noise":
        return None
    filters = high_passed(layer).then(convolution(layer.convolution))
    return replace(filters, offset=0 * filters.offset)


def wavelet(layer: LazyWavelet) -> Filters:
    """Consecutive doublings: each passes the bands of two convolutions through inverse lifting."""
    return reduce(
        Filters.then,
        (
            convolution(bands).then(interleaved(inverse_lifting(layer, step), 2))  # type: ignore[arg-type]
            for step, bands in enumerate(layer.convolutions)
        ),
    )


def inverse_lifting(layer: LazyWavelet, step: int) -> Filters:
    """The bands, high then low, to the phases of each channel: [2 * channels, 2 * channels]."""
    half = 0
    if isinstance(layer, LearnedWavelet):
        sums = ((layer.predictors[step], 1.0), (layer.updates[step], 0.5))
        predict, update = (
            (taps - taps.mean() + total / len(taps))[::-1]
            for taps, total in ((to_numpy(parameter), total) for parameter, total in sums)
        )
        half = len(predict) - 1
        pulse = np.eye(1, 2 * half + 1, half)[0]
        even = np.stack([-SQRT2 * np.pad(update, half // 2), pulse / SQRT2])
        odd = np.stack([np.convolve(band, predict, "same") for band in even])
        odd[0] += SQRT2 * pulse
        kernels = np.stack([even, odd])
    elif isinstance(layer, HaarWavelet):
        kernels = np.array([[-1.0, 1.0], [1.0, 1.0]])[..., None] / SQRT2
    else:
        kernels = np.array([[0.0, 1.0], [1.0, 0.0]])[..., None]
    channels = layer.out_channels
    taps = np.einsum("pbn,oc->opbcn", kernels, np.eye(channels))  # [out, phase, band, in, count]
    taps = taps.reshape(2 * channels, 2 * channels, -1)  # [out * phase, band * in, count]
    return Filters(taps, -half, 1, np.zeros((2 * channels, 1)))


FILTERS_OF: dict[type[nn.Module], Callable[[Any], Filters]] = {
    Transposed: transposed,
    Nearest: interpolated,
    Interpolator: interpolated,
    Subpixel: subpixel,
    SubpixelZOH: zero_order_hold,
    Stretch: stretched,
    LazyWavelet: wavelet,
    NoiseSinc: noise_sinc,
}


def operator_taps(layer: nn.Module) -> Filters:
    """The filters of an operator, from its present weights.

    Raises `LookupError` for an operator without filters: not linear, drifting, or from outside this
    package.
    """
    for kind in type(layer).__mro__:
        if kind in FILTERS_OF:
            return FILTERS_OF[kind](layer)
    raise LookupError(f"{type(layer).__name__} has no closed form")
