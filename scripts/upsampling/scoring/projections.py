"""ISR, SIR and SAR of BSSEval, the parts of its error, in bounded memory.

museval fits filters of 512 taps, once per track. With s the references and e an estimate of source
j, P is the least-squares projection of e on the delayed copies of s_j alone, and Q that on the
copies of all s. In each frame the windowed references are filtered accordingly, and

    ISR = |s_j|^2 / |P - s_j|^2,    SIR = |P|^2 / |Q - P|^2,    SAR = |Q|^2 / |e - Q|^2

where |x|^2 sums the squares over channels and samples of the whole linear convolution.

museval repeats its work for each pair of signals and each source; here it is done once.
Correlations are summed over blocks, not taken from one transform of the track. The normal equations
of all references are factored once, for all estimates. Energies come from spectra (Parseval),
without the filtered signals.
"""

import numpy as np
from scipy import fft, linalg

from upsampling.scoring.signals import Frames

FILTER_LENGTH = 512
# A transform that fits a processor's cache and is much longer than the filters.
BLOCK_TRANSFORM = 8192


def energy_ratios(
    references: np.ndarray | Frames,
    estimates: np.ndarray | Frames,
    length: int,
    silent: np.ndarray,
    filter_length: int = FILTER_LENGTH,
) -> dict[str, np.ndarray]:
    """ISR, SIR and SAR of `[sources, samples, channels]`, each `[sources, frames]` in dB.

    Frames of `length` samples follow each other without overlap; those marked in `silent`
    `[frames]` are NaN. Memory beyond the signals is that of the normal equations,
    8 (sources * channels * filter_length)^2 bytes, and does not grow with the track.
    """
    auto, cross = correlations(references, estimates, filter_length)
    single, joint = projection_filters(auto, cross, references.shape[2])
    transform = fft.next_fast_len(length + filter_length - 1, real=True)
    single, joint = fft.rfft(single, transform), fft.rfft(joint, transform)
    ratios = np.full((3, len(references), len(silent)), np.nan)
    for frame in np.flatnonzero(~silent):
        span = slice(frame * length, (frame + 1) * length)
        reference = fft.rfft(channels_first(references[:, span]), transform)
        estimate = fft.rfft(channels_first(estimates[:, span]), transform)
        everything = reference.reshape(-1, reference.shape[-1])
        for source, (s, e) in enumerate(zip(reference, estimate, strict=True)):
            p, q = filtered(single[source], s), filtered(joint[source], everything)
            ratios[:, source, frame] = [
                decibels(energy(signal, transform), energy(error, transform))
                for signal, error in ((s, p - s), (p, q - p), (q, e - q))
            ]
    return dict(zip(("ISR", "SIR", "SAR"), ratios, strict=True))


def channels_first(signals: np.ndarray) -> np.ndarray:
    """`[sources, samples, channels]` as float64 `[sources, channels, samples]`."""
    return np.ascontiguousarray(np.swapaxes(signals, 1, 2), dtype=np.float64)


def correlations(
    references: np.ndarray | Frames, estimates: np.ndarray | Frames, lags: int
) -> tuple[np.ndarray, np.ndarray]:
    """Correlations `r[a, b, lag] = sum over n of a[n] b[n + lag]` for lags 0 to `lags` - 1.

    Returns them for all pairs of channels of the references, and of a reference with an estimate,
    both `[sources * channels, sources * channels, lags]`. A block of the first signal is correlated
    with the second one's block and the `lags` - 1 samples after it, so nothing wraps around.
    """
    sources, samples, channels = references.shape
    signals = sources * channels
    transform = max(BLOCK_TRANSFORM, fft.next_fast_len(4 * lags, real=True))
    block = transform - lags + 1
    total = np.zeros((signals, 2 * signals, transform // 2 + 1), dtype=np.complex128)
    product = np.empty_like(total[0])
    for start in range(0, samples, block):
        span = slice(start, start + block + lags - 1)
        pieces = [channels_first(x[:, span]).reshape(signals, -1) for x in (references, estimates)]
        first = fft.rfft(pieces[0][:, :block], transform).conj()
        second = fft.rfft(np.concatenate(pieces), transform)
        for a, spectrum in enumerate(first):
            np.multiply(spectrum, second, out=product)
            total[a] += product
    correlation = fft.irfft(total, transform)[..., :lags]
    return correlation[:, :signals], correlation[:, signals:]


def projection_filters(
    auto: np.ndarray, cross: np.ndarray, channels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares filters from the correlations of `correlations`.

    Returns `single` `[sources, channels in, channels out, taps]`, from a source's own reference to
    its estimate, and `joint` `[sources, all channels in, channels out, taps]`, from all references.
    """
    signals, _, taps = cross.shape
    right = np.swapaxes(cross, 1, 2).reshape(signals * taps, signals)
    joint = solve(auto, right).reshape(signals, taps, -1, channels).transpose(2, 0, 3, 1)
    single = []
    for first in range(0, signals, channels):
        source = slice(first, first + channels)
        right = np.swapaxes(cross[source, source], 1, 2).reshape(channels * taps, channels)
        filters = solve(auto[source, source], right)
        single.append(filters.reshape(channels, taps, channels).swapaxes(1, 2))
    return np.stack(single), joint


def solve(auto: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve the normal equations of the correlations `auto` for the columns of `right`.

    Linearly dependent references (a source given twice, one channel copied to both) have a unique
    projection but no unique filters. A Cholesky factorization with pivoting then finds filters for
    an independent subset, and the filters of the others are zero.
    """
    try:
        factor = linalg.cho_factor(gram(auto), lower=True, overwrite_a=True, check_finite=False)
        return linalg.cho_solve(factor, right, check_finite=False)
    except linalg.LinAlgError:
        factor, pivots, rank, _ = linalg.lapack.dpstrf(gram(auto), lower=1, overwrite_a=1)
        independent = pivots[:rank] - 1
        filters = np.zeros_like(right)
        filters[independent] = linalg.cho_solve((factor[:rank, :rank], True), right[independent])
        return filters


def gram(auto: np.ndarray) -> np.ndarray:
    """Inner products of all delayed references, `[signals * taps, signals * taps]`.

    Only the lower triangle is filled, in the column-major order of LAPACK. As in museval, the
    diagonal is raised by the rounding unit, so that a channel of zeros has a solution.
    """
    signals, _, taps = auto.shape
    matrix = np.zeros((signals * taps, signals * taps), order="F")
    for a in range(signals):
        for b in range(a + 1):
            block = linalg.toeplitz(auto[a, b], auto[b, a])
            matrix[a * taps : (a + 1) * taps, b * taps : (b + 1) * taps] = block
    matrix[np.diag_indices_from(matrix)] += np.finfo(np.float64).eps
    return matrix


def filtered(filters: np.ndarray, spectra: np.ndarray) -> np.ndarray:
    """Spectra `[channels in, bins]` through `filters` `[channels in, channels out, bins]`."""
    total = filters[0] * spectra[0]
    product = np.empty_like(total)
    for gain, spectrum in zip(filters[1:], spectra[1:], strict=True):
        np.multiply(gain, spectrum, out=product)
        total += product
    return total


def energy(spectra: np.ndarray, n: int) -> float:
    """Sum of squares of the real signals of `n` samples behind one-sided `spectra` (Parseval)."""
    flat = spectra.view(np.float64).ravel()
    single = spectra[:, [0, -1]] if n % 2 == 0 else spectra[:, :1]
    return float(2 * (flat @ flat) - np.square(np.abs(single)).sum()) / n


def decibels(signal: float, error: float) -> float:
    """Ten times the decimal logarithm of a ratio of energies; inf for no error at all."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10 * np.log10(np.float64(signal) / error)) if error else np.inf
