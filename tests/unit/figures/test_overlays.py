"""Figs. 6-8 beside their predictions: the figure stores the arrays that it shows."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from drawn_figures import assert_drawn
from figure_drawing import draw

from upsampling.config.declared import read_settings
from upsampling.config.experiment import Experiment
from upsampling.config.figures import Stack
from upsampling.figures.overlays import in_decibels, mean_levels
from upsampling.files import save_arrays
from upsampling.measures.spectra import N_FFT, Spectrogram, mean_spectrum, stft
from upsampling.probes.operator_stack import stack_outputs
from upsampling.theory.prediction import stack_prediction

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())
LINE_DB = 0.05


def write_inputs(folder: Path, stacks: list[Stack]) -> list[Path]:
    """Stacks, then their predictions."""
    outputs = [stack_outputs(stack) for stack in stacks]
    predictions = [
        stack_prediction(arrays["signal"], stack)
        for stack, arrays in zip(stacks, outputs, strict=True)
    ]
    paths = [folder / f"{number}.npz" for number in range(4)]
    for path, arrays in zip(paths, [*outputs, *predictions], strict=True):
        save_arrays(path, arrays)
    return paths


def test_measured_and_predicted_tones_agree(tmp_path):
    experiment = Experiment(CONFIG)
    stacks = [
        read_settings(Stack, json.loads(experiment.stack("figure7", side)), "")
        for side in ("left", "right")
    ]
    panels = draw(tmp_path, "figure7_theory", write_inputs(tmp_path, stacks))
    assert set(panels) == {
        f"{side}_{layer}" for side in ("left", "right") for layer in ("signal", "1", "2", "3")
    }
    shown = panels["left_3"]
    assert shown["lines"].tolist() == [4000, 8000, 12000, 16000]
    bins = np.rint(shown["lines"] / shown["frequencies"][1]).astype(int)
    np.testing.assert_allclose(shown["measured"][bins], shown["line_power"], atol=LINE_DB)
    np.testing.assert_allclose(shown["predicted"][bins], shown["line_power"], atol=LINE_DB)


def test_an_operator_without_taps_is_shown_without_prediction(tmp_path):
    options = {"definition": "align_corners", "kernel_size": 0}
    stack = Stack("linear", "white_noise", options)
    panels = draw(tmp_path, "figure6_theory", write_inputs(tmp_path, [stack, stack]))
    assert set(panels["left_1"]) == {"frequencies", "measured"}


def test_decibels_of_mean_spectra_are_those_of_the_stft():
    """A sine on a bin, whose STFT magnitude is the reference, is at 0 dB in both units."""
    sine = np.sin(2 * np.pi * 100 / N_FFT * np.arange(8 * N_FFT))
    magnitude = np.abs(stft(sine, center=False)).max()
    _, power = mean_spectrum(sine, N_FFT, N_FFT)
    assert in_decibels(power, magnitude)[100] == pytest.approx(0, abs=LINE_DB)
    assert in_decibels(np.zeros(1), 1.0) == -300


def test_mean_levels_average_power():
    decibels = np.array([[0.0, -np.inf], [-20.0, -20.0]], dtype=np.float32)
    panel = Spectrogram(decibels, np.arange(2.0), np.arange(2.0), 8000)
    np.testing.assert_allclose(mean_levels(panel), [10 * np.log10(0.5), -20], atol=1e-6)


def test_the_drawing_is_that_of_the_page(tmp_path):
    """Left with a prediction of each layer; right without a closed form."""
    rng = np.random.default_rng(0)
    rates = np.array([4000, 8000, 16000, 32000])
    stack = {"samplerates": rates} | {
        name: rng.uniform(-0.1, 0.1, 2 * rate)
        for name, rate in zip(("signal", "layer_1", "layer_2", "layer_3"), rates, strict=True)
    }
    prediction: dict[str, np.ndarray] = {}
    for layer in (1, 2, 3):
        lines = 2000.0 * np.arange(1, 1 + layer)
        prediction |= {
            f"predicted_{layer}": 10 ** rng.uniform(-16, -5, N_FFT // 2 + 1),
            f"line_power_{layer}": 10 ** rng.uniform(-9, -5, layer),
            f"lines_{layer}": lines,
            f"line_layer_{layer}": np.arange(1, 1 + layer),
            f"line_replica_{layer}": np.arange(layer) > 0,
            f"valleys_{layer}": lines + 500,
            f"valley_layer_{layer}": np.arange(layer, 0, -1) + 1,
            f"valley_replica_{layer}": np.arange(layer) == 0,
        }
    paths = [tmp_path / f"{number}.npz" for number in range(4)]
    for path, arrays in zip(paths, [stack, stack, prediction, {}], strict=True):
        save_arrays(path, arrays)
    assert_drawn("figure7_theory", "figure7_theory", paths)
