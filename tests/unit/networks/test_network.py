"""The intervention: the mean of each period, on the layer's own grid."""

import numpy as np
import pytest
import torch
from audited_networks import under_audit
from torch import nn

from upsampling.networks.network import Flat


@pytest.mark.parametrize("axis", [-1, 1])
def test_flat_is_the_mean_of_each_period(axis):
    output = np.random.default_rng(0).normal(size=(2, 11, 3)).swapaxes(1, axis)
    flat = np.moveaxis(Flat(("", "", 1), axis, 4, 3)(output), axis, -1)
    moved = np.moveaxis(output, axis, -1)
    for start, end in ((0, 1), (1, 5), (5, 9), (9, 11)):
        mean = moved[..., start:end].mean(axis=-1, keepdims=True)
        assert flat[..., start:end] == pytest.approx(
            np.broadcast_to(mean, flat[..., start:end].shape)
        )
    assert flat.dtype == output.dtype


def test_the_grid_is_the_layers_own():
    """The mean of an impulse's response stands on the whole period of its input sample."""
    layer = nn.ConvTranspose1d(1, 1, 4, 4, padding=0)
    cut = nn.ConvTranspose1d(1, 1, 8, 4, padding=2, bias=False)
    cut.weight.data[:] = 0
    cut.weight.data[..., :4] = torch.arange(4.0)
    for module, offset in ((layer, 0), (cut, 2)):
        _, structure = under_audit(nn.Sequential(module), 1)
        assert structure.layers[0].offset == offset
    network, structure = under_audit(nn.Sequential(cut), 1)
    inputs = np.zeros((1, 9))
    inputs[0, 4] = 1
    output, _ = network.run(inputs, [structure.layers[0].flat])
    assert set(np.flatnonzero(output[0, 0])) == {14, 15, 16, 17}
    assert output[0, 0, 14:18] == pytest.approx(1.5)
