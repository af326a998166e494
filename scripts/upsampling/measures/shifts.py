"""Shift equivariance: does shifting the input shift the output?

A model of total stride S (the product of its layers' strides) commutes with shifts by multiples of
S, apart from its borders and from recurrent layers, which carry their effect inwards. Other shifts
move the sound on the grid of the strided layers, and the output changes.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from upsampling.decibels import RANGE_DB, ratio_to_db
from upsampling.measures.from_waveform import Measurement
from upsampling.models.base import AudioModel
from upsampling.probes.model_output import multichannel_signal


def shift_error(early: NDArray[Any], late: NDArray[Any], shift: int) -> float:
    """Energy in dB of f(shifted x) - shifted f(x), relative to that of f(x); both [..., time].

    `late` is the output for a window of the sound that starts `shift` samples later than that of
    `early`. They are compared in the central half of their overlap, away from the borders. Between
    -`RANGE_DB`, for equal outputs and for silence, and `RANGE_DB`.
    """
    shifted = np.asarray(early[..., shift:], dtype=np.float64)
    output = np.asarray(late[..., : late.shape[-1] - shift], dtype=np.float64)
    time = shifted.shape[-1]
    middle = slice(time // 4, time - time // 4)
    error = float(np.sum((shifted - output)[..., middle] ** 2))
    return ratio_to_db(error, float(np.sum(shifted[..., middle] ** 2)), of_zeros=-RANGE_DB)


def shifted_noise(model: AudioModel, seconds: float, seed: int) -> Tensor:
    """Windows [3, channels, samples] of white noise for `model`, delayed by `shifts`."""
    period = model.total_stride
    samples = max(round(seconds * model.samplerate), 4 * period)
    length = model.input_length(-(-samples // period) * period)
    noise = multichannel_signal(
        "white_noise", length + period, model.samplerate, seed, model.audio_channels
    )
    return torch.stack([noise[:, start : start + length] for start in shifts(model)])


def shifts(model: AudioModel) -> tuple[int, int, int]:
    """Delays in samples of the windows of `shifted_noise`."""
    return 0, 1, model.total_stride


def shift_measurements(model: AudioModel, outputs: NDArray[Any]) -> list[Measurement]:
    """Measurements, in dB, from the outputs [3, ..., time] for `shifted_noise`.

    `shift_error_sample` shows the grid of strided layers; `shift_error_stride` is -`RANGE_DB` but
    for the effect of borders, which is also a part of the other.
    """
    names = ("shift_error_sample", "shift_error_stride")
    return [
        Measurement(
            measure=name, frequency_hz=None, value=shift_error(outputs[0], *late), unit="dB"
        )
        for name, *late in zip(names, outputs[1:], shifts(model)[1:], strict=True)
    ]


def measure_shifts(model: AudioModel, seconds: float, seed: int) -> list[Measurement]:
    """Measure shift errors of `model` in dB for white noise, by one sample and by its stride."""
    outputs = model.process(shifted_noise(model, seconds, seed)).numpy()
    return shift_measurements(model, outputs)
