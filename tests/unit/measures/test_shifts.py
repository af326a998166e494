"""Shift equivariance: zero for multiples of the total stride, and a planted error otherwise."""

import dataclasses

import numpy as np
import pytest
import torch

from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.measures.from_waveform import RANGE_DB
from upsampling.measures.shifts import measure_shifts, shift_error, total_stride
from upsampling.models import build
from upsampling.probes.model_output import input_length, respond, stereo

SMALL = DemucsLikeSettings(channels=4, depth=3, bottleneck="none")


def test_shift_error_of_known_signals() -> None:
    rng = np.random.default_rng(0)
    sound = rng.normal(size=5000)
    early, late = sound[:4000], sound[7:4007]
    assert shift_error(early, late, 7) == -RANGE_DB
    noisy = late + 0.1 * rng.normal(size=4000)
    assert shift_error(early, noisy, 7) == pytest.approx(-20, abs=0.5)
    # Independent outputs of equal power: their difference has twice the energy.
    assert shift_error(early, rng.normal(size=4000), 7) == pytest.approx(3.01, abs=0.3)
    assert shift_error(np.zeros(4000), np.zeros(4000), 7) == -RANGE_DB


@pytest.mark.parametrize("operator", ["transposed", "subpixel", "nearest", "linear"])
@pytest.mark.parametrize("periods", [1, 2])
def test_zero_for_multiples_of_the_total_stride(operator: str, periods: int) -> None:
    model = build(dataclasses.replace(SMALL, operator=operator)).double()
    shift = periods * total_stride(model)
    assert total_stride(model) == 64
    length = input_length(model, 8000)
    noise = stereo("white_noise", length + shift, 44100, 0)
    outputs = respond(model, torch.stack([noise[:, :length], noise[:, shift:]])).numpy()
    assert shift_error(outputs[0], outputs[1], shift) == -RANGE_DB


@pytest.mark.parametrize("operator", ["transposed", "nearest"])
def test_other_shifts_do_not_commute(operator: str) -> None:
    model = build(dataclasses.replace(SMALL, operator=operator)).double()
    errors = {r["measure"]: r["value"] for r in measure_shifts(model, 0.3, 0)}
    assert errors["shift_error_stride"] == -RANGE_DB
    assert errors["shift_error_sample"] > -40


def test_melgan_commutes_with_shifts_by_its_hop() -> None:
    model = build(MelganSettings(channels=2)).double()
    # Louder: from weights this small, hardly anything comes out but the last bias.
    for module in model.modules():
        if isinstance(module, torch.nn.Conv1d | torch.nn.ConvTranspose1d):
            module.parametrizations.weight.original0.data *= 8
    assert total_stride(model) == 256
    errors = {r["measure"]: r["value"] for r in measure_shifts(model, 1.0, 0)}
    assert errors["shift_error_stride"] < -80
    assert errors["shift_error_sample"] > errors["shift_error_stride"] + 20
