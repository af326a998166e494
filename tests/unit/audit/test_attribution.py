"""Attribution: planted imbalances are found where they were planted."""

import dataclasses

import numpy as np
import pytest
from audited_networks import SpectralHead, hifi_gan, seeded, under_audit
from torch import nn

from upsampling.audit.attribution import attribute, makers_of
from upsampling.audit.steady import settle

# Flat layers leave nothing of their own comb but rounding.
NOTHING_DB = -250.0


def planted(strides: tuple[int, ...], places: tuple[int, ...]) -> nn.Sequential:
    """A vocoder whose layers have equal phases, except those at `places`."""
    module = seeded(lambda: hifi_gan(strides)).double()
    for index in range(len(strides)):
        layer = module[2 + 4 * index]
        count = layer.kernel_size[0] // layer.stride[0]
        phases = layer.weight.data.unflatten(2, (count, layer.stride[0]))
        phases[:] = phases[..., :1].clone()
        if index in places:
            phases[..., 0] *= 1.5
    return module


@pytest.mark.parametrize("strides", [(8, 8, 4), (2, 3, 5)])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_planted_imbalance_is_found_in_its_layer(strides, place):
    _, structure = under_audit(planted(strides, (place,)), 6)
    values = np.ones(6)
    found = attribute(structure, settle(structure, values), values)
    own = len(strides) - 1 - place
    for comb in range(own):
        # Coarser combs hold the planted tone's harmonics, if equal phases leave any.
        assert found.comb_makers[comb] in ((place,), ())
    assert found.comb_makers[own] == (place,)
    for comb in range(own + 1, len(strides)):
        assert found.comb_makers[comb] == ()
        assert found.as_is[comb] < NOTHING_DB
    assert {makers for makers in found.makers if makers} == {(place,)}
    assert max(found.flat[place]) < NOTHING_DB
    for other in {0, 1, 2} - {place}:
        assert found.flat[other][own] > found.as_is[own] - 12


def test_two_planted_imbalances_are_told_apart():
    _, structure = under_audit(planted((8, 8, 4), (0, 2)), 6)
    values = np.ones(6)
    found = attribute(structure, settle(structure, values), values)
    assert found.periods == [4, 32, 256]
    assert found.comb_makers[0] == (2,)
    assert found.comb_makers[2] == (0,)
    assert found.flat[0][2] < NOTHING_DB
    assert found.flat[2][0] < found.as_is[0] - 20


def test_an_inverse_stft_makes_the_lines_of_its_hop():
    module = nn.Sequential(nn.Conv1d(4, 8, 3), SpectralHead(8, 6, 24))
    _, structure = under_audit(seeded(lambda: module), 4)
    found = attribute(structure, settle(structure, np.zeros(4)), np.zeros(4))
    assert found.periods == [6]
    assert found.comb_makers == [(0,)]
    assert found.as_is[0] > -60
    assert found.flat[0][0] < NOTHING_DB


def test_a_network_without_lines_has_no_makers():
    _, structure = under_audit(planted((4, 4), ()), 6)
    found = attribute(structure, settle(structure, np.ones(6)), np.ones(6))
    assert set(found.makers) == {()}
    assert found.comb_makers == [(), ()]


def test_lines_below_the_floor_have_no_makers():
    """A stride of 2 has one line, at the Nyquist frequency."""
    _, structure = under_audit(planted((2,), (0,)), 6)
    steady = settle(structure, np.ones(6))
    (level,) = attribute(structure, steady, np.ones(6)).as_is
    for above, makers in ((-1.0, (0,)), (1.0, ())):
        judged = dataclasses.replace(steady, floor=level + above)
        assert attribute(structure, judged, np.ones(6)).comb_makers == [makers]


def test_lines_of_several_layers_are_said_to_be():
    assert makers_of(1.0, [0.01, 0.9], [0.99, 0.1]) == (0,)
    assert makers_of(1.0, [0.01, 0.05], [0.99, 0.95]) == (0, 1)
    assert makers_of(1.0, [0.01, 0.4], [0.99, 0.6]) == (0,)
    # Two parts of 10 that nearly cancel: each alone is larger than their sum.
    assert makers_of(1.0, [10.0, 10.5, 1.0], [9.5, 10.0, 0.0]) == (0, 1)
    assert makers_of(1.0, [1.0, 1.0], [0.1, 0.2]) == ()
    # Nothing takes half of 10 away, but one changes more than half.
    assert makers_of(10.0, [9.0, 10.0], [5.5, 0.5]) == (0,)
    # The first takes more than half of 2 away; the second changes more.
    assert makers_of(2.0, [0.8, 1.9], [1.2, 1.5]) == (0,)
    assert makers_of(1.0, [], []) == ()
