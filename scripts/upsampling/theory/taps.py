"""Every linear operator as zero insertion and one filter, whose taps come from its weights.

An operator of stride s that is linear, and does with each input sample what it did with the one
before, s samples later, is

    y[o][n] = sum over channels c and times t of h[o, c][n - s t] x[c][t] + b[o][n mod s],

a matrix of filters h after the insertion of s - 1 zeros, and what it makes of silence, b, whose
period is s. In the spectrum, Y[o](f) = sum over c of H[o, c](f) X[c](s f), f in cycles per output
sample: the input's replicas, coloured by H. Two operators in a row are one of stride s1 s2, with
the filter h2 * (h1 with s2 - 1 zeros after each tap) (the noble identity). So the response of a
stack is the product of H1(s2 f) and H2(f).

The taps, with y[s t + j] the phase j of an output block:

* transposed: h is the weight itself.
* subpixel and its kin: a convolution's filter of output channel o s + j is the phase j of h.
* interpolation: a fixed h (a box, a triangle, a windowed sinc), convolved with the layer's weight.
* wavelets: the two phases are the inverse lifting step of two convolutions.

`align_corners` drifts and `istft_head` is not linear: they have no taps. What `noise_sinc` adds is
noise through a filter of its own (`own_noise`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

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
from upsampling.theory.closed_forms import interpolator_taps

Floats = NDArray[np.floating[Any]]
Complexes = NDArray[np.complexfloating[Any, Any]]


@dataclass(frozen=True)
class Filters:
    """Zero insertion by `stride`, then `taps` [out, in, count]; and `offset` [out, stride].

    The first of the taps is h[`first`], which is negative where an operator looks ahead; `offset`
    is one period of the answer to silence, from an output sample n with n mod `stride` = 0 on.
    """

    taps: Floats
    first: int
    stride: int
    offset: Floats

    def response(self, frequencies: ArrayLike) -> Complexes:
        """H [out, in, count] at `frequencies` [count] in cycles per output sample."""
        times = self.first + np.arange(self.taps.shape[-1])
        waves: Complexes = np.exp(-2j * np.pi * np.outer(times, np.asarray(frequencies)))
        return self.taps @ waves

    def steady(self, period: ArrayLike) -> Floats:
        """One period [out, stride * p] of the answer to an endless signal of `period` [in, p]."""
        inputs = np.asarray(period, dtype=np.float64)
        length = self.stride * inputs.shape[-1]
        inserted = np.zeros((len(inputs), length))
        inserted[:, :: self.stride] = inputs
        output = np.tile(self.offset, inputs.shape[-1])
        for index in range(self.taps.shape[-1]):
            moved = np.roll(inserted, self.first + index, axis=-1)
            output = output + self.taps[:, :, index] @ moved
        return output

    def then(self, following: "Filters") -> "Filters":
        """This operator and the `following` one as one, by the noble identity."""
        stride, count = following.stride, following.taps.shape[-1]
        length = stride * (self.taps.shape[-1] - 1) + count
        taps = np.zeros((len(following.taps), self.taps.shape[1], length))
        for index in range(self.taps.shape[-1]):
            part = np.einsum("omn,mc->ocn", following.taps, self.taps[:, :, index])
            taps[:, :, stride * index : stride * index + count] += part
        return Filters(
            taps,
            stride * self.first + following.first,
            self.stride * stride,
            following.steady(self.offset),
        )

    def plus(self, other: "Filters") -> "Filters":
        """The sum of two operators of one stride, side by side."""
        first = min(self.first, other.first)
        last = max(f.first + f.taps.shape[-1] for f in (self, other))
        taps = np.zeros((*self.taps.shape[:2], last - first))
        for part in (self, other):
            start = part.first - first
            taps[..., start : start + part.taps.shape[-1]] += part.taps
        return Filters(taps, first, self.stride, self.offset + other.offset)


def numbers(parameter: Tensor) -> Floats:
    """A tensor as an array in double precision."""
    return parameter.detach().double().cpu().numpy()


def per_channel(taps: ArrayLike, first: int, stride: int, channels: int) -> Filters:
    """The same filter [count], or one for each [channels, count], and no mixing of channels."""
    each = np.broadcast_to(np.asarray(taps, dtype=np.float64), (channels, np.shape(taps)[-1]))
    mixed = each[:, None] * np.eye(channels)[:, :, None]
    return Filters(mixed, first, stride, np.zeros((channels, stride)))


def convolution(layer: nn.Conv1d) -> Filters:
    """A convolution that keeps the length: a filter at the rate of its input, stride 1.

    PyTorch's is a correlation, so taps are the weights reversed, the last but
    (length - 1) // 2 of them at h[0].
    """
    weight = numbers(layer.weight)
    bias = np.zeros(len(weight)) if layer.bias is None else numbers(layer.bias)
    return Filters(weight[..., ::-1], -(weight.shape[-1] // 2), 1, bias[:, None])


def interleaved(low: Filters, stride: int) -> Filters:
    """The periodic shuffle: channel o * `stride` + j of `low`, of stride 1, becomes the phase j."""
    channels, in_channels, count = low.taps.shape
    split = low.taps.reshape(channels // stride, stride, in_channels, count)
    taps = split.transpose(0, 2, 3, 1).reshape(channels // stride, in_channels, count * stride)
    return Filters(taps, low.first * stride, stride, low.offset.reshape(-1, stride))


def transposed(layer: Transposed) -> Filters:
    """h is the weight."""
    weight = numbers(layer.convolution.weight).transpose(1, 0, 2)
    bias = layer.convolution.bias
    offset = np.zeros(len(weight)) if bias is None else numbers(bias)
    return Filters(weight, 0, layer.stride, np.repeat(offset[:, None], layer.stride, axis=1))


def interpolation(layer: Any, channels: int, stride: int) -> Filters:
    """The fixed or learnt filter of an interpolation, a function or a module, on each channel."""
    if layer is interpolate_nearest:
        return per_channel(interpolator_taps("nearest", stride), 0, stride, channels)
    if layer is LINEAR["triangle"]:
        taps = interpolator_taps("linear (triangle)", stride)
        return per_channel(taps, 1 - stride, stride, channels)
    if layer is LINEAR["half_pixel"]:
        taps = interpolator_taps("linear (half_pixel)", stride)
        return per_channel(taps, -(stride // 2), stride, channels)
    if isinstance(layer, LearnedDoubling):
        weights = [numbers(parameter.sigmoid()) for parameter in layer.weights]
        each = [np.stack([1 - w, np.ones(channels), w], axis=1) for w in weights]
        return reduce(Filters.then, (per_channel(one, -1, 2, channels) for one in each))
    if isinstance(layer, FixedInterpolation):
        # One filter per phase, as a subpixel convolution has it, and the same for each channel.
        phases = numbers(layer.polyphase_filters)[..., ::-1]
        low = Filters(phases, layer.past - phases.shape[-1] + 1, 1, np.zeros((stride, 1)))
        fixed = interleaved(low, stride)
        return per_channel(fixed.taps[0], fixed.first, stride, channels)
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
    taps = numbers(layer.high_pass)[0, 0]
    passed = per_channel(taps[::-1], -(len(taps) // 2), 1, layer.in_channels)
    return convolution(layer.color).then(passed)


def noise_sinc(layer: NoiseSinc) -> Filters:
    """The interpolation and, for `branch: stretch`, the high-passed filter of inserted zeros."""
    channels, stride = layer.in_channels, layer.stride
    branch = per_channel([1.0], 0, stride, channels).then(high_passed(layer))
    if layer.branch == "noise":
        # Noise of zero mean in place of zeros: the answer to the bias is all that is steady.
        branch = replace(branch, taps=0 * branch.taps)
    total = interpolation(layer.interpolation, channels, stride).plus(branch)
    return total.then(convolution(layer.convolution))


def own_noise(layer: nn.Module) -> Filters | None:
    """What the standard normal noise that an operator adds goes through, stride 1; None for most.

    Without offset, which `operator_taps` has.
    """
    if not isinstance(layer, NoiseSinc) or layer.branch != "noise":
        return None
    filters = high_passed(layer).then(convolution(layer.convolution))
    return replace(filters, offset=0 * filters.offset)


def wavelet(layer: LazyWavelet) -> Filters:
    """Doublings in a row, each two convolutions' bands through the inverse lifting step."""
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
            for taps, total in ((numbers(parameter), total) for parameter, total in sums)
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
    # [phase, band, count] to [channel and phase, band and channel, count].
    taps = np.einsum("pbn,oc->opbcn", kernels, np.eye(channels))
    taps = taps.reshape(2 * channels, 2 * channels, -1)
    return Filters(taps, -half, 1, np.zeros((2 * channels, 1)))


RULES: dict[type[nn.Module], Callable[[Any], Filters]] = {
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

    Raises `LookupError` for one that has none: not linear, drifting, or not of this package.
    """
    for kind in type(layer).__mro__:
        if kind in RULES:
            return RULES[kind](layer)
    raise LookupError(f"{type(layer).__name__} has no closed form")
