"""Frequency responses of interpolators in closed form, and a summary of each in a few numbers.

Zero insertion by s and filter taps h of gain s turn white noise into a spectrum |H(f)|^2, f in
cycles per output sample. The old Nyquist frequency is 0.5 / s; the spectrum above it is images.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from comb_levels import FLOOR_DB, comb_levels
from numpy.typing import ArrayLike, NDArray

from upsampling.decibels import amplitude_to_db
from upsampling.theory.closed_forms import INTERPOLATORS

Floats = NDArray[np.floating[Any]]

# In old Nyquist frequencies: of the droop, and from where on images count as the stop band's.
DROOP_FREQUENCIES = (0.5, 0.9, 1.0)
STOP_BAND = 1.25
GRID = 1 << 15


def dirichlet(frequencies: ArrayLike, stride: int) -> Floats:
    """sin(pi s f) / (s sin(pi f)): a box of `stride` samples with unit gain."""
    f = np.asarray(frequencies, dtype=np.float64)
    # The limit at multiples of the sampling rate is the cosine's sign, +1 or -1.
    sine = np.sin(np.pi * f)
    whole = np.abs(sine) < 1e-12
    ratio = np.sin(np.pi * stride * f) / np.where(whole, 1.0, stride * sine)
    return np.where(whole, np.cos(np.pi * np.round(f) * (stride - 1)), ratio)


def nearest(frequencies: ArrayLike, stride: int) -> Floats:
    """|H| / s of nearest neighbor interpolation, a sampled sinc (Sec. 3)."""
    return np.abs(dirichlet(frequencies, stride))


def triangle(frequencies: ArrayLike, stride: int) -> Floats:
    """|H| / s of linear interpolation by a triangle, two boxes in a row: a sampled sinc^2."""
    return dirichlet(frequencies, stride) ** 2


def half_pixel(frequencies: ArrayLike, stride: int) -> Floats:
    """|H| / s of linear interpolation between sample centers.

    For odd strides it is the triangle. For even ones the samples of the triangle lie halfway: the
    mean of two neighbors, a further cos(pi f); at stride 2 a cos^3 in all.
    """
    f = np.asarray(frequencies, dtype=np.float64)
    return triangle(f, stride) * (1 if stride % 2 else np.abs(np.cos(np.pi * f)))


def align_corners(frequencies: ArrayLike, stride: int) -> Floats:
    """Gain at the input's own frequency of interpolation from corner to corner, long signals.

    The output positions drift through all fractions of an input sample, as if the continuous
    interpolation, a sinc^2 of the input's frequency s f, were sampled: there is no fixed filter,
    and images lie off the multiples of the input rate.
    """
    return np.sinc(stride * np.asarray(frequencies, dtype=np.float64)) ** 2


def of_taps(taps: ArrayLike, frequencies: ArrayLike) -> Floats:
    """|H(f)| / H(0) of filter taps [count] at `frequencies` in cycles per output sample."""
    taps = np.asarray(taps, dtype=np.float64)
    f = np.atleast_1d(np.asarray(frequencies, dtype=np.float64))
    waves = np.exp(-2j * np.pi * np.outer(f, np.arange(len(taps))))
    return np.abs(waves @ taps) / abs(taps.sum())


def band_energy(taps: ArrayLike, edge: float) -> float:
    """Integral of |H(f)|^2 over |f| < `edge`, in closed form.

    It is the sum over all lags n of r[n] sin(2 pi edge n) / (pi n), r the autocorrelation of the
    taps; over all frequencies, up to 0.5, it is r[0] (Parseval).
    """
    taps = np.asarray(taps, dtype=np.float64)
    correlation = np.correlate(taps, taps, mode="full")
    lags = np.arange(1 - len(taps), len(taps))
    return float(np.sum(correlation * 2 * edge * np.sinc(2 * edge * lags)))


@dataclass(frozen=True)
class InterpolatorSummary:
    """Gains of a fixed interpolator; all but `taps`, their number, in dB.

    `droop` at 0.5, 0.9 and 1.0 of the old Nyquist frequency; `worst_image` is the largest gain from
    1.25 of it on; `image_to_base` the energy above it over that below it for white noise; `tone`
    the loudest tone of a constant.
    """

    taps: int
    droop: tuple[float, ...]
    worst_image: float
    image_to_base: float
    tone: float


def summarize(name: str, stride: int) -> InterpolatorSummary:
    """Summarize the interpolator `name` of `INTERPOLATORS` at `stride` from its taps."""
    taps = INTERPOLATORS[name](stride)
    nyquist = 0.5 / stride
    droop = amplitude_to_db(of_taps(taps, np.array(DROOP_FREQUENCIES) * nyquist), FLOOR_DB)
    images = of_taps(taps, np.linspace(STOP_BAND * nyquist, 0.5, GRID // stride))
    base, total = band_energy(taps, nyquist), float(np.sum(taps**2))
    return InterpolatorSummary(
        taps=len(taps),
        droop=tuple(float(value) for value in droop),
        worst_image=float(amplitude_to_db(images.max(), FLOOR_DB)),
        image_to_base=10 * float(np.log10((total - base) / base)),
        tone=float(comb_levels(taps, stride).max()),
    )
