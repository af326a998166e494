"""Gradients of training losses: lines from strides alone, spectra as those of the figure."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from noted import assert_noted, described, without_rounding

from upsampling.config.sections import LossGradient
from upsampling.errors import UserError
from upsampling.probes.signals import probe_signal
from upsampling.theory.training_losses import gradient, training_losses

NOTED = Path(__file__).with_name("noted")
SCRIPTS = Path(__file__).parents[3] / "scripts"
SETTINGS = LossGradient(seconds=1.5)
LOSSES = {"waveform": "l1", "strided": "features", "control": "features_dense"}


@pytest.fixture(scope="module")
def arrays():
    return training_losses(SETTINGS, LOSSES)


def test_only_strides_make_lines(arrays):
    prominence = {name: float(arrays[f"{name}_prominence"]) for name in LOSSES}
    assert prominence["strided"] > 5
    assert abs(prominence["control"]) < 1
    assert abs(prominence["waveform"]) < 1


def test_spectra_are_of_gradients_of_rms_one(arrays):
    assert len(arrays["frequencies"]) == len(arrays["strided_measured"])
    for name in LOSSES:
        power = 10 ** (arrays[f"{name}_measured"] / 10)
        # One-sided: all bins but the first and the last stand for two.
        total = 2 * power.sum() - power[0] - power[-1]
        # A Hann window passes 1.5 bins of noise.
        assert total / 1.5 == pytest.approx(1, rel=0.1)


def test_lines_stand_at_multiples_of_the_strides(arrays):
    frequencies, level = arrays["frequencies"], arrays["strided_measured"]
    spacing = SETTINGS.samplerate / 64
    loudest = frequencies[np.argsort(level)[-12:]]
    nearest = np.round(loudest / spacing) * spacing
    assert np.abs(loudest - nearest).max() <= 2 * frequencies[1]


def test_the_gradient_of_l1_is_signs():
    output, target = (
        torch.from_numpy(probe_signal(name, 0.1, 8000, 0))[None, None, None]
        for name in ("white_noise", "speech_like")
    )
    expected = (output - target).sign()[0, 0, 0].double().numpy() / output.shape[-1]
    np.testing.assert_allclose(gradient("l1", output, target), expected, rtol=1e-6)
    twice = gradient({"l1": 2}, output, target)
    np.testing.assert_allclose(twice, 2 * expected, rtol=1e-6)


def test_too_short_signals_are_told_in_one_line():
    with pytest.raises(UserError, match=r"0.5 s at 22050 Hz are too short .*; write at least 0.7"):
        training_losses(LossGradient(seconds=0.5), LOSSES)


def test_the_program_writes_the_arrays(arrays, tmp_path):
    settings = json.dumps(asdict(SETTINGS) | {"losses": LOSSES})
    command = [sys.executable, SCRIPTS / "theory.py", "training_losses", "--settings", settings]
    subprocess.run([*map(str, command), "--output", str(tmp_path / "a.npz")], check=True)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert set(stored) == set(arrays)
        np.testing.assert_array_equal(stored["strided_measured"], arrays["strided_measured"])


def test_whole_spectra_are_those_that_were_noted(arrays):
    assert_noted(NOTED / "training losses.txt", described(without_rounding(arrays, -100.0)))
