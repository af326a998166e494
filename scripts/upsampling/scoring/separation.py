"""Separation of a whole track by a model that takes one segment at a time."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.errors import UserError

# Largest shift of randomized equivariant stabilization, as in Demucs.
LARGEST_SHIFT_SECONDS = 0.5


def triangle(samples: int) -> np.ndarray:
    """Cross-fade weight of one segment, `[samples]`, float64: a triangle without zeros.

    Divided by the sum over all segments that overlap at a sample, the weights sum to one.
    """
    ramp = np.arange(1, samples + 1)
    return np.minimum(ramp, ramp[::-1]) / math.ceil(samples / 2)


def cut(signal: Tensor, start: int, samples: int) -> Tensor:
    """Samples `start` to `start + samples` of `[channels, time]`, zeros beyond either end."""
    piece = signal.new_zeros(signal.shape[0], samples)
    first, last = max(start, 0), min(start + samples, signal.shape[-1])
    if first < last:
        piece[:, first - start : last - start] = signal[:, first:last]
    return piece


@torch.inference_mode()
def separate(
    model: nn.Module,
    mixture: np.ndarray,
    *,
    segment_seconds: float,
    overlap: float,
    batch_size: int = 1,
    samplerate: int,
    shifts: int = 0,
    seed: int = 0,
) -> np.ndarray:
    """Separate `mixture`, `[channels, samples]`, into float32 `[sources, channels, samples]`.

    With `shifts`, the result is the mean of that many passes. In each the track begins after 0 to
    0.5 s of silence, drawn from `seed`: randomized equivariant stabilization (the paper's
    footnote 4, after Défossez et al. 2019).

    The track is cut into segments of `segment_seconds`, and neighboring ones share the fraction
    `overlap` (0 to below 1). The model's input is a segment with its surroundings in the track, of
    the length `model.input_length`; the outputs are cross-faded with triangular weights, as in the
    published Demucs. Nothing is normalized. Beyond the result (and that of one pass), memory grows
    with the segment and `batch_size`, not with the track. Raises `UserError` for impossible
    settings.
    """
    if not 0 <= overlap < 1 or not segment_seconds > 0 or batch_size < 1 or shifts < 0:
        raise UserError(
            f"evaluation: segment_seconds {segment_seconds}, overlap {overlap}, batch_size "
            f"{batch_size}: choose a positive segment, an overlap in [0, 1), a batch of at least 1"
        )
    if mixture.shape[-1] == 0:
        raise UserError("a track without samples cannot be separated")
    signal = torch.from_numpy(np.ascontiguousarray(mixture, dtype=np.float32))
    segment = round(segment_seconds * samplerate)
    if not shifts:
        return one_pass(model, signal, segment, overlap, batch_size)
    largest = round(LARGEST_SHIFT_SECONDS * samplerate)
    mean = np.zeros(0, dtype=np.float32)
    for shift in np.random.default_rng(seed).integers(0, largest + 1, shifts).tolist():
        shifted = functional.pad(signal, (shift, 0))
        result = one_pass(model, shifted, segment, overlap, batch_size)[..., shift:]
        mean = mean + result if mean.size else result
    return mean / np.float32(shifts)


def one_pass(
    model: nn.Module, signal: Tensor, segment: int, overlap: float, batch_size: int
) -> np.ndarray:
    """Separate `signal`, `[channels, samples]`, in segments of `segment` samples."""
    samples = signal.shape[-1]
    segment = min(max(1, segment), samples)
    hop = max(1, round((1 - overlap) * segment))
    starts = range(0, hop * (1 + math.ceil((samples - segment) / hop)), hop)
    pieces = run_segments(model, signal, starts, segment, batch_size)

    # Float64: the rounding of weights then vanishes in the result, which is float32.
    weight = triangle(segment)
    total = np.zeros(segment)
    result = mixed = np.empty(0)
    for start, piece in zip(starts, pieces, strict=True):
        if not start:
            result = np.empty((*piece.shape[:2], samples), dtype=np.float32)
            mixed = np.zeros(piece.shape)
        mixed += weight * piece
        total += weight
        # No later segment reaches the first `hop` samples of this one.
        final = segment if start == starts[-1] else hop
        stop = min(start + final, samples)
        result[..., start:stop] = mixed[..., : stop - start] / total[: stop - start]
        for window in (mixed, total):
            window[..., : segment - hop] = window[..., hop:]
            window[..., segment - hop :] = 0
    return result


def run_segments(
    model: nn.Module, signal: Tensor, starts: range, segment: int, batch_size: int
) -> Iterator[np.ndarray]:
    """Yield the model's output for each segment of `signal`, `[sources, channels, segment]`.

    The model's output corresponds to the center of its input, so the input begins half of the
    surplus before the segment.
    """
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    length: int = model.input_length(segment)  # type: ignore[operator]
    lead = (length - segment) // 2
    for first in range(0, len(starts), batch_size):
        batch = [cut(signal, start - lead, length) for start in starts[first : first + batch_size]]
        outputs = model(torch.stack(batch).to(device))
        offset = lead - (length - outputs.shape[-1]) // 2
        if offset < 0 or outputs.shape[-1] < offset + segment:
            raise ValueError(f"{outputs.shape[-1]} samples of output, {segment} are needed")
        yield from outputs[..., offset : offset + segment].cpu().numpy()
