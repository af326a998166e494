"""The distribution of tones over random initialisations, against PyTorch's own layers."""

import numpy as np
import pytest
import torch
from operator_outputs import tone_to_constant
from random_tones import PHASED, SINGLE, RandomLayer, halfway_quantile

from upsampling.decibels import power_to_db
from upsampling.operators import OPERATORS, build_operator
from upsampling.theory.closed_forms import polyphase_sums

SEEDS = 1500
# 1500 draws: 0.2 dB of the mean of an exponential variable, three deviations of a probability.
DECIBELS = 0.6
PROBABILITY = 3 * np.sqrt(0.25 / SEEDS)
QUANTILES = (0.1, 0.5, 0.9)
CASES = [
    RandomLayer("transposed", 1, 1, 4, 2),
    RandomLayer("transposed", 4, 3, 8, 4),
    RandomLayer("transposed", 8, 2, 8, 4, bias=False),
    RandomLayer("transposed", 2, 2, 8, 6),
    RandomLayer("subpixel", 1, 1, 3, 2),
    RandomLayer("subpixel", 4, 3, 3, 4),
    RandomLayer("stretch", 4, 2, 8, 4),
    RandomLayer("lazy_wavelet", 2, 2, 3, 2),
    RandomLayer("haar_wavelet", 2, 2, 3, 2),
    RandomLayer("learned_wavelet", 2, 2, 3, 2),
]


def lines(layer: RandomLayer, constant: float) -> np.ndarray:
    """|A[k]|^2 [seeds, stride] of output channel 0 for `SEEDS` layers initialised by PyTorch."""
    power = []
    signal = constant * torch.ones(1, layer.in_channels, 16)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(8)
        for _ in range(SEEDS):
            module = build_operator(
                layer.operator,
                layer.in_channels,
                layer.out_channels,
                layer.stride,
                bias=layer.bias,
                options={"kernel_size": layer.kernel_size},
            )
            output = module(signal)[0, 0].double().numpy()
            period = output[8 * layer.stride : 9 * layer.stride]
            power.append(np.abs(np.fft.fft(period) / layer.stride) ** 2)
    return np.array(power)


@pytest.mark.parametrize("constant", [1.0, 0.0])
@pytest.mark.parametrize("layer", CASES)
def test_expected_power_of_every_line(layer, constant):
    power = lines(layer, constant)
    expected = layer.expected_power(constant)
    mean = power.mean(axis=0)
    silent = expected == 0
    assert (mean[silent] < 1e-14).all()
    np.testing.assert_allclose(
        10 * np.log10(mean[~silent]), 10 * np.log10(expected[~silent]), atol=DECIBELS
    )


@pytest.mark.parametrize("layer", [case for case in CASES if case.in_channels > 1])
def test_distribution_of_levels(layer):
    power = lines(layer, 1.0)
    for line in range(1, layer.stride):
        for probability in QUANTILES:
            quantile = layer.power_quantile(probability, line)
            assert np.mean(10 * np.log10(power[:, line]) < quantile) == pytest.approx(
                probability, abs=PROBABILITY
            )
            if layer.kernel_size % layer.stride == 0 or layer.operator in PHASED:
                levels = 10 * np.log10(power[:, line] / power[:, 0])
                bound = layer.level_quantile(probability, line)
                assert np.mean(levels < bound) == pytest.approx(probability, abs=PROBABILITY)


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 2), (7, 2), (8, 6), (9, 4), (4, 2)])
def test_partial_overlap_has_a_cauchy_ratio(kernel_size, stride):
    kernels = np.random.default_rng(9).normal(size=(40_000, kernel_size))
    spectrum = np.abs(np.fft.fft(polyphase_sums(kernels, stride)))
    levels = 20 * np.log10(spectrum[:, stride // 2] / spectrum[:, 0])
    for probability in QUANTILES:
        quantile = halfway_quantile(probability, kernel_size, stride)
        assert np.mean(levels < quantile) == pytest.approx(probability, abs=0.01)


def test_the_constant_outweighs_tones_by_the_bias_alone():
    """Transposed: -10 log10(1 + s^2 / (C n)); none in silence. Subpixel: 0 dB, in silence too."""
    layer = RandomLayer("transposed", 1, 1, 4, 2)
    power = layer.expected_power()
    assert 10 * np.log10(power[1] / power[0]) == pytest.approx(10 * np.log10(1 / 2))
    assert layer.expected_power(0.0)[1] == 0
    subpixel = RandomLayer("subpixel", 5, 1, 3, 4)
    for constant in (0.0, 1.0):
        assert np.ptp(subpixel.expected_power(constant)) == 0
    assert subpixel.expected_power(0.0)[1] == pytest.approx(1 / (3 * 5 * 3 * 4))


def test_a_random_layer_amplifies_all_replicas_alike():
    """E|H(f)|^2 is flat: a layer multiplies the expected power of every line by C n v / s^2."""
    layer, count = RandomLayer("transposed", 3, 1, 8, 4, bias=False), 1500
    frequencies = np.linspace(0, 0.5, 9)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(8), frequencies))
    power = np.zeros(len(frequencies))
    with torch.random.fork_rng():
        torch.manual_seed(10)
        for _ in range(count):
            module = build_operator("transposed", 3, 1, 4, bias=False, options={"kernel_size": 8})
            weight = module.convolution.weight[:, 0].detach().double().numpy()
            gains = (weight @ waves).sum(axis=0)
            power += np.abs(gains) ** 2 / count
    expected = 3 * 8 * layer.variance
    np.testing.assert_allclose(10 * np.log10(power / expected), 0, atol=DECIBELS)


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - {"istft_head", "noise_sinc"}))
def test_every_other_operator_has_no_tones_at_initialisation(name):
    with torch.random.fork_rng():
        torch.manual_seed(11)
        level = power_to_db(tone_to_constant(build_operator(name, 2, 2, 4), 2, 4) ** 2)
    if name in SINGLE + PHASED:
        assert level > -40
    else:
        assert level < -50


def test_layers_without_a_known_distribution_are_refused():
    with pytest.raises(ValueError, match="nearest"):
        RandomLayer("nearest", 1, 1, 9, 2)
    with pytest.raises(ValueError, match="several layers"):
        RandomLayer("haar_wavelet", 1, 1, 3, 4)
    with pytest.raises(ValueError, match="not independent"):
        RandomLayer("transposed", 1, 1, 3, 2).level_quantile(0.5, 1)
