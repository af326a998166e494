"""The exact response to constants: against the closed form of linear stacks, and slow networks."""

from functools import reduce

import numpy as np
import pytest
import torch
from audited_networks import hifi_gan, operators, seeded, under_audit
from torch import nn

from upsampling.audit.combs import line_powers
from upsampling.audit.steady import periods_of, run, settle
from upsampling.networks.network import NetworkError
from upsampling.theory.filters import Filters
from upsampling.theory.taps import operator_taps

# The largest error allowed, and that of double precision.
DECIBELS = 0.01
EXACT = 1e-12


def closed_form(stack: nn.Sequential, values: np.ndarray) -> np.ndarray:
    """One period [1, S] of the response to a constant, by the noble identity alone."""
    filters = reduce(Filters.then, [operator_taps(layer) for layer in stack])
    return filters.steady_output(values[:, None])


@pytest.mark.parametrize("name", ["transposed", "subpixel", "nearest", "linear", "lazy_wavelet"])
@pytest.mark.parametrize("strides", [(8, 8, 4), (4,), (2, 4)])
@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_lines_are_those_of_the_closed_form(name, strides, constant):
    stack = seeded(lambda: operators(*strides, name=name)).double()
    _, structure = under_audit(stack, 4)
    values = constant * np.random.default_rng(0).standard_normal(4)
    steady = settle(structure, values)
    period = closed_form(stack, values)
    assert structure.total_stride in (1, period.shape[-1])
    repeated = np.tile(steady.period, period.shape[-1] // structure.total_stride)
    expected, found = line_powers(period)[0], line_powers(repeated)[0]
    audible = expected > 1e-24
    assert audible.any()
    assert np.abs(10 * np.log10(found[audible] / expected[audible])).max() < DECIBELS
    assert found[~audible] == pytest.approx(0, abs=1e-24)
    assert steady.settled


@pytest.mark.parametrize("strides", [(8, 8, 4), (2, 3, 5)])
def test_a_period_is_what_the_middle_of_any_longer_run_holds(strides):
    module = seeded(lambda: hifi_gan(strides))
    _, structure = under_audit(module, 6)
    values = np.random.default_rng(1).standard_normal(6)
    steady = settle(structure, values)
    total = int(np.prod(strides))
    assert steady.period.shape == (1, total)
    with torch.no_grad():
        output = module(torch.from_numpy(values)[None, :, None].expand(1, 6, 400))[0, 0].numpy()
    for start in (200 * total, 311 * total):
        assert steady.period[0] == pytest.approx(output[start : start + total], abs=EXACT)


class Slow(nn.Module):
    """A leaky integrator in a recurrent layer, then a transposed convolution."""

    def __init__(self, keep: float):
        super().__init__()
        self.recurrent = nn.RNN(2, 2, nonlinearity="relu", batch_first=True)
        self.up = nn.ConvTranspose1d(2, 1, 8, 4)
        for name, parameter in self.recurrent.named_parameters():
            parameter.data.zero_()
            if name == "weight_hh_l0":
                parameter.data += keep * torch.eye(2)
            if name == "bias_ih_l0":
                parameter.data += 1 - keep

    def forward(self, signal):
        return self.up(self.recurrent(signal.mT)[0].mT)


def test_recurrent_layers_are_given_the_time_to_settle():
    keep = 1 - 1 / 64  # Exact in single precision, as is the bias that brings the state to 1.
    module = seeded(lambda: Slow(keep))
    _, structure = under_audit(module, 2)
    steady = settle(structure, np.zeros(2))
    limit = closed_form_of_up(module)
    assert steady.settled
    assert steady.period == pytest.approx(limit, abs=1e-9)
    # The state is within 1e-9 of its limit after some n frames with keep^n = 1e-9.
    assert steady.length > 2 * np.log(1e-9) / np.log(keep)


def closed_form_of_up(module: Slow) -> np.ndarray:
    """The period for a recurrent state of 1: sums of every fourth weight, and the bias."""
    weight = module.up.weight.detach().double().numpy()
    sums = weight.reshape(2, 1, 2, 4).sum(axis=(0, 2))
    return sums + module.up.bias.detach().double().numpy()[:, None]


class Ramp(nn.Module):
    """Counts the frames, as positional encodings do: no constant response."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose1d(2, 1, 8, 4)

    def forward(self, signal):
        time = torch.arange(signal.shape[-1]) / 1000
        return self.up(signal + torch.sin(time))


def test_a_response_that_never_settles_is_said_to_be_so():
    _, structure = under_audit(seeded(Ramp), 2)
    steady = settle(structure, np.zeros(2))
    assert not steady.settled
    assert steady.floor == steady.difference > -100
    early, late, _ = periods_of(run(structure, np.zeros(2), steady.length), 4)
    expected = 10 * np.log10(np.mean((early - late) ** 2))
    assert steady.difference == pytest.approx(expected, abs=EXACT)


def test_numbers_that_are_not_finite_are_refused():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.ConvTranspose1d(1, 1, 4, 2)

        def forward(self, signal):
            return self.up(signal / signal.std())

    _, structure = under_audit(Broken(), 1)
    with pytest.raises(NetworkError, match="not finite"):
        settle(structure, np.zeros(1))


def test_an_output_without_two_periods_is_refused():
    with pytest.raises(NetworkError, match="no two periods of 8"):
        periods_of(np.zeros((1, 15)), 8)
    early, late, start = periods_of(np.arange(16.0)[None], 8)
    assert (early[0, 0], late[0, 0], start) == (0, 8, 8)
    early, late, start = periods_of(np.arange(17.0)[None], 8)
    assert (early[0, 0], late[0, 0], start) == (0, 8, 8)
