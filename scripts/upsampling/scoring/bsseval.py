"""BSSEval version 4 on frames of one second: two engines with equal results, one of them fast.

museval matches each estimate with 512-tap filters of the references and splits the error into
spatial, interference and artifact parts. With s the reference, P the filtered reference of the
same source and Q the projection on all references, these parts are P - s, Q - P and e - Q for an
estimate e: they telescope to e - s whatever the filters, so per frame

    SDR = 10 log10( sum_{n,c} s[n,c]^2 / sum_{n,c} (e[n,c] - s[n,c])^2 )

with both channels summed before the ratio, no scaling and no permutation. Engine "exact"
evaluates this, and the other three metrics as `projections` describes; engine "museval" runs
museval.

If references are linearly dependent, or nearly so (a mono source in stereo), museval's ISR, SIR and
SAR have a rounding error of some 1e-5 dB: they change by that much when the order of the sources is
reversed. Engine "exact" stays within 1e-6 dB of the projection itself.
"""

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from upsampling.config.sections import METRICS
from upsampling.errors import UserError
from upsampling.scoring.signals import Frames

WHOLE_TRACK = "whole-track SDR"
# `[sources, samples, channels]`; the second stays on the disk but for the piece in use.
Signals = np.ndarray | Frames


class NotScorable(Exception):
    """Audio for which BSSEval defines no score; the message is a note for the reader of scores."""


def evaluate(
    references: Signals,
    estimates: Signals,
    samplerate: int,
    engine: str = "exact",
    *,
    metrics: Sequence[str] = METRICS,
    where: str = "evaluation",
    names: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Score `estimates` against `references`, both `[sources, samples, channels]`, in dB.

    Returns one array `[sources, frames]` per metric of `metrics`, and `WHOLE_TRACK`
    `[sources, 1]`: the SDR over all samples, silent ones included. Without ISR, SIR and SAR the
    exact engine is some thirty times faster. Frames last one second without overlap; a remainder of
    less than a second is dropped, but a track shorter than a second is one frame. Estimates are cut
    or padded with zeros to the length of the references. A frame in which any reference or estimate
    is silent (its channels sum to zero at every sample) is NaN for all sources. A perfect estimate
    scores inf, or some 300 dB by museval, which has a rounding error of its own.

    Raises `NotScorable` when a reference or estimate is silent throughout, and a `UserError` that
    begins with `where` for arrays that do not match or samples that are not finite. `names` are the
    sources' names for these messages.
    """
    if isinstance(references, np.ndarray):
        references = np.atleast_3d(references)
    if isinstance(estimates, np.ndarray):
        estimates = fit_length(np.atleast_3d(estimates), references.shape[1])
    if references.shape != estimates.shape or not math.prod(references.shape):
        raise UserError(
            f"{where}: references {list(references.shape)} and estimates {list(estimates.shape)} "
            "do not match in [sources, samples, channels], or are empty"
        )
    names = names or [f"source {index}" for index in range(len(references))]
    silent = np.zeros(frame_count(references, samplerate), dtype=bool)
    for role, signals in (("reference", references), ("estimate", estimates)):
        frames, throughout = silent_frames(signals, samplerate, f"{where}: the {role}", names)
        if throughout.any():
            listed = ", ".join(name for name, bad in zip(names, throughout, strict=True) if bad)
            raise NotScorable(f"the {role} is silent throughout for {listed}: BSSEval is undefined")
        silent |= frames
    energies = frame_energies(references, estimates, min(samplerate, references.shape[1]))
    scores = sdr(energies, silent)
    scores |= ENGINES[engine](references, estimates, samplerate, silent, metrics)
    ordered = [metric for metric in METRICS if metric in metrics]
    return {name: scores[name] for name in (*ordered, WHOLE_TRACK)}


def fit_length(signals: np.ndarray, samples: int) -> np.ndarray:
    """Cut or zero-pad `[sources, time, channels]` to `samples`."""
    missing = samples - signals.shape[1]
    return np.pad(signals, ((0, 0), (0, missing), (0, 0))) if missing > 0 else signals[:, :samples]


def frame_count(signals: Signals, samplerate: int) -> int:
    """Number of frames of `[sources, samples, channels]`: whole seconds, at least one."""
    return max(1, signals.shape[1] // samplerate)


def silent_frames(
    signals: Signals, samplerate: int, role: str, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Find silence in `[sources, samples, channels]`; `UserError` for samples that are not finite.

    Returns booleans: frames in which a source is silent, `[frames]`, and sources that are silent
    throughout, the dropped remainder included, `[sources]`.
    """
    count = frame_count(signals, samplerate)
    silent = np.ones((len(signals), count + 1), dtype=bool)
    for frame in range(count + 1):
        piece = signals[:, frame * samplerate : (frame + 1) * samplerate]
        finite = np.isfinite(piece).all(axis=(1, 2))
        if not finite.all():
            raise UserError(
                f"{role} of {names[int(np.argmin(finite))]} holds NaN or infinite samples at "
                f"{frame} s: the model or the audio is broken, so nothing can be scored"
            )
        # Added channel by channel: a sum over such a short axis is twenty times slower.
        total = functools.reduce(np.add, np.moveaxis(piece, 2, 0))
        silent[:, frame] = (total == 0).all(axis=1)
    return np.any(silent[:, :count], axis=0), np.all(silent, axis=1)


def exact(
    references: Signals,
    estimates: Signals,
    samplerate: int,
    silent: np.ndarray,
    metrics: Sequence[str],
) -> dict[str, np.ndarray]:
    """ISR, SIR and SAR if `metrics` has any of them; `silent` frames are NaN."""
    if not set(metrics) - {"SDR"}:
        return {}
    # Imported here, since SDR alone needs no SciPy.
    from upsampling.scoring.projections import energy_ratios

    return energy_ratios(references, estimates, min(samplerate, references.shape[1]), silent)


def frame_energies(references: Signals, estimates: Signals, length: int) -> np.ndarray:
    """Energies of reference and error in float64, `[2, sources, frames + 1]`.

    The last column holds the remainder after the last whole frame of `length` samples. One frame of
    one source at a time stays within a processor's cache.
    """
    sources, samples, _ = references.shape
    energies = np.empty((2, sources, samples // length + 1))
    for frame in range(energies.shape[2]):
        span = slice(frame * length, (frame + 1) * length)
        pieces = references[:, span], estimates[:, span]
        for source, (reference, estimate) in enumerate(zip(*pieces, strict=True)):
            reference = reference.astype(np.float64)
            error = estimate - reference
            for row, signal in zip(energies, (reference, error), strict=True):
                flat = signal.ravel(order="K")
                row[source, frame] = flat @ flat
    return energies


def sdr(energies: np.ndarray, silent: np.ndarray) -> dict[str, np.ndarray]:
    """SDR per frame and of the whole track, from the energies of `frame_energies`."""
    whole = energies.sum(axis=2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        frames, track = (10 * np.log10(signal / error) for signal, error in (energies, whole))
    return {"SDR": np.where(silent, np.nan, frames[:, : len(silent)]), WHOLE_TRACK: track}


def with_museval(
    references: Signals,
    estimates: Signals,
    samplerate: int,
    silent: np.ndarray,
    metrics: Sequence[str],
) -> dict[str, np.ndarray]:
    """All four metrics by `museval.evaluate`, BSSEval v4: 40 CPU seconds per minute of stereo.

    museval finds the `silent` frames itself, and always computes all metrics. If the references are
    linearly dependent to the last bit, its least-squares fallback uses `numpy.linalg.linalg`, which
    NumPy 2.4 removed: such a track is `NotScorable`. Ordinary dual-mono or doubled sources do not
    need the fallback, since the rounding of its FFT makes them independent.
    """
    from upsampling.tracks.decoder import ensure_ffmpeg

    ensure_ffmpeg()
    import museval

    try:
        scores = museval.evaluate(references[:], estimates[:], win=samplerate, hop=samplerate)
    except AttributeError as error:
        if error.name != "linalg":
            raise
        raise NotScorable(
            "the references are linearly dependent, which museval cannot solve with NumPy 2.4 or "
            'newer: use the engine "exact"'
        ) from error
    return dict(zip(METRICS, scores, strict=True))


ENGINES: dict[str, Callable[..., dict[str, np.ndarray]]] = {"exact": exact, "museval": with_museval}
