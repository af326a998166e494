"""Levels of the tones of a constant, from a kernel's polyphase sums (see `closed_forms`)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from upsampling.decibels import amplitude_to_db
from upsampling.theory.closed_forms import comb_spectrum, polyphase_sums

Floats = NDArray[np.floating[Any]]

FLOOR_DB = -300.0


def comb_levels(kernel: ArrayLike, stride: int) -> Floats:
    """Levels in dB [..., stride - 1] of the tones at k / `stride`, re the constant in the output.

    `FLOOR_DB` where there is none.
    """
    spectrum = comb_spectrum(polyphase_sums(kernel, stride))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = spectrum[..., 1:] / spectrum[..., :1]
    return amplitude_to_db(np.nan_to_num(ratio, nan=0.0, posinf=np.inf), FLOOR_DB)


def expected_comb_power(kernel_size: int, stride: int) -> Floats:
    """E|P[k]|^2 [stride] for independent taps of zero mean and unit variance.

    The covariance of the polyphase sums is diagonal, with the number of taps of each phase, and
    E|P[k]|^2 is its quadratic form with the k-th Fourier vector.
    """
    counts = polyphase_sums(np.ones(kernel_size), stride)
    fourier = np.fft.fft(np.eye(stride))
    return np.einsum("kj,j,kj->k", fourier, counts, fourier.conj()).real
