"""Imbalance against closed forms and against many random layers."""

import numpy as np
import pytest
import torch
from audited_networks import FunctionalUp, Shuffled, seeded, under_audit
from torch import nn

from upsampling.audit.weights import polyphase_imbalance, random_imbalance, weight_measures
from upsampling.measures import from_weights
from upsampling.models.base import UpsamplingLayer
from upsampling.networks.kernels import find_kernel
from upsampling.operators.transposed import Transposed

EXACT = 1e-9


def kernel_of(module, channels):
    _, structure = under_audit(nn.Sequential(module), channels)
    return find_kernel(structure, structure.layers[0])


@pytest.mark.parametrize(("length", "stride"), [(3, 2), (8, 6), (8, 4)])
def test_ones_have_the_imbalance_of_their_overlap(length, stride):
    layer = nn.ConvTranspose1d(2, 3, length, stride)
    layer.weight.data[:] = 1
    counts = np.bincount(np.arange(length) % stride)
    spectrum = np.abs(np.fft.fft(counts))
    expected = np.sqrt(np.sum(spectrum[1:] ** 2)) / spectrum[0]
    assert polyphase_imbalance(kernel_of(layer, 2)) == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize(
    ("stride", "build"),
    [
        (4, lambda: nn.ConvTranspose1d(24, 24, 8, 4, padding=2)),
        (6, lambda: nn.ConvTranspose1d(24, 24, 8, 6)),
        (3, lambda: Shuffled(24, 24, 3)),
    ],
)
def test_random_weights_have_the_expected_imbalance(stride, build):
    """RMS over layers of numerator and denominator: the ratio of expectations, sqrt(s - 1)."""
    kernels = [kernel_of(seeded(build, seed), 24) for seed in range(12)]
    combs = np.array(
        [np.abs(np.fft.fft(k.phase_sums(), axis=-1)).__pow__(2).sum(axis=(0, 1)) for k in kernels]
    ).sum(axis=0)
    assert np.sqrt(combs[1:].sum() / combs[0]) == pytest.approx(np.sqrt(stride - 1), rel=0.03)
    assert random_imbalance(kernels[0]) == pytest.approx(np.sqrt(stride - 1))
    measured = [polyphase_imbalance(kernel) for kernel in kernels]
    assert np.mean(measured) == pytest.approx(np.sqrt(stride - 1), rel=0.05)


def test_interpolation_has_none_and_nothing_random():
    kernel = kernel_of(FunctionalUp(4, 4), 4)
    assert polyphase_imbalance(kernel) == 0
    assert random_imbalance(kernel) == 0


def test_measures_are_those_of_the_variants():
    """The same layer measured by its class, with the package's own code for operators."""
    operator = seeded(lambda: Transposed(5, 3, 4, kernel_size=8)).double()
    records = from_weights.measure_layers([UpsamplingLayer(operator, 4, 5, 11025.0)])
    expected = {one["measure"]: one["value"] for one in records if one["frequency_hz"] == 11025.0}
    found = weight_measures(kernel_of(operator, 5), 11025.0)
    for name in ("tone_to_constant", "image_to_base", "droop", "boundary_error"):
        assert found[name] == pytest.approx(expected[name], abs=1e-6), name
    assert found["bias_imbalance"] == 0


def test_biases_that_differ_between_phases_are_measured():
    module = Shuffled(4, 2, 3).double()
    module.mix.bias.data = torch.tensor([1.0, 0, 0, 1, 1, 1], dtype=torch.float64)
    found = weight_measures(kernel_of(module, 4), 14700.0)
    # P[0] = 1/3 and 1, P[1] = P[2] = 1/3 and 0.
    expected = np.sqrt((2 / 9) / (1 / 9 + 1))
    assert found["bias_imbalance"] == pytest.approx(expected, abs=EXACT)
