"""Shift equivariance: does a model make the same of a sound, however late it comes?

A model of total stride S (the product of its layers' strides) commutes with shifts by multiples of
S, apart from its borders and from what remembers them, such as a recurrent layer. Shifts by less
put the sound elsewhere on the grid of its strided layers, and its output changes with it.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from upsampling.probes.artifacts import RANGE_DB, Record
from upsampling.probes.responses import input_length, respond, stereo
from upsampling.settings import MelganSettings


def shift_error(early: NDArray[Any], late: NDArray[Any], shift: int) -> float:
    """Energy in dB of f(shifted x) - shifted f(x), relative to that of f(x); both [..., time].

    `late` is the response to a window of the sound that begins `shift` samples later than that of
    `early`. They are compared in the central half of what they share, away from the borders.
    Between -`RANGE_DB`, for equal outputs and for silence, and `RANGE_DB`.
    """
    ahead = np.asarray(early[..., shift:], dtype=np.float64)
    behind = np.asarray(late[..., : late.shape[-1] - shift], dtype=np.float64)
    time = ahead.shape[-1]
    middle = slice(time // 4, time - time // 4)
    error = float(np.sum((ahead - behind)[..., middle] ** 2))
    whole = float(np.sum(ahead[..., middle] ** 2))
    limit = 10 ** (RANGE_DB / 10)
    return 10 * float(np.log10(np.clip(error / whole if whole else 0.0, 1 / limit, limit)))


def total_stride(model: nn.Module) -> int:
    """The product of the strides of `model`'s upsampling layers."""
    settings = model.settings
    if isinstance(settings, MelganSettings):
        return int(np.prod(settings.ratios))
    return settings.stride**settings.depth  # type: ignore[union-attr, operator, return-value, arg-type]


def shifted_noise(model: nn.Module, seconds: float, seed: int) -> Tensor:
    """Windows [3, channels, samples] of white noise for `model`, `shifts` samples later each."""
    period = shifts(model)[-1]
    samplerate: int = model.settings.samplerate  # type: ignore[union-attr, assignment]
    samples = max(round(seconds * samplerate), 4 * period)
    length = input_length(model, -(-samples // period) * period)
    noise = stereo("white_noise", length + period, samplerate, seed)
    return torch.stack([noise[:, start : start + length] for start in shifts(model)])


def shifts(model: nn.Module) -> tuple[int, int, int]:
    """By how many samples the windows of `shifted_noise` are late."""
    return 0, 1, total_stride(model)


def shift_records(model: nn.Module, outputs: NDArray[Any]) -> list[Record]:
    """Records of the responses [3, ..., time] to `shifted_noise`, in dB.

    `shift_error_sample` is what the grid of strided layers does; `shift_error_stride` would be
    -`RANGE_DB` but for borders, and says how much of the other they explain.
    """
    names = ("shift_error_sample", "shift_error_stride")
    errors = [
        shift_error(outputs[0], late, shift)
        for late, shift in zip(outputs[1:], shifts(model)[1:], strict=True)
    ]
    return [
        Record(measure=name, frequency_hz=None, value=error, unit="dB")
        for name, error in zip(names, errors, strict=True)
    ]


def measure_shifts(model: nn.Module, seconds: float, seed: int) -> list[Record]:
    """Shift errors of `model` on white noise by one sample and by its total stride, in dB."""
    outputs = respond(model, shifted_noise(model, seconds, seed)).numpy()
    return shift_records(model, outputs)
