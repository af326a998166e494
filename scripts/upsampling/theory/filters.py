"""Linear upsampling as zero insertion and one matrix of filters.

An operator of stride s that is linear, and treats each input sample as it did the one before, s
output samples later, is

    y[o][n] = sum over channels c and times t of h[o, c][n - s t] x[c][t] + b[o][n mod s],

a matrix of filters h after the insertion of s - 1 zeros, and its output b for silence, whose period
is s. In the spectrum, Y[o](f) = sum over c of H[o, c](f) X[c](s f), f in cycles per output sample:
the input's replicas, colored by H. Two operators in a row are one of stride s1 s2, with the filter
h2 * (h1 with s2 - 1 zeros after each tap) (the noble identity). So the frequency response of a
stack is the product of H1(s2 f) and H2(f).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

Floats = NDArray[np.floating[Any]]
Complexes = NDArray[np.complexfloating[Any, Any]]


@dataclass(frozen=True)
class Filters:
    """Zero insertion by `stride`, then `taps` [out, in, count]; and `offset` [out, stride].

    The first of the taps is h[`first`], which is negative where an operator looks ahead; `offset`
    is one period of the output for silence, from an output sample n with n mod `stride` = 0 on.
    """

    taps: Floats
    first: int
    stride: int
    offset: Floats

    def frequency_response(self, frequencies: ArrayLike) -> Complexes:
        """H [out, in, count] at `frequencies` [count] in cycles per output sample."""
        times = self.first + np.arange(self.taps.shape[-1])
        waves: Complexes = np.exp(-2j * np.pi * np.outer(times, np.asarray(frequencies)))
        return self.taps @ waves

    def steady_output(self, period: ArrayLike) -> Floats:
        """One period [out, stride * p] of the output for an endless signal of `period` [in, p]."""
        inputs = np.asarray(period, dtype=np.float64)
        inserted = np.zeros((len(inputs), self.stride * inputs.shape[-1]))
        inserted[:, :: self.stride] = inputs
        output = np.tile(self.offset, inputs.shape[-1])
        for index in range(self.taps.shape[-1]):
            shifted = np.roll(inserted, self.first + index, axis=-1)
            output = output + self.taps[:, :, index] @ shifted
        return output

    def then(self, following: "Filters") -> "Filters":
        """This operator followed by another, as one operator (the noble identity)."""
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
            following.steady_output(self.offset),
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


def to_numpy(parameter: Tensor) -> Floats:
    """A tensor as an array in double precision."""
    return parameter.detach().double().cpu().numpy()


def per_channel(taps: ArrayLike, first: int, stride: int, channels: int) -> Filters:
    """The same filter [count], or one for each [channels, count], without mixing of channels."""
    each = np.broadcast_to(np.asarray(taps, dtype=np.float64), (channels, np.shape(taps)[-1]))
    mixed = each[:, None] * np.eye(channels)[:, :, None]
    return Filters(mixed, first, stride, np.zeros((channels, stride)))


def convolution(layer: nn.Conv1d) -> Filters:
    """A convolution that keeps the length: a filter at the rate of its input, stride 1.

    PyTorch's is a correlation, so taps are the weights reversed, the last but
    (kernel_size - 1) // 2 of them at h[0].
    """
    weight = to_numpy(layer.weight)
    bias = np.zeros(len(weight)) if layer.bias is None else to_numpy(layer.bias)
    return Filters(weight[..., ::-1], -(weight.shape[-1] // 2), 1, bias[:, None])


def interleaved(low: Filters, stride: int) -> Filters:
    """The periodic shuffle: channel o * `stride` + j of `low`, of stride 1, becomes the phase j."""
    channels, in_channels, count = low.taps.shape
    split = low.taps.reshape(channels // stride, stride, in_channels, count)  # [out, j, in, count]
    moved = split.transpose(0, 2, 3, 1)  # [out, in, count, j]
    taps = moved.reshape(channels // stride, in_channels, count * stride)  # [out, in, count * j]
    return Filters(taps, low.first * stride, stride, low.offset.reshape(-1, stride))
