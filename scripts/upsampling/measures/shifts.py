"""Shift equivariance: does shifting the input shift the output?

A model of total stride S (the product of its layers' strides) commutes with shifts by multiples of
S, apart from its borders and from layers that remember them, such as a recurrent one. Shifts by
less put the sound elsewhere on the grid of its strided layers, and its output changes with it.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from upsampling.measures.from_waveform import RANGE_DB, Measurement
from upsampling.models.base import AudioModel
from upsampling.probes.model_output import channels_of


def shift_error(early: NDArray[Any], late: NDArray[Any], shift: int) -> float:
    """Energy in dB of f(shifted x) - shifted f(x), relative to that of f(x); both [..., time].

    `late` is the output for a window of the sound that starts `shift` samples later than that of
    `early`. They are compared in the central half of the part that they share, away from the
    borders. Between -`RANGE_DB`, for equal outputs and for silence, and `RANGE_DB`.
    """
    ahead = np.asarray(early[..., shift:], dtype=np.float64)
    behind = np.asarray(late[..., : late.shape[-1] - shift], dtype=np.float64)
    time = ahead.shape[-1]
    middle = slice(time // 4, time - time // 4)
    error = float(np.sum((ahead - behind)[..., middle] ** 2))
    total = float(np.sum(ahead[..., middle] ** 2))
    limit = 10 ** (RANGE_DB / 10)
    return 10 * float(np.log10(np.clip(error / total if total else 0.0, 1 / limit, limit)))


def shifted_noise(model: AudioModel, seconds: float, seed: int) -> Tensor:
    """Windows [3, channels, samples] of white noise for `model`, each `shifts` samples later."""
    period = model.total_stride
    samples = max(round(seconds * model.samplerate), 4 * period)
    length = model.input_length(-(-samples // period) * period)
    noise = channels_of(
        "white_noise", length + period, model.samplerate, seed, model.audio_channels
    )
    return torch.stack([noise[:, start : start + length] for start in shifts(model)])


def shifts(model: AudioModel) -> tuple[int, int, int]:
    """Delays in samples of the windows of `shifted_noise`."""
    return 0, 1, model.total_stride


def shift_measurements(model: AudioModel, outputs: NDArray[Any]) -> list[Measurement]:
    """Measurements, in dB, from the outputs [3, ..., time] for `shifted_noise`.

    `shift_error_sample` shows the grid of strided layers; `shift_error_stride` would be -`RANGE_DB`
    but for borders, and says how much of the other they explain.
    """
    names = ("shift_error_sample", "shift_error_stride")
    errors = [
        shift_error(outputs[0], late, shift)
        for late, shift in zip(outputs[1:], shifts(model)[1:], strict=True)
    ]
    return [
        Measurement(measure=name, frequency_hz=None, value=error, unit="dB")
        for name, error in zip(names, errors, strict=True)
    ]


def measure_shifts(model: AudioModel, seconds: float, seed: int) -> list[Measurement]:
    """Shift errors of `model` on white noise by one sample and by its total stride, in dB."""
    outputs = model.respond(shifted_noise(model, seconds, seed)).numpy()
    return shift_measurements(model, outputs)
