"""Closed forms of linear upsamplers: tones from their weights, taps of fixed interpolators.

Feed ones to a linear upsampler of stride s whose impulse response is w. Away from the borders,
output sample s t + j is the polyphase sum p[j] = sum over m of w[j + m s]: a signal of period s.
Its DFT P[k] = sum over j of p[j] exp(-2 pi i j k / s) is the constant P[0] and a comb of tones at
k / s of the output rate, k = 1 .. s - 1, of level |P[k]| / |P[0]|. There is no tone if and only if
all polyphase sums are equal. (Lines k and s - k are the two sides of one real sine.)

Random weights (Sec. 2, issue i). For independent taps of zero mean and variance v, E|P[k]|^2 is the
sum over j of Var p[j], which is v times the number of taps, for every k, 0 included. Hence the
expected power of each tone is that of the constant, 0 dB, for any length and any overlap.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from upsampling.operators.kaiser_sinc import kaiser_sinc_taps
from upsampling.operators.sinc import hann_sinc_taps

Floats = NDArray[np.floating[Any]]


def polyphase_sums(kernel: ArrayLike, stride: int) -> Floats:
    """Sums p[j] of every `stride`-th tap from tap j on: [..., length] to [..., stride]."""
    taps = np.asarray(kernel, dtype=np.float64)
    missing = -taps.shape[-1] % stride
    padded = np.pad(taps, [(0, 0)] * (taps.ndim - 1) + [(0, missing)])
    return padded.reshape(*taps.shape[:-1], -1, stride).sum(axis=-2)


def comb_spectrum(sums: ArrayLike) -> Floats:
    """|P[k]| for k = 0 .. s - 1 of polyphase sums: [..., s] to the same shape."""
    return np.abs(np.fft.fft(np.asarray(sums, dtype=np.float64), axis=-1))


def random_level_quantile(probability: ArrayLike, line: int, stride: int) -> Any:
    """Quantile in dB of the level of tone `line` over many random kernels.

    For Gaussian taps with equally many in each phase (no or full overlap), P[0] is Gaussian, and
    P[k] complex Gaussian of the same power, or real for k = s / 2. |P[k]|^2 / |P[0]|^2 then has
    Fisher's F distribution with (2, 1) degrees of freedom, 1 - 1 / sqrt(1 + 2 x), or with (1, 1),
    2 / pi arctan sqrt(x). Its median is 1.8 dB, or 0 dB; its mean is infinite, since a random
    constant may vanish. Sums over many channels approach the same distribution.
    """
    below = np.asarray(probability, dtype=np.float64)
    if 2 * line == stride:
        return 20 * np.log10(np.tan(np.pi * below / 2))
    return 10 * np.log10(((1 - below) ** -2 - 1) / 2)


def _triangle(stride: int) -> Floats:
    return 1 - np.abs(np.arange(1 - stride, stride)) / stride


# Taps [count] of fixed interpolators at gain `stride`.
INTERPOLATORS: dict[str, Callable[[int], Floats]] = {
    "nearest": np.ones,
    "linear (triangle)": _triangle,
    "linear (half_pixel)": lambda s: np.convolve(_triangle(s), [1.0] if s % 2 else [0.5, 0.5]),
    "kaiser_sinc": kaiser_sinc_taps,
    "sinc (zeros 8)": lambda stride: hann_sinc_taps(stride, 8),
    "sinc (zeros 24)": lambda stride: hann_sinc_taps(stride, 24),
    "sinc (zeros 56)": lambda stride: hann_sinc_taps(stride, 56),
}
