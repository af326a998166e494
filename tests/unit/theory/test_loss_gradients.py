"""Gradients of losses: lines at multiples of fs / stride, from strides alone."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from comb_levels import comb_levels
from noted import assert_noted, described, without_rounding

from upsampling.config.figures import LossGradient
from upsampling.config.losses import CriticSettings
from upsampling.errors import UserError
from upsampling.measures.from_waveform import prominence
from upsampling.measures.spectra import mean_spectrum
from upsampling.probes.signals import probe_signal
from upsampling.theory import loss_gradients
from upsampling.theory.loss_gradients import Critic, training_gradient, training_losses
from upsampling.theory.prediction import HANN_NOISE, line_amplitudes

NOTED = Path(__file__).with_name("noted")
TOLERANCE = 1e-6
RATE = 8192
# Changes by the correlation of layers' slopes, and of slopes and signs of differences.
CORRELATION_DB = {"score": 1.0, "features": 3.0}
SCRIPTS = Path(__file__).parents[3] / "scripts"
SETTINGS = CriticSettings(layers=2, stride=4, kernel_size=10, channels=4, seed=1)
TRAINING = LossGradient(seconds=1.5)
LOSSES = {"waveform": "l1", "strided": "features", "control": "features_dense"}


def signals(count: int = 4 * RATE) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(2)
    output, target = (rng.uniform(-1, 1, (1, 1, count)).astype(np.float32) for _ in range(2))
    return torch.from_numpy(output), torch.from_numpy(0.3 * target)


def middle(gradient: np.ndarray, period: int) -> np.ndarray:
    start = len(gradient) // (2 * period) * period
    return gradient[start : start + period]


@pytest.mark.parametrize(("length", "stride"), [(3, 2), (4, 2), (8, 6), (8, 4), (41, 4), (5, 1)])
def test_gradient_of_a_convolution_is_the_transposed_one(length, stride):
    critic = Critic(CriticSettings(1, stride, length, 3, slope=1.0))
    output, target = signals(512)
    samples = loss_gradients.gradient("score", critic, output, target)
    expected = loss_gradients.expected_period("score", critic, output, target)
    assert len(expected) == stride
    scale = np.abs(expected).max()
    np.testing.assert_allclose(middle(samples, stride), expected, atol=TOLERANCE * scale)


def test_the_mean_gradient_of_one_layers_features_is_predicted():
    """Up to the borders: one layer has no correlation with others."""
    critic = Critic(CriticSettings(1, 4, 9, 3, slope=0.2))
    output, target = signals()
    samples = loss_gradients.gradient("features", critic, output, target)
    expected = loss_gradients.expected_period("features", critic, output, target)
    folded = samples[: len(samples) // 4 * 4].reshape(-1, 4).mean(axis=0)
    np.testing.assert_allclose(folded, expected, atol=5e-3 * np.abs(expected).max())


@pytest.mark.parametrize(("length", "stride"), [(3, 2), (4, 2), (8, 6), (8, 4), (41, 4)])
def test_unequal_coverage_makes_lines_and_equal_coverage_none(length, stride):
    """Weights of ones: the levels of Sec. 2's issue (ii), in the gradient."""
    leaf = torch.zeros(1, 1, 40 * stride, requires_grad=True)
    score = torch.nn.functional.conv1d(leaf, torch.ones(1, 1, length), stride=stride).sum()
    (grad,) = torch.autograd.grad(score, leaf)
    period = middle(grad[0, 0].double().numpy(), stride)
    power = np.abs(np.fft.fft(period))
    expected = comb_levels(np.ones(length), stride)
    present = expected > -200
    assert present.any() == bool(length % stride)
    levels = 20 * np.log10(power[1:][present] / power[0])
    np.testing.assert_allclose(levels, expected[present], atol=TOLERANCE)
    assert (power[1:][~present] < TOLERANCE * power[0]).all()


@pytest.mark.parametrize("name", ["score", "features"])
def test_lines_stand_at_multiples_of_the_strides_and_are_as_loud_as_predicted(name):
    critic = Critic(SETTINGS)
    output, target = signals()
    samples = loss_gradients.gradient(name, critic, output, target)
    period = loss_gradients.expected_period(name, critic, output, target)
    assert len(period) == 16
    frequencies, power = mean_spectrum(samples, RATE, 4096)
    lines = RATE / 16 * np.arange(1, 9)
    levels = 20 * np.log10(np.abs(np.fft.fft(period))[1:9] / 16)
    bins = np.rint(lines / frequencies[1]).astype(int)
    measured = 10 * np.log10(power[bins])
    floor = 10 * np.log10(np.median(power))
    clear = levels > floor + 15
    assert clear.sum() >= 2
    np.testing.assert_allclose(measured[clear], levels[clear], atol=CORRELATION_DB[name])
    between = prominence(power, lines - RATE / 32, RATE)
    assert np.abs(between).max() < 4


@pytest.mark.parametrize("name", ["score", "features"])
def test_without_strides_there_are_no_lines(name):
    critic = Critic(replace(SETTINGS, stride=1))
    output, target = signals()
    samples = loss_gradients.gradient(name, critic, output, target)
    _, power = mean_spectrum(samples, RATE, 4096)
    lines = RATE / 16 * np.arange(1, 8)
    assert prominence(power, lines, RATE).max() < 4
    assert len(loss_gradients.expected_period(name, critic, output, target)) == 1


def test_the_l1_loss_of_a_waveform_sends_back_signs():
    output, target = signals(1000)
    critic = Critic(SETTINGS)
    samples = loss_gradients.gradient("waveform", critic, output, target)
    signs = np.sign((output - target).numpy())[0, 0]
    np.testing.assert_allclose(samples, signs / 1000, atol=TOLERANCE)


def test_random_kernels_have_lines_whatever_their_length():
    arrays = loss_gradients.coverage(4)
    lengths = arrays["coverage_lengths"]
    silent = arrays["coverage_ones"] < -100
    assert (silent == (lengths % 4 == 0)).all()
    # RMS of 200 kernels, and the loudest of three lines.
    np.testing.assert_allclose(arrays["coverage_random"], 0, atol=1.5)


def test_adjoint_filters_have_the_lines_of_the_polyphase_sums():
    convolution = torch.nn.Conv1d(1, 1, 10, 4, bias=False)
    amplitudes = line_amplitudes(loss_gradients.adjoint(convolution), [[1.0]])[0]
    levels = comb_levels(convolution.weight.detach().double().numpy()[0, 0], 4)
    np.testing.assert_allclose(
        20 * np.log10(amplitudes[1:] / amplitudes[0]), levels, atol=TOLERANCE
    )


def test_spectra_have_the_lines_of_both_strides_and_are_reproducible():
    settings = LossGradient(SETTINGS, "white_noise", "constant", RATE, 2.0)
    arrays = loss_gradients.loss_gradients(settings)
    again = loss_gradients.loss_gradients(settings)
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    assert np.allclose(arrays["score_strided_lines"], RATE / 16 * np.arange(1, 9))
    assert arrays["score_dense_lines"].size == 0
    bins = np.rint(arrays["score_strided_lines"] / arrays["frequencies"][1]).astype(int)
    measured = arrays["score_strided_measured"][bins]
    loud = arrays["score_strided_levels"] > np.median(arrays["score_strided_measured"]) + 15
    assert loud.sum() >= 2
    # The slopes of 2 s are correlated more than those of 4 s.
    np.testing.assert_allclose(arrays["score_strided_levels"][loud], measured[loud], atol=2.0)
    assert arrays["coverage_lengths"].tolist() == list(range(4, 19))
    for name in ("waveform", "score_strided", "features_dense"):
        power = 10 ** (arrays[f"{name}_measured"] / 10)
        # Gradients are scaled to an RMS of 1, over positive and negative frequencies.
        assert power[0] + 2 * power[1:-1].sum() + power[-1] == pytest.approx(HANN_NOISE, rel=0.1)


@pytest.mark.parametrize(
    ("critic", "seconds", "message"),
    [
        (SETTINGS, 0.5, r"figures\.loss_gradient: 0\.5 s at 8192 Hz are too short: a score"),
        (CriticSettings(4, 8, 16), 2.0, "a score depends on 16968 samples"),
    ],
)
def test_mistakes_are_told_in_one_line(critic, seconds, message):
    with pytest.raises(UserError, match=message):
        loss_gradients.loss_gradients(LossGradient(critic, samplerate=RATE, seconds=seconds))


def test_whole_spectra_are_those_that_were_noted():
    arrays = loss_gradients.loss_gradients(LossGradient(seconds=1.5))
    assert_noted(NOTED / "loss gradients.txt", described(without_rounding(arrays, -100.0)))


@pytest.fixture(scope="module")
def arrays():
    return training_losses(TRAINING, LOSSES)


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
    spacing = TRAINING.samplerate / 64
    loudest = frequencies[np.argsort(level)[-12:]]
    nearest = np.round(loudest / spacing) * spacing
    assert np.abs(loudest - nearest).max() <= 2 * frequencies[1]


def test_the_gradient_of_l1_is_signs():
    output, target = (
        torch.from_numpy(probe_signal(name, 0.1, 8000, 0))[None, None, None]
        for name in ("white_noise", "speech_like")
    )
    expected = (output - target).sign()[0, 0, 0].double().numpy() / output.shape[-1]
    np.testing.assert_allclose(training_gradient("l1", output, target), expected, rtol=1e-6)
    twice = training_gradient({"l1": 2}, output, target)
    np.testing.assert_allclose(twice, 2 * expected, rtol=1e-6)


def test_too_short_signals_for_training_losses_are_told_in_one_line():
    with pytest.raises(UserError, match=r"0.5 s at 22050 Hz are too short .*; write at least 0.7"):
        training_losses(LossGradient(seconds=0.5), LOSSES)


def test_the_program_writes_the_arrays(arrays, tmp_path):
    settings = json.dumps(asdict(TRAINING) | {"losses": LOSSES})
    command = [sys.executable, SCRIPTS / "theory.py", "training_losses", "--settings", settings]
    subprocess.run([*map(str, command), "--output", str(tmp_path / "a.npz")], check=True)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert set(stored) == set(arrays)
        np.testing.assert_array_equal(stored["strided_measured"], arrays["strided_measured"])


def test_whole_spectra_of_training_losses_are_those_that_were_noted(arrays):
    assert_noted(NOTED / "training losses.txt", described(without_rounding(arrays, -100.0)))
