"""The parts of BSSEval's error, in bounded memory: what ISR, SIR and SAR are made of.

museval fits filters of 512 taps, once per track: with s the references and e an estimate of source
j, the projection P is what filters of s_j alone make of e, Q what filters of all s make of it, both
by least squares. In each frame the windowed references are filtered with them, and

    ISR = |s_j|^2 / |P - s_j|^2,    SIR = |P|^2 / |Q - P|^2,    SAR = |Q|^2 / |e - Q|^2

where |x|^2 sums the squares over channels and samples of the whole linear convolution.

What museval does once per pair of signals and per source is done here once: correlations are summed
over blocks instead of taken from one transform of the track; the normal equations of all references
are factored once, for all estimates; and energies are taken from spectra (Parseval), since nobody
looks at the filtered signals.
"""

import numpy as np
from scipy import fft, linalg

TAPS = 512
# A transform that fits a processor's cache, and is long against the filters.
BLOCK_TRANSFORM = 8192


def energy_ratios(
    references: np.ndarray,
    estimates: np.ndarray,
    length: int,
    void: np.ndarray,
    taps: int = TAPS,
) -> dict[str, np.ndarray]:
    """ISR, SIR and SAR of `[sources, samples, channels]`, each `[sources, frames]` in dB.

    Frames of `length` samples follow each other without overlap; those marked in `void`
    `[frames]` are NaN. Memory beyond the signals is that of the normal equations,
    8 (sources * channels * taps)^2 bytes, and does not grow with the track.
    """
    auto, cross = correlations(references, estimates, taps)
    own, joint = projection_filters(auto, cross, references.shape[2])
    transform = fft.next_fast_len(length + taps - 1, real=True)
    own, joint = fft.rfft(own, transform), fft.rfft(joint, transform)
    ratios = np.full((3, len(references), len(void)), np.nan)
    for frame in np.flatnonzero(~void):
        span = slice(frame * length, (frame + 1) * length)
        true = fft.rfft(channels_first(references[:, span]), transform)
        estimated = fft.rfft(channels_first(estimates[:, span]), transform)
        for source in range(len(references)):
            ratios[:, source, frame] = frame_ratios(
                true, estimated[source], source, own[source], joint[source], transform
            )
    return dict(zip(("ISR", "SIR", "SAR"), ratios, strict=True))


def channels_first(signals: np.ndarray) -> np.ndarray:
    """`[sources, samples, channels]` as float64 `[sources, channels, samples]`."""
    return np.ascontiguousarray(np.swapaxes(signals, 1, 2), dtype=np.float64)


def correlations(
    references: np.ndarray, estimates: np.ndarray, taps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Correlations `r[a, b, lag] = sum over n of a[n] b[n + lag]` for lags 0 to `taps` - 1.

    Returns them for all pairs of channels of the references, and of a reference with an estimate,
    both `[sources * channels, sources * channels, taps]`. A block of the first signal meets the
    second one's block and the `taps` - 1 samples after it, so that nothing wraps around.
    """
    sources, samples, channels = references.shape
    signals = sources * channels
    transform = max(BLOCK_TRANSFORM, fft.next_fast_len(4 * taps, real=True))
    block = transform - taps + 1
    total = np.zeros((signals, 2 * signals, transform // 2 + 1), dtype=np.complex128)
    product = np.empty_like(total[0])
    for start in range(0, samples, block):
        span = slice(start, start + block + taps - 1)
        pieces = [channels_first(x[:, span]).reshape(signals, -1) for x in (references, estimates)]
        first = fft.rfft(pieces[0][:, :block], transform).conj()
        second = fft.rfft(np.concatenate(pieces), transform)
        for a, spectrum in enumerate(first):
            np.multiply(spectrum, second, out=product)
            total[a] += product
    lags = fft.irfft(total, transform)[..., :taps]
    return lags[:, :signals], lags[:, signals:]


def projection_filters(
    auto: np.ndarray, cross: np.ndarray, channels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares filters from what `correlations` returns.

    Returns `own` `[sources, channels in, channels out, taps]`, from a source's reference to its
    estimate, and `joint` `[sources, all channels in, channels out, taps]`, from all references.
    """
    signals, _, taps = cross.shape
    right = np.swapaxes(cross, 1, 2).reshape(signals * taps, signals)
    joint = solve(auto, right).reshape(signals, taps, -1, channels).transpose(2, 0, 3, 1)
    own = []
    for first in range(0, signals, channels):
        source = slice(first, first + channels)
        right = np.swapaxes(cross[source, source], 1, 2).reshape(channels * taps, channels)
        filters = solve(auto[source, source], right)
        own.append(filters.reshape(channels, taps, channels).swapaxes(1, 2))
    return np.stack(own), joint


def solve(auto: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve the normal equations of the correlations `auto` for the columns of `right`.

    References that depend on each other linearly (a source given twice, one channel copied to
    both) have no unique filters but a unique projection. A Cholesky factorisation with pivoting
    then finds filters for an independent part of them, and the others get zeros.
    """
    try:
        factor = linalg.cho_factor(gram(auto), lower=True, overwrite_a=True, check_finite=False)
        return linalg.cho_solve(factor, right, check_finite=False)
    except linalg.LinAlgError:
        factor, pivots, rank, _ = linalg.lapack.dpstrf(gram(auto), lower=1, overwrite_a=1)
        chosen = pivots[:rank] - 1
        filters = np.zeros_like(right)
        filters[chosen] = linalg.cho_solve((factor[:rank, :rank], True), right[chosen])
        return filters


def gram(auto: np.ndarray) -> np.ndarray:
    """Inner products of all delayed references, `[signals * taps, signals * taps]`.

    Only the lower triangle is filled, in the column-major order that LAPACK wants. As in museval,
    the diagonal is raised by the rounding unit, so that a channel of zeros can be solved for.
    """
    signals, _, taps = auto.shape
    matrix = np.zeros((signals * taps, signals * taps), order="F")
    for a in range(signals):
        for b in range(a + 1):
            block = linalg.toeplitz(auto[a, b], auto[b, a])
            matrix[a * taps : (a + 1) * taps, b * taps : (b + 1) * taps] = block
    matrix[np.diag_indices_from(matrix)] += np.finfo(np.float64).eps
    return matrix


def frame_ratios(
    true: np.ndarray, estimated: np.ndarray, source: int, own: np.ndarray, joint: np.ndarray, n: int
) -> tuple[float, float, float]:
    """ISR, SIR and SAR (dB) of one source in one frame, from spectra of `n` samples.

    `true` is `[sources, channels, bins]`, `estimated` `[channels, bins]`, the filters are those of
    this source.
    """
    alone = filtered(own, true[source])
    together = filtered(joint, true.reshape(-1, true.shape[-1]))
    pairs = (
        (true[source], alone - true[source]),
        (alone, together - alone),
        (together, estimated - together),
    )
    isr, sir, sar = (decibels(energy(signal, n), energy(error, n)) for signal, error in pairs)
    return isr, sir, sar


def filtered(filters: np.ndarray, spectra: np.ndarray) -> np.ndarray:
    """Spectra `[channels in, bins]` through `filters` `[channels in, channels out, bins]`."""
    total = filters[0] * spectra[0]
    product = np.empty_like(total)
    for response, spectrum in zip(filters[1:], spectra[1:], strict=True):
        np.multiply(response, spectrum, out=product)
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
