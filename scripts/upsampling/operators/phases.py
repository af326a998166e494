"""The fixed maps behind a polyphase interpolation, and what each way to use them costs."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Interpolation = Callable[[Tensor, int], Tensor]

# What writing one number to memory costs, in multiply-adds: a CPU core whose vector units do
# about 45 multiply-adds per nanosecond copies about two numbers in that time.
MOVE = 25
# Largest work space of the order `taps`, in numbers (1 GiB in single precision).
WORK_SPACE = 2**28


@dataclass(frozen=True, eq=False)
class Phases:
    """The maps of one interpolation, stride and filter length; `polyphase` derives them.

    `taps` is B, `[length, stride, window]`, for m = -back .. window - 1 - back. `first` and `last`
    are the border corrections per filter tap, `[length, outputs]`, of the first and last outputs.
    """

    stride: int
    length: int
    back: int
    taps: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @property
    def window(self) -> int:
        """Low-rate samples that one block of `stride` outputs depends on."""
        return self.taps.shape[2]

    @property
    def corrected(self) -> bool:
        """Whether there is anything to correct at the borders."""
        return bool(self.first.size or self.last.size)


@functools.cache
def find_phases(interpolate: Interpolation, stride: int, length: int) -> Phases:
    """Read the maps off the responses of `interpolate` to the three impulses of length 3.

    The interpolation must be linear, shift-invariant but for its borders, and depend on direct
    neighbours only; at its borders, on the outermost sample only.
    """
    impulses = torch.eye(3, dtype=torch.float64, device="cpu").unsqueeze(1)
    response = interpolate(impulses, stride)[:, 0].numpy()
    outside = np.zeros(stride)
    centre = response[1]
    # Both on indices -stride .. 2 * stride - 1, relative to the block of the outermost sample.
    first = np.append(outside, response[0])[: 3 * stride] - centre
    last = np.append(response[2], outside)[stride:] - centre
    past, tap = (length - 1) // 2, np.arange(length)[:, None]
    reach = length // stride + 3
    blocks = np.arange(-reach, reach + 1)
    phase = np.arange(stride)[:, None]
    taps = _at(centre, phase - past + tap[..., None] - stride * blocks, stride)
    used = np.flatnonzero(taps.any(axis=(0, 1)))
    outputs = np.arange(2 * stride + length)
    head = _at(first, outputs - past + tap, stride)
    tail = _at(last, stride - 1 - outputs - past + tap, stride)
    return Phases(
        stride=stride,
        length=length,
        back=-int(blocks[used[0]]),
        taps=taps[:, :, used[0] : used[-1] + 1],
        first=_trimmed(head),
        last=_trimmed(tail)[:, ::-1],
    )


def _at(values: np.ndarray, index: np.ndarray, start: int) -> np.ndarray:
    """`values`, which begin at index -`start` and are 0 elsewhere, at `index`."""
    inside = (index >= -start) & (index < len(values) - start)
    return np.where(inside, values[np.clip(index + start, 0, len(values) - 1)], 0.0)


def _trimmed(columns: np.ndarray) -> np.ndarray:
    """`columns` without the zero columns at its end."""
    used = np.flatnonzero(columns.any(axis=0))
    return columns[:, : used[-1] + 1 if len(used) else 0]


@functools.cache
def as_tensor(phases: Phases, name: str, dtype: torch.dtype, device: torch.device) -> Tensor:
    """One of the maps as a tensor; `taps` as `[window * stride, length]`."""
    value = getattr(phases, name)
    if name == "taps":
        value = value.transpose(2, 1, 0).reshape(-1, phases.length)
    return torch.tensor(value.copy(), dtype=dtype, device=device)


def costs(phases: Phases, samples: int, in_channels: int, out_channels: int) -> dict[str, int]:
    """Cost of one training step of a layer, in multiply-adds, per way to compute it.

    `samples` is batch times low-rate time. A product with the weights is done three times: for
    the output, the gradient of the input and that of the weights. Each number written on the way
    counts as `MOVE` multiply-adds. Ways that would need more than `WORK_SPACE` are left out.
    It depends on shapes alone, so that equal runs compute equal results.
    """
    stride, length = phases.stride, phases.length
    products = stride * phases.window
    pairs = in_channels * out_channels
    found = {
        # The upsampled signal and its gradient are written.
        "plain": 3 * stride * length * pairs * samples + MOVE * 2 * stride * in_channels * samples,
        # The map and its adjoint, each result then reordered for the convolution; both signals
        # and both gradients change their layout once.
        "kernel": 3 * products * pairs * samples
        + (2 * length + 4 * MOVE) * products * pairs
        + MOVE * 2 * (in_channels + stride * out_channels) * samples,
        # The weights are transposed, their gradient back. Per output channel and sample, the
        # forward pass writes `length` taps, `products` of them with B, as many sums, and `stride`
        # outputs; the backward pass the same without the sums.
        "taps": 3 * length * pairs * samples
        + 2 * length * products * out_channels * samples
        + MOVE * (2 * length * pairs + 2 * in_channels * samples)
        + MOVE * (2 * length + 3 * products + 2 * stride) * out_channels * samples,
    }
    if (length + products) * out_channels * samples > WORK_SPACE:
        del found["taps"]
    return found
