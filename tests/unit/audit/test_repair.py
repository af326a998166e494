"""Repairs: the rank-one formula, its least-norm generalisation, and networks silent in silence."""

import numpy as np
import pytest
import torch
from audited_networks import (
    AutoEncoder,
    FunctionalUp,
    Shuffled,
    SpectralHead,
    hifi_gan,
    seeded,
    under_audit,
)
from repair_variants import RepairSettings, Sound, covariance, least_change, repair_by
from torch import nn

from upsampling.audit.combs import total_level
from upsampling.audit.repair import least_norm, middle_activations, repair
from upsampling.audit.steady import settle
from upsampling.networks.kernels import find_kernel

EXACT = 1e-9
# Lines that rounding the weights to single precision leaves, below those of a random network.
SINGLE_DB = -130.0
FRAMES = 128


def silence(network) -> Sound:
    return Sound("silence", np.zeros((network.channels, FRAMES)))


def level_of(structure, values=None) -> float:
    values = np.zeros(structure.network.channels) if values is None else values
    return total_level(settle(structure, values).period)


def test_the_repair_for_silence_is_the_rank_one_formula():
    """W[i, o, j + t s] -= mu_i (p[o, j] - mean_j p[o, j]) / (m |mu|^2), by loops."""
    module = seeded(lambda: nn.Sequential(nn.Conv1d(4, 5, 3), nn.ConvTranspose1d(5, 3, 8, 4)))
    module[1].weight.data.mul_(1.7)
    weight = module[1].weight.detach().double().numpy().copy()
    mu = module[0].bias.detach().double().numpy()
    network, structure = under_audit(module, 4)
    repair(structure, [silence(network)])
    expected = weight.copy()
    for o in range(3):
        p = [sum(mu[i] * weight[i, o, j::4].sum() for i in range(5)) for j in range(4)]
        for j in range(4):
            for i in range(5):
                change = mu[i] * (p[j] - np.mean(p)) / (2 * np.sum(mu**2))
                expected[i, o, j::4] -= change
    found = module[1].weight.detach().numpy()
    assert found == pytest.approx(expected, abs=1e-7)
    sizes = np.linalg.svd((found - weight)[:, 0])[1]
    assert sizes[1] < 1e-5 * sizes[0]


@pytest.mark.parametrize(
    "build",
    [
        lambda: hifi_gan((8, 8, 4)),
        lambda: hifi_gan((2, 3, 5)),
        lambda: nn.Sequential(nn.Conv1d(6, 4, 3), Shuffled(4, 4, 3), nn.ReLU(), Shuffled(4, 1, 4)),
        lambda: nn.Sequential(nn.Conv1d(6, 4, 3), nn.ReLU(), nn.ConvTranspose1d(4, 1, 7, 4)),
        lambda: nn.Sequential(
            nn.Conv1d(6, 4, 3),
            nn.ConvTranspose1d(4, 4, 8, 4, groups=2),
            nn.Tanh(),
            Shuffled(4, 1, 2),
        ),
    ],
)
@pytest.mark.parametrize("metric", ["norm", "covariance", "lags"])
def test_a_repaired_network_is_silent_in_silence(build, metric):
    network, structure = under_audit(seeded(build), 6)
    before = level_of(structure)
    assert before > -80
    noise = np.random.default_rng(0).standard_normal((6, FRAMES))
    sounds = [silence(network), Sound("noise", noise, "metric")]
    if metric == "norm":
        changes = repair(structure, sounds[:1])
    else:
        changes = repair_by(structure, sounds, RepairSettings(metric))
    assert level_of(structure) < before + SINGLE_DB
    assert all(-80 < change.change_db < 0 for change in changes)


def test_audio_networks_with_recurrence_and_stereo_are_repaired():
    _, structure = under_audit(seeded(lambda: AutoEncoder(2, (4, 5))), 2, "audio")
    before = level_of(structure)
    repair(structure, [Sound("silence", np.zeros((2, 4000)))])
    assert level_of(structure) < before + SINGLE_DB


def test_every_constant_is_answered_without_a_line():
    network, structure = under_audit(seeded(lambda: hifi_gan((4, 5))), 6)
    values = np.random.default_rng(5).standard_normal(6)
    before = level_of(structure, values)
    repair(structure, [silence(network)], every_constant=True)
    assert level_of(structure, values) < before + SINGLE_DB
    for layer in structure.layers:
        sums = find_kernel(structure, layer).phase_sums()
        assert np.ptp(sums, axis=-1).max() < 1e-6


def test_constants_among_the_constraints_are_answered_without_a_line():
    network, structure = under_audit(seeded(lambda: hifi_gan((4, 4))), 6)
    values = np.random.default_rng(1).standard_normal((3, 6))
    repeated = [np.repeat(one[:, None], FRAMES, axis=1) for one in values]
    before = [level_of(structure, one) for one in values]
    sounds = [Sound(str(n), one) for n, one in enumerate(repeated)]
    # Two channels reach the last layer's input with four: three constraints fit.
    repair(structure, [silence(network), *sounds[:2]])
    after = [level_of(structure, one) for one in values]
    assert after[0] < before[0] + SINGLE_DB
    assert after[1] < before[1] + SINGLE_DB
    assert after[2] > before[2] - 40


@pytest.mark.parametrize("rows", [2, 5])
def test_the_least_change_is_that_of_least_squares(rows):
    rng = np.random.default_rng(0)
    means, wanted = rng.standard_normal((rows, 7)), rng.standard_normal((rows, 3))
    exact = np.ones(rows, dtype=bool)
    found = least_norm(means, wanted, [], 1)[:, :, 0]
    assert found == pytest.approx(np.linalg.pinv(means) @ wanted, abs=EXACT)
    samples = rng.standard_normal((7, 200)) * np.arange(1, 8)[:, None]
    metric = covariance([samples], 1)
    weighted = least_change(means, wanted, metric, exact, RepairSettings(ridge=1e-9))
    assert means @ weighted == pytest.approx(wanted, abs=EXACT)
    # Any other solution changes the output for the samples by more.
    null = np.linalg.svd(means)[2][rows:]
    for _ in range(20):
        other = weighted + null.T @ rng.standard_normal((len(null), 3))
        assert np.sum((other.T @ samples) ** 2) > np.sum((weighted.T @ samples) ** 2)


def test_a_penalty_gives_way_and_exact_sounds_do_not():
    rng = np.random.default_rng(0)
    means, wanted = rng.standard_normal((4, 7)), rng.standard_normal((4, 3))
    exact = np.array([True, False, False, False])
    errors, sizes = [], []
    for penalty in (0.0, 0.1, 10.0):
        found = least_change(means, wanted, None, exact, RepairSettings(penalty=penalty))
        assert (means @ found)[0] == pytest.approx(wanted[0], abs=EXACT)
        errors.append(np.linalg.norm((means @ found - wanted)[1:]))
        sizes.append(np.linalg.norm(found))
    assert errors[0] < EXACT < errors[1] < errors[2]
    assert sizes[0] > sizes[1] > sizes[2]


def test_covariance_stacks_the_samples_that_taps_meet():
    signal = np.arange(12.0).reshape(2, 6)
    found = covariance([signal], 2)
    expected = np.zeros((4, 4))
    for n in range(1, 6):
        x = np.concatenate([signal[:, n], signal[:, n - 1]])
        expected += np.outer(x, x) / 5
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("constant", "kept"), [(True, 0.1), (False, 0.8)])
def test_the_middle_of_activations_counts(constant, kept):
    """A tenth of a constant's, which recurrent layers settle to; all but a tenth at either end."""
    network, structure = under_audit(seeded(lambda: hifi_gan((4, 4))), 6)
    kernel = find_kernel(structure, structure.layers[0])
    inputs = np.random.default_rng(0).standard_normal((6, 1000))
    found = middle_activations(network, kernel, np.ones_like(inputs) if constant else inputs)
    assert found.shape[1] == pytest.approx(kept * 1000, abs=2)


def test_layers_without_weights_are_left_and_said_to_be():
    module = nn.Sequential(
        nn.Conv1d(4, 4, 3),
        FunctionalUp(4, 3),
        nn.ConvTranspose1d(4, 8, 8, 4),
        SpectralHead(8, 6, 24),
    )
    network, structure = under_audit(seeded(lambda: module), 4)
    changes = repair(structure, [silence(network)])
    assert [change.reason for change in changes] == [
        "its filters are fixed",
        "",
        "it is no linear filter with weights",
    ]
    assert changes[1].change_db is not None


def test_a_network_that_is_silent_already_is_left_as_it_is():
    module = seeded(lambda: hifi_gan((4, 4)))
    for one in module.modules():
        if isinstance(one, nn.Conv1d | nn.ConvTranspose1d):
            one.bias.data.zero_()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network, structure = under_audit(module, 6)
    changes = repair_by(structure, [silence(network)], RepairSettings("covariance"))
    assert [change.change_db for change in changes] == [-300.0, -300.0]
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor.float(), before[name])
