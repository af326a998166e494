"""Shift equivariance: no error for multiples of the total stride, a planted error otherwise."""

import dataclasses

import numpy as np
import pytest
import torch

from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.decibels import RANGE_DB
from upsampling.measures.shifts import (
    measure_shifts,
    shift_error,
    shift_measurements,
    shifted_noise,
    shifts,
)
from upsampling.models import build
from upsampling.probes.model_output import multichannel_signal

SMALL = DemucsLikeSettings(channels=4, depth=3, bottleneck="none")
# Spread of the energy of some 2000 random samples.
NOISE_DB = 0.5


def test_shift_error_of_known_signals() -> None:
    rng = np.random.default_rng(0)
    sound = rng.normal(size=5000)
    early, late = sound[:4000], sound[7:4007]
    assert shift_error(early, late, 7) == -RANGE_DB
    noisy = late + 0.1 * rng.normal(size=4000)
    assert shift_error(early, noisy, 7) == pytest.approx(-20, abs=NOISE_DB)
    # Independent outputs of equal power: their difference has twice the energy.
    assert shift_error(early, rng.normal(size=4000), 7) == pytest.approx(3.01, abs=NOISE_DB)
    assert shift_error(np.zeros(4000), np.zeros(4000), 7) == -RANGE_DB
    assert shift_error(np.zeros(4000), late, 7) == RANGE_DB


def test_windows_are_delayed_by_one_sample_and_by_the_total_stride() -> None:
    model = build(SMALL)
    assert shifts(model) == (0, 1, 64)
    windows = shifted_noise(model, 0.1, 3)
    assert windows.shape[:2] == (3, 2)
    assert torch.equal(windows[1, :, :-1], windows[0, :, 1:])
    assert torch.equal(windows[2, :, :-64], windows[0, :, 64:])
    # At least 0.1 s, 4410 samples, in whole periods of 64.
    assert model.process(windows).shape[-1] >= 4416


@pytest.mark.parametrize("operator", ["transposed", "subpixel", "nearest", "linear"])
@pytest.mark.parametrize("periods", [1, 2])
def test_no_error_for_multiples_of_the_total_stride(operator: str, periods: int) -> None:
    model = build(dataclasses.replace(SMALL, operator=operator)).double()
    assert model.total_stride == 64
    shift = periods * 64
    length = model.input_length(8000)
    noise = multichannel_signal("white_noise", length + shift, 44100, 0, 2)
    outputs = model.process(torch.stack([noise[:, :length], noise[:, shift:]])).numpy()
    assert shift_error(outputs[0], outputs[1], shift) == -RANGE_DB


@pytest.mark.parametrize("operator", ["transposed", "nearest"])
def test_other_shifts_do_not_commute(operator: str) -> None:
    model = build(dataclasses.replace(SMALL, operator=operator)).double()
    errors = {m["measure"]: m["value"] for m in measure_shifts(model, 0.3, 0)}
    assert errors["shift_error_stride"] == -RANGE_DB
    assert errors["shift_error_sample"] > -40


def test_measurements_are_the_errors_of_both_shifts() -> None:
    sound = np.random.default_rng(1).normal(size=3000)
    outputs = np.stack([sound[:2000], sound[1:2001], np.zeros(2000)])
    sample, stride = shift_measurements(build(SMALL), outputs)
    assert (sample["measure"], sample["value"]) == ("shift_error_sample", -RANGE_DB)
    assert (stride["measure"], stride["value"]) == ("shift_error_stride", pytest.approx(0))
    assert (sample["unit"], sample["frequency_hz"]) == ("dB", None)


def test_melgan_commutes_with_shifts_by_its_hop() -> None:
    model = build(MelganSettings(channels=2)).double()
    # Weights of N(0, 0.02) attenuate the input to less than the last bias.
    for module in model.modules():
        if isinstance(module, torch.nn.Conv1d | torch.nn.ConvTranspose1d):
            module.parametrizations.weight.original0.data *= 8
    assert model.total_stride == 256
    errors = {m["measure"]: m["value"] for m in measure_shifts(model, 1.0, 0)}
    assert errors["shift_error_stride"] < -80
    assert errors["shift_error_sample"] > errors["shift_error_stride"] + 20


@pytest.mark.parametrize(
    ("place", "counts"), [(999, False), (1000, True), (2999, True), (3000, False)]
)
def test_the_central_half_of_the_overlap_is_compared(place: int, counts: bool) -> None:
    sound = np.random.default_rng(2).normal(size=4007)
    late = sound[7:4007].copy()
    # The overlap of windows of 4007 and 4000 samples at a shift of 7: 4000.
    early, late = sound, np.append(late, np.zeros(7))
    late[place] += 1
    error = shift_error(early, late, 7)
    energy = np.sum(sound[1007:3007] ** 2)
    assert error == (pytest.approx(-10 * np.log10(energy)) if counts else -RANGE_DB)


def test_windows_are_at_least_four_periods() -> None:
    model = build(SMALL)
    assert shifted_noise(model, 0.001, 3).shape[-1] == model.input_length(4 * 64)
    assert model.input_length(4 * 64) < model.input_length(5 * 64)
    assert (
        shifted_noise(model, 0.001, 3).shape[-1] == shifted_noise(model, 256 / 44100, 3).shape[-1]
    )
    longer = shifted_noise(model, 257 / 44100, 3).shape[-1]
    assert longer == model.input_length(5 * 64)


def test_an_output_for_each_shift_is_needed() -> None:
    with pytest.raises(ValueError, match="zip"):
        shift_measurements(build(SMALL), np.zeros((2, 2000)))
