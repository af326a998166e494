"""Variants of a repair: other measures of a change's size, and sounds that need not be exact.

The change of weights with M' W' = D for the means M [R, C] of R sounds, and the least size

    sum of Q^T G Q,    Q = G^-1 M^T (M G^-1 M^T + diag(lambda))^-1 D / m_j  per tap of phase j,

takes the comb D away exactly where lambda = 0, else as far as lambda allows. G is the identity (the
method of `upsampling.audit.repair`) or the covariance of the activations (least change of the
layer's output for sounds). Joint over lags, G is the covariance of the m_j input samples that the
taps of a phase meet, and taps need not share the change equally.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upsampling.audit.probing import Probe
from upsampling.audit.repair import Change, Solve, repair
from upsampling.networks.network import Floats
from upsampling.networks.upsamplers import Structure


@dataclass(frozen=True)
class Sound(Probe):
    """An input [channels, time] and its part: its comb goes exactly ('exact') or nearly ('soft').

    With 'metric', the covariance of its activations says which directions to leave alone.
    """

    use: str = "exact"


@dataclass(frozen=True)
class RepairSettings:
    """Settings of a change of weights.

    `metric` is 'norm', 'covariance' or 'lags' (the joint covariance), `ridge` the addition to the
    covariance, in units of its mean diagonal, and `penalty` the lambda of sounds that need not be
    exact, in units of the mean diagonal of M G^-1 M^T. With `every_constant`, M is the identity,
    and sounds only tell the metric. Each pass repairs every layer once.
    """

    metric: str = "norm"
    every_constant: bool = False
    ridge: float = 0.1
    penalty: float = 0.0
    passes: int = 1


def repair_by(
    structure: Structure, sounds: Sequence[Sound], settings: RepairSettings
) -> list[Change]:
    """Repair every layer that has weights, in place; returns its change in the last pass."""
    changes: list[Change] = []
    for _ in range(settings.passes):
        changes = repair(structure, sounds, settings.every_constant, _solver(sounds, settings))
    return changes


def _solver(sounds: Sequence[Sound], settings: RepairSettings) -> Solve:
    def solve(
        means: Floats, deviation: Floats, activations: Sequence[Floats], count: int
    ) -> Floats:
        """The change [in, out, count] of one phase's taps, as `upsampling.audit.repair.Solve`."""
        exact = np.ones(len(means), dtype=bool)
        if not settings.every_constant:
            chosen = [place for place, one in enumerate(sounds) if one.use != "metric"]
            exact = np.array([sounds[place].use == "exact" for place in chosen])
            means, deviation = means[chosen], deviation[chosen]
        if settings.metric == "lags":
            rows = np.tile(means, count)
            part = least_change(rows, deviation, covariance(activations, count), exact, settings)
            return part.reshape(count, means.shape[1], -1).transpose(1, 2, 0)
        metric = covariance(activations, 1) if settings.metric == "covariance" else None
        part = least_change(means, deviation, metric, exact, settings) / count
        return np.repeat(part[:, :, None], count, axis=2)

    return solve


def least_change(
    rows: Floats,
    wanted: Floats,
    metric: Floats | None,
    exact: NDArray[np.bool_],
    settings: RepairSettings,
) -> Floats:
    """The least X [n, out] in `metric` [n, n] (None: identity) with `rows` [R, n] X = `wanted`.

    Sounds that are not `exact` [R] are met up to the penalty. Rows that depend on others are met in
    the least-squares sense.
    """
    if metric is None:
        weighted = rows.T
    else:
        ridge = settings.ridge * float(np.mean(np.diag(metric)))
        if ridge <= 0:
            return np.zeros((rows.shape[1], wanted.shape[1]))
        weighted = np.linalg.solve(metric + ridge * np.eye(len(metric)), rows.T)
    gram = rows @ weighted
    scale = float(np.mean(np.diag(gram)))
    gram = gram + np.diag(np.where(exact, 0.0, settings.penalty * scale))
    return weighted @ (np.linalg.pinv(gram, rcond=1e-12, hermitian=True) @ wanted)


def covariance(activations: Sequence[Floats], lags: int) -> Floats:
    """Mean of x x^T over all samples, sounds weighing alike; x stacks `lags` samples."""
    total = 0.0
    for one in activations:
        time = one.shape[-1] - lags + 1
        stacked = np.concatenate([one[:, lag : lag + time] for lag in reversed(range(lags))])
        total = total + stacked @ stacked.T / time
    return np.asarray(total) / len(activations)
