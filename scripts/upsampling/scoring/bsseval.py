"""BSSEval version 4 on frames of one second: two engines that agree, one of them fast.

museval matches each estimate with 512-tap filters of the references and splits the error into
spatial, interference and artifact parts. With s the reference, P the filtered reference of the
same source and Q the projection on all references, these parts are P - s, Q - P and e - Q for an
estimate e: they telescope to e - s whatever the filters, so per frame

    SDR = 10 log10( sum_{n,c} s[n,c]^2 / sum_{n,c} (e[n,c] - s[n,c])^2 )

with both channels summed before the ratio, no scaling and no permutation. Engine "exact"
evaluates this; it gives SDR alone. Engine "museval" runs museval and gives SDR, ISR, SIR and SAR.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from upsampling.settings import UserError, nearest_match

BLOCK_FRAMES = 4


class NotScorable(Exception):
    """Audio that BSSEval defines no score for; the message is a note for the reader of scores."""


def evaluate(
    references: np.ndarray,
    estimates: np.ndarray,
    samplerate: int,
    engine: str = "exact",
    *,
    where: str = "evaluation",
    names: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Score `estimates` against `references`, both `[sources, samples, channels]`, in dB.

    Returns one array `[sources, frames]` per metric. Frames last one second without overlap; a
    rest of less than a second is dropped, but a track shorter than a second is one frame.
    Estimates are cut or padded with zeros to the length of the references. A frame in which any
    reference or estimate is silent (its channels sum to zero at every sample) is NaN for all
    sources; a perfect estimate scores inf, or some 300 dB where
    museval is left with its own rounding error.

    Raises `NotScorable` when a reference or estimate is silent throughout, and `UserError` that
    begins with `where` for an unknown engine, arrays that do not match, or samples that are not
    finite. `names` are the sources' names for these messages.
    """
    if engine not in ENGINES:
        raise UserError(
            f"{where}: unknown engine '{engine}'{nearest_match(engine, ENGINES)}; "
            f"choose from {', '.join(ENGINES)}"
        )
    references, estimates = np.atleast_3d(references), np.atleast_3d(estimates)
    estimates = fit_length(estimates, references.shape[1])
    if references.shape != estimates.shape or not references.size:
        raise UserError(
            f"{where}: references {list(references.shape)} and estimates {list(estimates.shape)} "
            "do not match in [sources, samples, channels], or are empty"
        )
    names = names or [f"source {index}" for index in range(len(references))]
    silent = np.zeros((len(references), frame_count(references, samplerate)), dtype=bool)
    for role, signals in (("reference", references), ("estimate", estimates)):
        frames, throughout = silent_frames(signals, samplerate, f"{where}: the {role}", names)
        if throughout.any():
            which = ", ".join(name for name, bad in zip(names, throughout, strict=True) if bad)
            raise NotScorable(f"the {role} is silent throughout for {which}: BSSEval is undefined")
        silent |= frames
    return ENGINES[engine](references, estimates, samplerate, silent.any(axis=0))


def fit_length(signals: np.ndarray, samples: int) -> np.ndarray:
    """Cut or zero-pad `[sources, time, channels]` to `samples`."""
    missing = samples - signals.shape[1]
    return np.pad(signals, ((0, 0), (0, missing), (0, 0))) if missing > 0 else signals[:, :samples]


def frame_count(signals: np.ndarray, samplerate: int) -> int:
    """Number of frames of `[sources, samples, channels]`: whole seconds, at least one."""
    return max(1, signals.shape[1] // samplerate)


def silent_frames(
    signals: np.ndarray, samplerate: int, what: str, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Find silence in `[sources, samples, channels]`, and refuse samples that are not finite.

    Returns booleans `[sources, frames]` and, including the dropped rest, `[sources]`.
    """
    count = frame_count(signals, samplerate)
    silent = np.ones((len(signals), count + 1), dtype=bool)
    for frame in range(count + 1):
        piece = signals[:, frame * samplerate : (frame + 1) * samplerate]
        finite = np.isfinite(piece).all(axis=(1, 2))
        if not finite.all():
            raise UserError(
                f"{what} of {names[int(np.argmin(finite))]} holds NaN or infinite samples at "
                f"{frame} s: the model or the audio is broken, so there is nothing to score"
            )
        # Added channel by channel: a sum over so short an axis is twenty times slower.
        total = functools.reduce(np.add, np.moveaxis(piece, 2, 0))
        silent[:, frame] = (total == 0).all(axis=1)
    return silent[:, :count], np.all(silent, axis=1)


def exact(
    references: np.ndarray, estimates: np.ndarray, samplerate: int, void: np.ndarray
) -> dict[str, np.ndarray]:
    """SDR alone, by the closed form above, in blocks of a few frames; `void` frames are NaN.

    ISR, SIR and SAR do depend on museval's filters and are not computed.
    """
    sources, samples, channels = references.shape
    length, count = min(samplerate, samples), len(void)
    sdr = np.empty((sources, count))
    for first in range(0, count, BLOCK_FRAMES):
        frames = slice(first, min(first + BLOCK_FRAMES, count))
        span = slice(frames.start * length, frames.stop * length)
        reference = references[:, span].astype(np.float64)
        error = estimates[:, span] - reference
        shape = (sources, -1, length, channels)
        signal_energy = np.square(reference, out=reference).reshape(shape).sum(axis=(2, 3))
        error_energy = np.square(error, out=error).reshape(shape).sum(axis=(2, 3))
        with np.errstate(divide="ignore", invalid="ignore"):
            sdr[:, frames] = 10 * np.log10(signal_energy / error_energy)
    sdr[:, void] = np.nan
    return {"SDR": sdr}


def with_museval(
    references: np.ndarray, estimates: np.ndarray, samplerate: int, void: np.ndarray
) -> dict[str, np.ndarray]:
    """All four metrics by `museval.evaluate`, BSSEval v4: 40 CPU seconds per minute of stereo.

    museval finds the `void` frames itself. When the references are linearly dependent to the
    last bit its least-squares fallback names `numpy.linalg.linalg`, which NumPy 2.4 removed: such
    a track is `NotScorable`. Ordinary dual-mono or doubled sources do not get there, as the
    rounding of its FFT makes them independent.
    """
    from upsampling.tracks.decoder import ensure_ffmpeg

    ensure_ffmpeg()
    import museval

    try:
        scores = museval.evaluate(references, estimates, win=samplerate, hop=samplerate)
    except AttributeError as error:
        if error.name != "linalg":
            raise
        raise NotScorable(
            "the references are linearly dependent, which museval cannot solve with NumPy 2.4 or "
            'newer: use the engine "exact"'
        ) from error
    return dict(zip(("SDR", "ISR", "SIR", "SAR"), scores, strict=True))


ENGINES: dict[str, Callable[..., dict[str, np.ndarray]]] = {
    "exact": exact,
    "museval": with_museval,
}
