"""What an upsampler must do, in closed form: tones from its weights, responses from its taps.

Tones. Feed ones to a linear upsampler of stride s whose impulse response is w. Away from the
borders, output sample s t + j is the polyphase sum p[j] = sum over m of w[j + m s]: a signal of
period s. Its DFT P[k] = sum over j of p[j] exp(-2 pi i j k / s) is the constant P[0] and a comb of
tones at k / s of the output rate, k = 1 .. s - 1, whose level is |P[k]| / |P[0]|. There is no tone
if and only if all polyphase sums are equal. (Lines k and s - k are one real sine's two sides.)

Random weights (Sec. 2, issue i). For independent taps of zero mean and variance v, E|P[k]|^2 is the
sum over j of Var p[j], which is v times the number of taps, for every k, 0 included: the tones'
expected power is that of the constant, 0 dB, whatever the length, be overlap none, partial or full.

Responses. Zero insertion by s and filter taps h of gain s make of white noise a spectrum |H(f)|^2,
f in cycles per output sample. The old Nyquist frequency is 0.5 / s; what lies above is images.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from upsampling.operators.kaiser_sinc import kaiser_sinc_taps
from upsampling.operators.sinc import hann_sinc_taps

Floats = NDArray[np.floating[Any]]

DROOP_AT = (0.5, 0.9, 1.0)
# Where stop-band images begin, in old Nyquist frequencies; the transition band lies before.
STOP_BAND = 1.25
GRID = 1 << 15
FLOOR_DB = -300.0


def decibels(amplitude: ArrayLike) -> Any:
    """Return 20 log10(amplitude), at least `FLOOR_DB`; any shape."""
    return 20 * np.log10(np.maximum(amplitude, 10 ** (FLOOR_DB / 20)))


def polyphase_sums(kernel: ArrayLike, stride: int) -> Floats:
    """Sums p[j] of every `stride`-th tap from tap j on: [..., length] to [..., stride]."""
    taps = np.asarray(kernel, dtype=np.float64)
    missing = -taps.shape[-1] % stride
    padded = np.pad(taps, [(0, 0)] * (taps.ndim - 1) + [(0, missing)])
    return padded.reshape(*taps.shape[:-1], -1, stride).sum(axis=-2)


def comb_spectrum(sums: ArrayLike) -> Floats:
    """|P[k]| for k = 0 .. s - 1 of polyphase sums: [..., s] to the same shape."""
    return np.abs(np.fft.fft(np.asarray(sums, dtype=np.float64), axis=-1))


def comb_levels(kernel: ArrayLike, stride: int) -> Floats:
    """Levels in dB [..., stride - 1] of the tones at k / `stride`, re the constant in the output.

    `FLOOR_DB` where there is none.
    """
    spectrum = comb_spectrum(polyphase_sums(kernel, stride))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = spectrum[..., 1:] / spectrum[..., :1]
    return decibels(np.nan_to_num(ratio, nan=0.0, posinf=np.inf))


def expected_comb_power(length: int, stride: int) -> Floats:
    """E|P[k]|^2 [stride] for independent taps of zero mean and unit variance.

    The covariance of the polyphase sums is diagonal, with the number of taps of each phase, and
    E|P[k]|^2 is its quadratic form with the k-th Fourier vector.
    """
    counts = polyphase_sums(np.ones(length), stride)
    fourier = np.fft.fft(np.eye(stride))
    return np.einsum("kj,j,kj->k", fourier, counts, fourier.conj()).real


def random_level_quantile(probability: ArrayLike, line: int, stride: int) -> Any:
    """Quantile in dB of the level of tone `line` over many random kernels.

    For Gaussian taps with equally many in each phase (no or full overlap), P[0] is Gaussian, and
    P[k] complex Gaussian of the same power, real at half the rate: |P[k]|^2 / |P[0]|^2 has Fisher's
    F distribution with (2, 1), or (1, 1), degrees of freedom: 1 - 1 / sqrt(1 + 2 x), or
    2 / pi arctan sqrt(x). Its median is 1.8 dB, or 0 dB; its mean is infinite, since a random
    constant may vanish. Sums over many channels tend to this too.
    """
    below = np.asarray(probability, dtype=np.float64)
    if 2 * line == stride:
        return 20 * np.log10(np.tan(np.pi * below / 2))
    return 10 * np.log10(((1 - below) ** -2 - 1) / 2)


def dirichlet(frequencies: ArrayLike, stride: int) -> Floats:
    """sin(pi s f) / (s sin(pi f)): a box of `stride` samples with unit gain; f as in `response`."""
    f = np.asarray(frequencies, dtype=np.float64)
    # The limit at multiples of the sampling rate is the cosine's sign, +1 or -1.
    sine = np.sin(np.pi * f)
    whole = np.abs(sine) < 1e-12
    ratio = np.sin(np.pi * stride * f) / np.where(whole, 1.0, stride * sine)
    return np.where(whole, np.cos(np.pi * np.round(f) * (stride - 1)), ratio)


def nearest_response(frequencies: ArrayLike, stride: int) -> Floats:
    """|H| / s of nearest-neighbour interpolation, a sampled sinc (Sec. 3)."""
    return np.abs(dirichlet(frequencies, stride))


def triangle_response(frequencies: ArrayLike, stride: int) -> Floats:
    """|H| / s of linear interpolation by a triangle, two boxes in a row: a sampled sinc^2."""
    return dirichlet(frequencies, stride) ** 2


def half_pixel_response(frequencies: ArrayLike, stride: int) -> Floats:
    """|H| / s of linear interpolation between sample centres.

    For odd strides it is the triangle. For even ones the triangle's samples lie half-way: the mean
    of two neighbours, a further cos(pi f); at stride 2 a cos^3 in all.
    """
    f = np.asarray(frequencies, dtype=np.float64)
    return triangle_response(f, stride) * (1 if stride % 2 else np.abs(np.cos(np.pi * f)))


def align_corners_response(frequencies: ArrayLike, stride: int) -> Floats:
    """Gain at the input's own frequency of interpolation from corner to corner, long signals.

    The outputs' positions drift through all fractions of an input sample, as if the continuous
    interpolation, a sinc^2 of the input's frequency s f, were sampled: no response of a fixed
    filter exists, and images lie off the multiples of the input's rate.
    """
    return np.sinc(stride * np.asarray(frequencies, dtype=np.float64)) ** 2


def taps_response(taps: ArrayLike, frequencies: ArrayLike) -> Floats:
    """|H(f)| / H(0) of filter taps [count] at `frequencies` in cycles per output sample."""
    taps = np.asarray(taps, dtype=np.float64)
    f = np.atleast_1d(np.asarray(frequencies, dtype=np.float64))
    waves = np.exp(-2j * np.pi * np.outer(f, np.arange(len(taps))))
    return np.abs(waves @ taps) / abs(taps.sum())


def interpolator_taps(name: str, stride: int) -> Floats:
    """Taps [count] of a fixed interpolator at gain `stride`: a key of `INTERPOLATORS`."""
    return INTERPOLATORS[name](stride)


def _box(stride: int) -> Floats:
    return np.ones(stride)


def _triangle(stride: int) -> Floats:
    return 1 - np.abs(np.arange(1 - stride, stride)) / stride


def _half_pixel(stride: int) -> Floats:
    return _triangle(stride) if stride % 2 else np.convolve(_triangle(stride), [0.5, 0.5])


INTERPOLATORS: dict[str, Callable[[int], Floats]] = {
    "nearest": _box,
    "linear (triangle)": _triangle,
    "linear (half_pixel)": _half_pixel,
    "kaiser_sinc": kaiser_sinc_taps,
    "sinc (zeros 8)": lambda stride: hann_sinc_taps(stride, 8),
    "sinc (zeros 24)": lambda stride: hann_sinc_taps(stride, 24),
    "sinc (zeros 56)": lambda stride: hann_sinc_taps(stride, 56),
}


@dataclass(frozen=True)
class Response:
    """What a fixed interpolator does to spectra and to a constant; all but `taps` in dB.

    `droop` at 0.5, 0.9 and 1.0 of the old Nyquist frequency; `worst_image` is the largest gain from
    1.25 of it on; `image_to_base` the energy above it over that below it for white noise; `tone`
    the loudest tone of a constant.
    """

    taps: int
    droop: tuple[float, ...]
    worst_image: float
    image_to_base: float
    tone: float


def summarise(name: str, stride: int) -> Response:
    """Measure the interpolator `name` of `INTERPOLATORS` at `stride` by its taps."""
    taps = interpolator_taps(name, stride)
    nyquist = 0.5 / stride
    droop = decibels(taps_response(taps, np.array(DROOP_AT) * nyquist))
    images = taps_response(taps, np.linspace(STOP_BAND * nyquist, 0.5, GRID // stride))
    base, total = band_energy(taps, nyquist), float(np.sum(taps**2))
    return Response(
        taps=len(taps),
        droop=tuple(float(value) for value in droop),
        worst_image=float(decibels(images.max())),
        image_to_base=10 * float(np.log10((total - base) / base)),
        tone=float(comb_levels(taps, stride).max()),
    )


def band_energy(taps: ArrayLike, edge: float) -> float:
    """Integral of |H(f)|^2 over |f| < `edge`, in closed form.

    It is the sum over all lags n of r[n] sin(2 pi edge n) / (pi n) with the taps' autocorrelation
    r; over all frequencies, up to 0.5, it is r[0] (Parseval).
    """
    taps = np.asarray(taps, dtype=np.float64)
    correlation = np.correlate(taps, taps, mode="full")
    lags = np.arange(1 - len(taps), len(taps))
    return float(np.sum(correlation * 2 * edge * np.sinc(2 * edge * lags)))
