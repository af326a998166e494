"""A discriminator-like network and the distance of its features, against plain convolutions."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate

from upsampling.config.losses import CriticSettings
from upsampling.losses.critic import Critic, feature_distance

# Sums of float32 products in another order.
ROUNDING = 1e-5
SETTINGS = CriticSettings(layers=2, stride=3, kernel_size=5, channels=2, slope=0.1, seed=3)


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
