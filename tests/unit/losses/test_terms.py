"""Terms of the training loss against their formulas, sums of them, and the network of features."""

import sys

import numpy as np
import pytest
import torch
from scipy.signal import correlate, stft

from upsampling.config.losses import CRITICS, CriticSettings
from upsampling.errors import UserError
from upsampling.losses.terms import (
    TERMS,
    Critic,
    MultiResolutionSTFT,
    TrainingLoss,
    feature_distance,
)

# Sums of float32 values in another order; logarithms of small magnitudes for the STFT.
ROUNDING = 1e-5
STFT_ROUNDING = 1e-3
SHAPE = (3, 2, 2, 2500)
SETTINGS = CriticSettings(layers=2, stride=3, kernel_size=5, channels=2, slope=0.1, seed=3)
# Of auraloss: FFT, hop and window of its three resolutions.
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))


@pytest.fixture(scope="module")
def pair():
    generator = torch.Generator().manual_seed(0)
    return tuple(0.1 * torch.randn(SHAPE, generator=generator) for _ in range(2))


def magnitudes(signal: np.ndarray, n_fft: int, hop: int, length: int) -> np.ndarray:
    """Of frames that auraloss takes: reflected borders, a Hann window in the middle of n_fft."""
    window = np.zeros(n_fft)
    start = (n_fft - length) // 2
    window[start : start + length] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    padded = np.pad(signal.astype(float), n_fft // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    return np.sqrt(np.maximum(power, 1e-8))


def stft_loss(estimate: np.ndarray, target: np.ndarray) -> float:
    """L1 of magnitudes and of their logarithms, the mean over resolutions; [rows, time]."""
    losses = []
    for resolution in RESOLUTIONS:
        first, second = (
            np.stack([magnitudes(row, *resolution) for row in rows]) for rows in (estimate, target)
        )
        losses.append(np.abs(first - second).mean() + np.abs(np.log(first) - np.log(second)).mean())
    return float(np.mean(losses))


@pytest.mark.parametrize(
    ("name", "distance"), [("l1", lambda d: d.abs()), ("mse", lambda d: d.square())]
)
def test_distances_of_the_waveform_are_means_over_an_example(pair, name, distance):
    expected = distance((pair[0] - pair[1]).double()).mean(dim=(1, 2, 3))
    torch.testing.assert_close(TrainingLoss(name)(*pair).double(), expected, rtol=ROUNDING, atol=0)


def test_the_stft_loss_is_that_of_magnitudes(pair):
    pytest.importorskip("auraloss")
    found = TrainingLoss("stft")(*pair)
    for example in range(len(found)):
        rows = (side[example].flatten(0, 1).numpy() for side in pair)
        assert float(found[example]) == pytest.approx(stft_loss(*rows), rel=STFT_ROUNDING)


def test_a_missing_auraloss_is_told_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "auraloss.freq", None)
    with pytest.raises(UserError, match="stft needs the package auraloss; install it"):
        MultiResolutionSTFT()


@pytest.mark.parametrize("name", CRITICS)
def test_feature_losses_are_means_over_sources_and_channels(pair, name):
    critic = Critic(CRITICS[name])
    found = TrainingLoss(name)(*pair)
    for example in range(len(found)):
        values = [
            float(feature_distance(critic, a[None, None], b[None, None]).detach())
            for a, b in zip(*(side[example].flatten(0, 1) for side in pair), strict=True)
        ]
        assert float(found[example]) == pytest.approx(np.mean(values), rel=ROUNDING)


def test_a_sum_weighs_its_terms(pair):
    parts = {name: TrainingLoss(name)(*pair) for name in ("l1", "mse", "features")}
    found = TrainingLoss({"l1": 1, "mse": 0.25, "features": 3})(*pair)
    expected = parts["l1"] + 0.25 * parts["mse"] + 3 * parts["features"]
    torch.testing.assert_close(found, expected, rtol=ROUNDING, atol=0)


@pytest.mark.parametrize("name", TERMS)
def test_an_example_has_its_loss_in_any_batch_and_zero_for_its_target(pair, name):
    if name == "stft":
        pytest.importorskip("auraloss")
    loss = TrainingLoss(name)
    apart = [loss(pair[0][n : n + 1], pair[1][n : n + 1]) for n in range(3)]
    torch.testing.assert_close(loss(*pair), torch.cat(apart), rtol=ROUNDING, atol=0)
    assert loss(pair[1], pair[1]).abs().max() == 0


@pytest.mark.parametrize("name", TERMS)
def test_silence_has_finite_gradients_and_nothing_in_the_loss_is_trained(name):
    if name == "stft":
        pytest.importorskip("auraloss")
    loss = TrainingLoss(name)
    assert not any(parameter.requires_grad for parameter in loss.parameters())
    silence = torch.zeros(SHAPE)
    estimate = (1e-3 * torch.randn(SHAPE)).requires_grad_()
    loss(estimate, silence).sum().backward()
    assert estimate.grad is not None
    assert torch.isfinite(estimate.grad).all()


def test_frames_are_those_of_scipy():
    """The reference above, against SciPy's STFT of the same frames."""
    signal = np.random.default_rng(0).normal(size=4096)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    padded = np.pad(signal, 512, mode="reflect")
    _, _, frames = stft(
        padded, window=window, nperseg=1024, noverlap=1024 - 256, boundary=None, padded=False
    )
    found = magnitudes(signal, 1024, 256, 1024)
    np.testing.assert_allclose(found.T, np.abs(frames) * window.sum(), rtol=1e-9, atol=1e-3)


def test_an_estimate_for_each_target_is_needed(pair):
    pytest.importorskip("auraloss")
    with pytest.raises(ValueError, match="zip"):
        TrainingLoss("stft")(pair[0][:2], pair[1])


def features(critic: Critic, signal: np.ndarray) -> list[np.ndarray]:
    """Strided correlations and leaky ReLUs, by SciPy."""
    current, layers = signal[None], []
    for convolution in critic.convolutions:
        weight = convolution.weight.detach().double().numpy()
        current = np.stack(
            [sum(correlate(x, w, "valid") for x, w in zip(current, row, strict=True))
             for row in weight]
        )[:, :: SETTINGS.stride]  # fmt: skip
        current = np.where(current > 0, current, SETTINGS.slope * current)
        layers.append(current)
    return layers


def test_features_are_strided_correlations():
    critic, signal = Critic(SETTINGS), np.random.default_rng(0).normal(size=80)
    found = critic.features(torch.tensor(signal, dtype=torch.float32)[None, None])
    for mine, expected in zip(found, features(critic, signal), strict=True):
        np.testing.assert_allclose(mine[0].detach().numpy(), expected, atol=ROUNDING)
    assert len(critic(torch.zeros(1, 1, 80))) == 3


def test_the_distance_is_the_mean_absolute_difference_summed_over_layers():
    critic, rng = Critic(SETTINGS), np.random.default_rng(1)
    output, target = rng.normal(size=(2, 3, 80)).astype(np.float32)
    found = feature_distance(
        critic, torch.from_numpy(output)[:, None], torch.from_numpy(target)[:, None]
    )
    for example in range(3):
        pairs = zip(
            features(critic, output[example]), features(critic, target[example]), strict=True
        )
        expected = sum(np.abs(a - b).mean() for a, b in pairs)
        assert float(found[example].detach()) == pytest.approx(expected, rel=ROUNDING)


def test_gradients_reach_the_output_alone():
    critic = Critic(SETTINGS)
    output, target = (torch.randn(1, 1, 80, requires_grad=True) for _ in range(2))
    feature_distance(critic, output, target).sum().backward()
    assert output.grad is not None
    assert output.grad.abs().sum() > 0
    assert target.grad is None


def test_weights_are_of_the_seed_alone():
    torch.manual_seed(5)
    first, state = Critic(SETTINGS), torch.get_rng_state()
    torch.manual_seed(6)
    second = Critic(SETTINGS)
    for mine, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(mine, other)
    torch.manual_seed(5)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_score_is_a_correlation_without_bias():
    critic, signal = Critic(SETTINGS), np.random.default_rng(2).normal(size=80)
    *layers, score = critic(torch.tensor(signal, dtype=torch.float32)[None, None])
    weight = critic.head.weight.detach().double().numpy()
    assert weight.shape == (1, 2, 3)
    expected = sum(
        correlate(x, w, "valid")
        for x, w in zip(layers[-1][0].detach().double().numpy(), weight[0], strict=True)
    )
    np.testing.assert_allclose(score[0, 0].detach().numpy(), expected, atol=ROUNDING)
    assert not critic(torch.zeros(1, 1, 80))[-1].any()
    assert all(parameter.ndim == 3 for parameter in critic.parameters())
