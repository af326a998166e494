"""Separation of a whole track by a model that takes one segment at a time."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from upsampling.errors import UserError
from upsampling.scoring.signals import SignalFile, TimeSlices

# `[..., samples]`; the second stays on the disk but for the piece in use.
Audio = np.ndarray | TimeSlices
# Largest shift of randomized equivariant stabilization, as in Demucs.
LARGEST_SHIFT_SECONDS = 0.5


def triangle(samples: int) -> np.ndarray:
    """Cross-fade weight of one segment, `[samples]`, float64: a triangle without zeros.

    Divided by the sum over all segments that overlap at a sample, the weights sum to one.
    """
    ramp = np.arange(1, samples + 1)
    return np.minimum(ramp, ramp[::-1]) / math.ceil(samples / 2)


def cut(mixture: Audio, start: int, samples: int) -> Tensor:
    """Samples `start` to `start + samples` of `[channels, time]`, zeros beyond either end."""
    piece = np.zeros((mixture.shape[0], samples), dtype=np.float32)
    first, last = max(start, 0), min(start + samples, mixture.shape[-1])
    if first < last:
        piece[:, first - start : last - start] = mixture[:, first:last]
    return torch.from_numpy(piece)


@torch.inference_mode()
def separate(
    model: nn.Module,
    mixture: Audio,
    *,
    out: np.ndarray | SignalFile | None = None,
    segment_seconds: float,
    overlap: float,
    batch_size: int = 1,
    samplerate: int,
    shifts: int = 0,
    seed: int = 0,
) -> np.ndarray | SignalFile:
    """Separate `mixture`, `[channels, samples]`, into float32 `[sources, channels, samples]`.

    The result is written to `out`, piece by piece, if that is given, and returned.

    With `shifts`, the result is the mean of that many passes. In each the track begins after 0 to
    0.5 s of silence, drawn from `seed`: randomized equivariant stabilization (the paper's
    footnote 4, after Défossez et al. 2019).

    The track is cut into segments of `segment_seconds`, and neighboring ones share the fraction
    `overlap` (0 to below 1). The model's input is a segment with its surroundings in the track, of
    the length `model.input_length`; the outputs are cross-faded with triangular weights, as in the
    published Demucs. Nothing is normalized. Beyond the result, memory grows with the segment and
    `batch_size`, not with the track. Impossible settings are a `UserError`.
    """
    if not 0 <= overlap < 1 or not segment_seconds > 0 or batch_size < 1 or shifts < 0:
        raise UserError(
            f"evaluation: segment_seconds {segment_seconds}, overlap {overlap}, batch_size "
            f"{batch_size}: choose a positive segment, an overlap in [0, 1), a batch of at least 1"
        )
    if mixture.shape[-1] == 0:
        raise UserError("a track without samples cannot be separated")
    largest = round(LARGEST_SHIFT_SECONDS * samplerate)
    drawn = np.random.default_rng(seed).integers(0, largest + 1, shifts).tolist() or [0]
    segment = round(segment_seconds * samplerate)
    for number, shift in enumerate(drawn, 1):
        for start, piece in one_pass(model, mixture, shift, segment, overlap, batch_size):
            if out is None:
                out = np.empty((*piece.shape[:2], mixture.shape[-1]), dtype=np.float32)
            span = slice(max(0, start - shift), start - shift + piece.shape[-1])
            if span.stop <= 0:
                continue
            piece = piece[..., span.start - (start - shift) :]
            if number > 1:
                piece = out[..., span] + piece
            out[..., span] = piece / np.float32(shifts) if shifts and number == shifts else piece
    assert out is not None
    return out


def one_pass(
    model: nn.Module, mixture: Audio, shift: int, segment: int, overlap: float, batch_size: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Separate `mixture` after `shift` zeros, in segments of `segment` samples.

    Yields the first sample of each finished piece, counted from the first zero, and the piece,
    float32 `[sources, channels, samples of it]`.
    """
    samples = mixture.shape[-1] + shift
    segment = min(max(1, segment), samples)
    hop = max(1, round((1 - overlap) * segment))
    starts = range(0, hop * (1 + math.ceil((samples - segment) / hop)), hop)
    pieces = run_segments(model, mixture, shift, starts, segment, batch_size)

    # Float64: the rounding of weights then vanishes in the result, which is float32.
    weight = triangle(segment)
    total = np.zeros(segment)
    mixed = np.empty(0)
    for start, piece in zip(starts, pieces, strict=True):
        if not start:
            mixed = np.zeros(piece.shape)
        mixed += weight * piece
        total += weight
        # No later segment reaches the first `hop` samples of this one.
        final = min(segment if start == starts[-1] else hop, samples - start)
        yield start, (mixed[..., :final] / total[:final]).astype(np.float32)
        for window in (mixed, total):
            window[..., : segment - hop] = window[..., hop:]
            window[..., segment - hop :] = 0


def run_segments(
    model: nn.Module, mixture: Audio, shift: int, starts: range, segment: int, batch_size: int
) -> Iterator[np.ndarray]:
    """Yield the model's output for each segment of `mixture`, `[sources, channels, segment]`.

    `starts` count from `shift` zeros before the mixture. The model's output corresponds to the
    center of its input, so the input begins half of the surplus before the segment.
    """
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    length: int = model.input_length(segment)  # type: ignore[operator]
    lead = (length - segment) // 2
    for first in range(0, len(starts), batch_size):
        batch = [
            cut(mixture, start - shift - lead, length)
            for start in starts[first : first + batch_size]
        ]
        outputs = model(torch.stack(batch).to(device))
        offset = lead - (length - outputs.shape[-1]) // 2
        if offset < 0 or outputs.shape[-1] < offset + segment:
            raise ValueError(f"{outputs.shape[-1]} samples of output, {segment} are needed")
        yield from outputs[..., offset : offset + segment].cpu().numpy()
