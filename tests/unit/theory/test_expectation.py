"""Expected measurements of random initialisations, against the mean over simulated ones."""

from pathlib import Path

import numpy as np
import pytest
import torch
from noted import assert_noted, described

from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.measures import from_weights
from upsampling.operators import build_operator
from upsampling.theory import expectation

NOTED = Path(__file__).with_name("noted")
STRIDE = 4
# `impulse_responses` aggregates over 32 x 48 pairs of channels: four deviations of each mean.
CHANNELS = 48
IMBALANCE_SHARE = 0.1
ENERGY_DB = {"image_to_base": 0.4, "droop": 0.8}
CASES = [
    *((name, {}) for name in ("transposed", "subpixel", "stretch", "lazy_wavelet")),
    *((name, {}) for name in ("nearest", "nearest_2s", "subpixel_icnr", "subpixel_zoh")),
    ("linear", {"definition": "half_pixel"}),
    ("linear", {"definition": "triangle"}),
    ("kaiser_sinc", {}),
    ("sinc", {"zeros": 8}),
]


def measured(operator: str, options: dict, seed: int) -> from_weights.ImpulseResponses:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layer = build_operator(operator, CHANNELS, CHANNELS, STRIDE, bias=False, options=options)
    return from_weights.impulse_responses(layer, STRIDE, CHANNELS)


@pytest.mark.parametrize(("operator", "options"), CASES)
def test_random_layers_scatter_around_the_expected_values(operator, options):
    responses = measured(operator, options, seed=0)
    values = {
        "polyphase_imbalance": from_weights.imbalance(responses.comb),
        "image_to_base": from_weights.image_to_base(responses.correlation, STRIDE),
        "droop": from_weights.droop(responses.correlation, STRIDE),
    }
    for measure, value in values.items():
        (expected,) = expectation.expected_values(measure, operator, options, STRIDE)
        if measure == "polyphase_imbalance":
            # Single precision of the fixed taps leaves -60 dB of a tone.
            assert value == pytest.approx(expected, rel=IMBALANCE_SHARE, abs=1e-3)
        else:
            assert value == pytest.approx(expected, abs=ENERGY_DB[measure])


def test_quantiles_of_the_tone_hold_their_share_of_random_layers():
    low, middle, high = expectation.expected_values("tone_to_constant", "transposed", {}, STRIDE)
    kernels = np.random.default_rng(0).normal(size=(4000, 8))
    lines = np.abs(np.fft.fft(kernels.reshape(-1, 2, STRIDE).sum(axis=1), axis=1))
    levels = 20 * np.log10(lines[:, 1] / lines[:, 0])
    for quantile, share in ((low, 0.05), (middle, 0.5), (high, 0.95)):
        assert np.mean(levels < quantile) == pytest.approx(share, abs=0.025)


@pytest.mark.parametrize(
    ("operator", "options"),
    [
        ("istft_head", {}),
        ("noise_sinc", {}),
        ("learned_linear", {}),
        ("linear", {"definition": "align_corners"}),
        ("sinc", {"zeros": 10}),
        ("mine.py:Own", {}),
    ],
)
def test_there_is_no_expectation_without_a_closed_form(operator, options):
    for measure in ("polyphase_imbalance", "tone_to_constant", "image_to_base", "droop"):
        assert expectation.expected_values(measure, operator, options, STRIDE) == ()
    assert expectation.expected_values("boundary_error", "transposed", {}, STRIDE) == ()


def test_a_sinc_has_24_zeros_unless_it_says_otherwise():
    found, expected = (
        expectation.expected_values("droop", "sinc", options, STRIDE)
        for options in ({}, {"zeros": 24})
    )
    assert found == expected != ()


def test_rows_are_of_the_outermost_layer_and_have_no_seed():
    settings = DemucsLikeSettings(operator="transposed", stride=3, samplerate=24000)
    rows = expectation.expectations(settings, "mine")
    assert {row["variant"] for row in rows} == {"mine"}
    assert {row["seed"] for row in rows} == {None}
    assert {row["frequency_hz"] for row in rows} == {8000}
    stages = {(row["measure"], row["stage"]) for row in rows}
    assert ("polyphase_imbalance", "expected") in stages
    quantiles = {stage for measure, stage in stages if measure == "tone_to_constant"}
    assert quantiles == {"expected_q05", "expected_q50", "expected_q95"}
    imbalance = next(row for row in rows if row["measure"] == "polyphase_imbalance")
    assert (imbalance["value"], imbalance["unit"]) == (pytest.approx(2**0.5), "1")


def test_melgans_last_layer_upsamples_by_2():
    rows = expectation.expectations(MelganSettings(), "melgan")
    assert {row["frequency_hz"] for row in rows} == {11025}


@pytest.mark.parametrize("operator", ["transposed", "nearest", "linear", "sinc", "subpixel"])
def test_whole_expectations_are_those_that_were_noted(operator):
    settings = DemucsLikeSettings(channels=4, depth=3, operator=operator)
    rows = [*expectation.expectations(settings, operator)]
    rows += expectation.expectations(MelganSettings(), "melgan")
    assert_noted(NOTED / f"expected of {operator}.txt", described(rows))
