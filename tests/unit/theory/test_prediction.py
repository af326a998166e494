"""Predicted spectra of stacks of operators against measured ones: Figs. 6-8."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from noted import assert_noted, described

from upsampling.config.experiment import Experiment
from upsampling.config.figures import Stack
from upsampling.decibels import power_to_db
from upsampling.measures.spectra import N_FFT, mean_spectrum
from upsampling.probes.operator_stack import stack_outputs
from upsampling.theory import prediction
from upsampling.theory.filters import per_channel

NOTED = Path(__file__).with_name("noted")
CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())
FIGURES = Experiment(CONFIG).settings.figures
# Lines stand on bins and are exact but for single precision.
LINE_DB = 0.05
# A line in noise moves with it.
NOISY_LINE_DB = 0.5
# Windows' edges and the noise's fluctuation: median over bins of |measured - predicted|.
SPECTRUM_DB = 0.7
FLOOR_DB = -100.0
COLUMNS = [
    (figure, side) for figure in ("figure6", "figure7", "figure8") for side in ("left", "right")
]


def stack_of(figure: str, side: str) -> Stack:
    return getattr(getattr(FIGURES, figure), side)


@pytest.fixture(scope="module")
def stacks() -> dict[tuple[str, str], tuple[dict, dict]]:
    """Arrays of every column of Figs. 6-8, and their predictions."""
    columns = {}
    for figure, side in COLUMNS:
        stack = stack_of(figure, side)
        arrays = stack_outputs(stack)
        columns[figure, side] = (arrays, prediction.stack_prediction(arrays["signal"], stack))
    return columns


@pytest.mark.parametrize(("figure", "side"), COLUMNS)
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_figures_6_to_8_are_as_predicted(stacks, figure, side, layer):
    arrays, theory = stacks[figure, side]
    samplerate = int(arrays["samplerates"][layer])
    frequencies, power = mean_spectrum(arrays[f"layer_{layer}"], samplerate, N_FFT)
    measured, predicted = power_to_db(power), power_to_db(theory[f"predicted_{layer}"])
    loud = predicted > FLOOR_DB
    assert np.median(np.abs(measured - predicted)[loud]) < SPECTRUM_DB
    bins = np.rint(theory[f"lines_{layer}"] / frequencies[1]).astype(int)
    levels = power_to_db(theory[f"line_power_{layer}"])
    noise = arrays["signal"].std() > 0
    clear = levels > (-55 if noise else FLOOR_DB)
    tolerance = NOISY_LINE_DB if noise else LINE_DB
    np.testing.assert_allclose(measured[bins][clear], levels[clear], atol=tolerance)


@pytest.mark.parametrize("figure", ["figure7", "figure8"])
def test_tones_and_their_replicas_are_the_papers(stacks, figure):
    """Sec. 5: tones of the layers at 4, 8 and 16 kHz, replicas of them in between."""
    _, theory = stacks[figure, "left"]
    assert theory["lines_1"].tolist() == [4000]
    assert theory["lines_2"].tolist() == [4000, 8000]
    assert theory["lines_3"].tolist() == [4000, 8000, 12000, 16000]
    assert theory["line_layer_3"].tolist() == [1, 2, 1, 3]
    assert theory["line_replica_3"].tolist() == [False, False, True, False]
    assert theory["valleys_3"].size == 0


@pytest.mark.parametrize(("figure", "side"), [("figure6", "left"), ("figure8", "right")])
def test_valleys_and_their_replicas(stacks, figure, side):
    _, theory = stacks[figure, side]
    assert theory["valleys_3"].tolist() == [4000, 8000, 12000, 16000]
    assert theory["valley_layer_3"].tolist() == [1, 2, 1, 3]
    assert theory["valley_replica_3"].tolist() == [False, False, True, False]
    assert theory["lines_3"].size == 0


def test_lines_for_demucs_strides():
    """Stride 4, twice: the outer layer's tones at 4/16 and 8/16, the inner one's around them."""
    lines = prediction.candidate_lines([4, 4])
    assert [(line.k, line.layer) for line in lines] == [
        *((1, 1), (2, 1), (3, 1), (4, 2), (5, 1), (6, 1), (7, 1), (8, 2)),
    ]
    assert [line.k for line in lines if line.replica] == [3, 5, 6, 7]


def test_zero_gains_are_those_of_a_box():
    assert prediction.zero_gains(per_channel(np.ones(4), 0, 4, 1)).tolist() == [False] + [True] * 3
    assert prediction.zero_gains(per_channel(np.ones(2), 0, 4, 1)).tolist() == [
        *(False, False, True, False)
    ]


@pytest.mark.parametrize(("decibels", "is_zero"), [(-79, False), (-81, True)])
def test_a_gain_80_decibels_below_the_largest_is_a_zero(decibels, is_zero):
    difference = 10 ** (decibels / 20)
    box = per_channel(np.array([1 + difference, 1 - difference]), 0, 2, 1)
    assert prediction.zero_gains(box).tolist() == [False, is_zero]


@pytest.mark.parametrize(("amplitude", "lines"), [(3e-6, []), (3.3e-6, [4000.0])])
def test_lines_below_the_rounding_of_single_precision_are_none(amplitude, lines):
    """Of a constant 1: a box of 2 whose taps differ by twice the amplitude, -110 dB."""
    box = per_channel(np.array([1 - amplitude, 1 + amplitude]), 0, 2, 1)
    found = prediction.predict(np.ones(4096), 4000, [box])
    assert found["lines"].tolist() == lines


def test_line_arrays_have_hertz_and_decibels_above_0_hz():
    arrays = prediction.line_arrays("x", np.array([1.0, 0.1, 0.01, 0.1]), 8000)
    assert list(arrays) == ["x_lines", "x_levels"]
    assert arrays["x_lines"].tolist() == [2000, 4000]
    np.testing.assert_allclose(arrays["x_levels"], [-20, -40], atol=LINE_DB)


def test_hann_lobes_and_noise_are_in_the_units_of_mean_spectrum():
    rng = np.random.default_rng(0)
    period = rng.normal(size=12)
    n_fft = 1024
    _, power = mean_spectrum(np.resize(period, 12 * 4096), 12, n_fft)
    amplitudes = np.abs(np.fft.fft(period)) / 12
    predicted = prediction.hann_lobes(amplitudes, n_fft)
    strong = predicted > 1e-5
    np.testing.assert_allclose(power_to_db(power[strong]), power_to_db(predicted[strong]), atol=0.2)
    box = per_channel(np.ones(3), 0, 3, 1)
    noise = rng.normal(size=400_000)
    _, power = mean_spectrum(np.repeat(noise, 3), 3, n_fft)
    predicted = prediction.noise_power(box, 1.0, n_fft)
    loud = predicted > 1e-3 * predicted.max()
    np.testing.assert_allclose(power_to_db(power[loud] / predicted[loud]), 0, atol=1.0)
    assert power_to_db(power / predicted)[loud].mean() == pytest.approx(0, abs=0.05)


def test_an_operator_without_taps_is_not_predicted():
    options = {"definition": "align_corners", "kernel_size": 0}
    stack = Stack("linear", "white_noise", options)
    assert prediction.stack_prediction(stack_outputs(stack)["signal"], stack) == {}


@pytest.mark.parametrize(("operator", "has_prediction"), [("sinc", True), ("noise_sinc", False)])
def test_an_operator_that_adds_noise_is_not_predicted(operator, has_prediction):
    stack = Stack(operator, "white_noise", stride=4)
    arrays = stack_outputs(stack)
    theory = prediction.stack_prediction(arrays["signal"], stack)
    assert bool(theory) == has_prediction
    if has_prediction:
        _, power = mean_spectrum(arrays["layer_3"], 256_000, N_FFT)
        loud = theory["predicted_3"] > 1e-10
        difference = power_to_db(power[loud]) - power_to_db(theory["predicted_3"][loud])
        assert np.median(np.abs(difference)) < SPECTRUM_DB


def test_another_seed_changes_levels_and_no_places():
    stack = stack_of("figure7", "left")
    signal = stack_outputs(stack)["signal"]
    first, other = (prediction.stack_prediction(signal, replace(stack, seed=s)) for s in (0, 1))
    np.testing.assert_array_equal(first["lines_3"], other["lines_3"])
    assert np.abs(power_to_db(first["line_power_3"] / other["line_power_3"])).max() > 1


@pytest.mark.parametrize(("figure", "side"), COLUMNS)
def test_whole_predictions_are_those_that_were_noted(stacks, figure, side):
    _, theory = stacks[figure, side]
    assert_noted(NOTED / f"{figure} {side}.txt", described(theory))
