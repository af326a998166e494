"""Kernels: any layer's weights as filters after zero insertion, checked by the layer's output."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from audited_networks import (
    AntiAliased,
    AutoEncoder,
    FunctionalNetwork,
    FunctionalUp,
    Shuffled,
    SpectralHead,
    Stuffed,
    seeded,
    under_audit,
)
from noted import assert_noted
from noted_networks import described_network
from torch import nn

from upsampling.networks.kernels import assign, find_kernel, regrouped, ungrouped
from upsampling.networks.network import Weights
from upsampling.operators.kaiser_sinc import KaiserSinc
from upsampling.operators.sinc import Sinc
from upsampling.theory.filters import Filters

NOTED = Path(__file__).with_name("noted")
EXACT = 1e-12
SINGLE = 1e-6


class LinearFrames(nn.Module):
    """A linear layer writes all samples of a frame, as spectral-domain heads do."""

    def __init__(self):
        super().__init__()
        self.frames = nn.Linear(4, 5)

    def forward(self, signal):
        return self.frames(signal.mT).reshape(signal.shape[0], 1, -1)


class TwoBiases(nn.Module):
    """A shuffle whose bias another operation adds."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv1d(4, 3, 1)
        self.offset = nn.Parameter(torch.randn(3, 1))

    def forward(self, signal):
        return (self.mix(signal) + self.offset).mT.reshape(signal.shape[0], 1, -1)


LAYERS = {
    "full overlap": lambda: nn.ConvTranspose1d(4, 3, 8, 4, padding=2),
    "partial overlap": lambda: nn.ConvTranspose1d(4, 3, 7, 4, padding=1),
    "groups": lambda: nn.ConvTranspose1d(4, 6, 8, 4, padding=2, groups=2),
    "shuffle": lambda: Shuffled(4, 2, 3),
    "phases first": lambda: Shuffled(4, 2, 3, phases_first=True),
    "linear": LinearFrames,
    "two biases": TwoBiases,
    "module": lambda: Stuffed(4, 4),
}
# They have several layers, or one that has no kernel.
NETWORKS = {
    "interpolation": lambda: FunctionalUp(4, 3, "linear"),
    "functions": FunctionalNetwork,
    "anti-aliased": AntiAliased,
    "audio": lambda: AutoEncoder(2, (4, 5)),
    "spectral": lambda: SpectralHead(4, 6, 24),
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_kernel_does_what_the_layer_does(name):
    """The steady answer to a signal of period 3 is that of zero insertion and the kernel."""
    module = nn.Sequential(seeded(LAYERS[name])).double()
    network, structure = under_audit(module, 4)
    layer = structure.layers[0]
    kernel = find_kernel(structure, layer)
    filters = Filters(kernel.taps.swapaxes(0, 1), 0, kernel.stride, kernel.bias)
    period = np.random.default_rng(0).standard_normal((4, 3))
    expected = filters.steady_output(period)
    output, _ = network.run(np.tile(period, 20))
    middle = output[0][:, 30 * kernel.stride :][:, : 3 * kernel.stride]
    # Paddings delay: some shift of the period fits, for all channels the same.
    errors = [np.abs(np.roll(expected, s, axis=-1) - middle).max() for s in range(middle.shape[-1])]
    assert min(errors) < EXACT
    assert (kernel.source is not None) == (name != "module")


def test_fixed_interpolations_have_the_filters_that_their_names_say():
    for mode, expected in (("nearest", [1, 1, 1, 1]), ("linear", [1, 3, 5, 7, 7, 5, 3, 1])):
        _, structure = under_audit(nn.Sequential(seeded(lambda m=mode: FunctionalUp(4, 4, m))), 4)
        kernel = find_kernel(structure, structure.layers[0])
        taps = kernel.taps[0, 0]
        scale = 1 if mode == "nearest" else 8
        assert scale * taps[np.flatnonzero(taps)] == pytest.approx(expected, abs=EXACT)
        assert kernel.source is None


@pytest.mark.parametrize("operator", [Sinc, KaiserSinc])
def test_channels_that_are_filtered_as_a_batch_have_no_kernel(operator):
    _, structure = under_audit(seeded(lambda: operator(4, 3, stride=4)), 4)
    assert [layer.stride for layer in structure.layers] == [4]
    assert find_kernel(structure, structure.layers[0]) is None


def test_what_is_not_linear_has_no_kernel():
    module = nn.Sequential(nn.Conv1d(4, 8, 3), SpectralHead(8, 6, 24))
    _, structure = under_audit(seeded(lambda: module), 4)
    assert find_kernel(structure, structure.layers[0]) is None


@pytest.mark.parametrize("name", sorted({*LAYERS} - {"module"}))
def test_assigned_filters_are_those_that_are_read_back(name):
    module = nn.Sequential(seeded(LAYERS[name]))
    network, structure = under_audit(module, 4)
    layer = structure.layers[0]
    kernel = find_kernel(structure, layer)
    rng = np.random.default_rng(0)
    # Weights of other groups are none, and the biases of a transposed convolution are one.
    taps = kernel.taps * rng.uniform(0.5, 1.5, kernel.taps.shape)
    bias = np.repeat(rng.standard_normal((len(kernel.bias), 1)), kernel.stride, axis=1)
    assign(network, kernel, taps, bias)
    found = find_kernel(structure, layer)
    assert found.taps == pytest.approx(taps, abs=SINGLE)
    assert found.bias == pytest.approx(bias, abs=SINGLE)
    # Stored in single precision, as the weights came.
    stored = next(iter(module.parameters()))
    assert torch.equal(stored, stored.float().double())


@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_groups_are_blocks(transposed, groups):
    kind = nn.ConvTranspose1d if transposed else nn.Conv1d
    layer = kind(6, 12, 5, groups=groups, bias=False).double()
    weights = Weights(layer.weight.detach().numpy(), np.zeros(12), transposed, 1, groups, 0)
    full = ungrouped(weights)
    assert full.shape == (6, 12, 5)
    assert np.count_nonzero(full) == layer.weight.numel()
    assert np.array_equal(regrouped(full, weights), weights.weight)
    dense = kind(6, 12, 5, bias=False).double()
    dense.weight.data = torch.from_numpy(full if transposed else full.swapaxes(0, 1).copy())
    signal = torch.randn(1, 6, 20, dtype=torch.float64)
    assert torch.allclose(dense(signal), layer(signal))


@pytest.mark.parametrize("name", [*LAYERS, *NETWORKS])
def test_whole_networks_are_those_that_were_noted(name):
    build = (LAYERS | NETWORKS)[name]
    if name == "audio":
        _, structure = under_audit(seeded(build), 2, "audio")
    else:
        module = seeded(lambda: nn.Sequential(nn.Conv1d(4, 4, 3), build()))
        _, structure = under_audit(module, 4)
    assert_noted(NOTED / f"{name}.txt", described_network(structure))


def test_transposed_convolutions_whose_taps_are_not_understood_have_no_kernel():
    """Dilated ones; and one that lengthens by another factor than its stride."""
    dilated = seeded(lambda: nn.ConvTranspose1d(4, 1, 4, 4, dilation=2))
    _, structure = under_audit(nn.Sequential(dilated), 4)
    assert find_kernel(structure, structure.layers[0]) is None
    _, structure = under_audit(nn.Sequential(seeded(LAYERS["full overlap"])), 4)
    other = dataclasses.replace(structure.layers[0], stride=2)
    assert find_kernel(structure, structure.layers[0]) is not None
    assert find_kernel(structure, other) is None
