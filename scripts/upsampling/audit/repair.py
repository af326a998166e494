"""Repair: weights whose phases answer constant inputs alike, without training.

Let layer l have the taps W[i, o, j + t s] (t = 0 .. m_j - 1 in phase j) and let mu be the mean over
time of its input's activations for one sound. On average its output there has the period s:

    p[o, j] = b[o, j] + sum over i of mu[i] sum over t of W[i, o, j + t s].

Its deviation from the phases' mean, D[o, j], is the layer's comb. Phases first get equal biases.
The change of weights with M' W' = D for the means M [R, C] of R sounds, and the least size

    sum of Q^T G Q,    Q = G^-1 M^T (M G^-1 M^T + diag(lambda))^-1 D / m_j  per tap of phase j,

takes it away exactly where lambda = 0, else as far as lambda allows. G is the identity (least
norm; for silence alone this is a rank-one change) or the covariance of the activations (least
change of the layer's output for sounds). Joint over lags, G is the covariance of the m_j input
samples that the taps of a phase meet, and taps need not share the change equally. Layers are
repaired in the order of execution: a layer's activations depend on those before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upsampling.networks.kernels import Kernel, assign, find_kernel
from upsampling.networks.network import Floats, Network, NetworkError
from upsampling.networks.upsamplers import Layer, Structure

# The part of activations, at either end, that is left out: the borders of a sound, and the part of
# a constant's that a recurrent layer has not settled from.
BORDER, UNSETTLED = 0.1, 0.45


@dataclass(frozen=True)
class Sound:
    """An input [channels, time] and its part: its comb goes exactly ('exact') or nearly ('soft').

    With 'metric', the covariance of its activations says which directions to leave alone.
    """

    name: str
    inputs: Floats
    use: str = "exact"


@dataclass(frozen=True)
class RepairSettings:
    """Settings of a change of weights.

    `metric` is 'norm', 'covariance' or 'lags' (the joint covariance), `ridge` the addition to the
    covariance, in units of its mean diagonal, and `penalty` the lambda of sounds that need not be
    exact, in units of the mean diagonal of M G^-1 M^T. With `every_constant`, M is the identity:
    the phases' sums become equal, no constant input gives a comb, and sounds only tell the metric.
    Each pass repairs every layer once.
    """

    metric: str = "norm"
    every_constant: bool = False
    ridge: float = 0.1
    penalty: float = 0.0
    passes: int = 1


@dataclass(frozen=True)
class Change:
    """The relative size in dB of a layer's change of weights, or the reason for none."""

    name: str
    change_db: float | None
    reason: str = ""


def repair(structure: Structure, sounds: Sequence[Sound], settings: RepairSettings) -> list[Change]:
    """Repair every layer that has weights, in place; returns the change of each."""
    before = {layer.name: find_kernel(structure, layer) for layer in structure.layers}
    reasons: dict[str, str] = {}
    for _ in range(settings.passes):
        for layer in structure.layers:
            try:
                reasons[layer.name] = _repair_layer(structure, layer, sounds, settings)
            except NetworkError as error:
                reasons[layer.name] = str(error)
    changes = []
    for layer in structure.layers:
        old, new, reason = before[layer.name], find_kernel(structure, layer), reasons[layer.name]
        size = relative_size(new.taps - old.taps, old.taps) if old and new and not reason else None
        changes.append(Change(layer.name, size, reason))
    return changes


def relative_size(change: Floats, weights: Floats) -> float:
    """Energy of a change in dB relative to that of the weights; -300 for none."""
    ratio = float(np.sum(change**2) / np.sum(weights**2))
    return 10 * float(np.log10(max(ratio, 1e-30)))


def _repair_layer(
    structure: Structure, layer: Layer, sounds: Sequence[Sound], settings: RepairSettings
) -> str:
    """Repair one layer; returns why it was left as it is, or ''."""
    kernel = find_kernel(structure, layer)
    if kernel is None or kernel.source is None:
        return "its filters are fixed" if kernel else "it is no linear filter with weights"
    network = structure.network
    means, exact, activations = _constraints(network, kernel, sounds, settings)
    bias = np.repeat(kernel.bias.mean(axis=1, keepdims=True), kernel.stride, axis=1)
    sums = np.einsum("rc,coj->roj", means, kernel.phase_sums())
    if kernel.added is not None and np.ptp(kernel.added, axis=1).any():
        # The weights make up for another operation's addition, as far as they are given a constant.
        if not np.any(means):
            return "another operation adds biases that differ between phases"
        bias = kernel.bias
        sums = sums + bias
    deviation = sums - sums.mean(axis=-1, keepdims=True)
    assert kernel.support is not None
    taps = kernel.taps.copy()
    for phase, count in enumerate(kernel.counts):
        for inside, outside in _groups(kernel.support[..., phase]):
            change = _least_change(
                means[:, inside],
                deviation[:, outside, phase],
                [one[inside] for one in activations],
                int(count),
                exact,
                settings,
            )
            places = np.arange(phase, taps.shape[-1], kernel.stride)
            taps[np.ix_(inside, outside, places)] -= change
    assign(network, kernel, taps, bias)
    return ""


def _constraints(
    network: Network, kernel: Kernel, sounds: Sequence[Sound], settings: RepairSettings
) -> tuple[Floats, NDArray[np.bool_], list[Floats]]:
    """Means [R, channels] to be answered without a comb, which exactly, and all activations."""
    activations = [middle_activations(network, kernel, sound.inputs) for sound in sounds]
    if settings.every_constant:
        channels = len(kernel.taps)
        return np.eye(channels), np.ones(channels, dtype=bool), activations
    chosen = [(s.use, a) for s, a in zip(sounds, activations, strict=True) if s.use != "metric"]
    means = np.array([one.mean(axis=-1) for _, one in chosen])
    return means, np.array([use == "exact" for use, _ in chosen]), activations


def _groups(support: NDArray[np.bool_]) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Input and output channels of each group, from which of them [in, out] are connected."""
    patterns, group = np.unique(support, axis=1, return_inverse=True)
    group = group.reshape(-1)
    return [
        (np.flatnonzero(patterns[:, index]), np.flatnonzero(group == index))
        for index in range(patterns.shape[1])
    ]


def middle_activations(network: Network, kernel: Kernel, inputs: Floats) -> Floats:
    """Input [channels, time] of a layer's weights for `inputs`, without the borders."""
    assert kernel.source is not None
    _, kept = network.run(inputs, keep=[kernel.source.key])
    values = np.asarray(kept[kernel.source.key], dtype=np.float64)
    if kernel.source.kind == "linear":
        values = np.moveaxis(values, -1, -2)
    rows = values.reshape(-1, values.shape[-1])
    constant = bool(np.all(inputs == inputs[:, :1]))
    border = int((UNSETTLED if constant else BORDER) * rows.shape[-1])
    return rows[:, border : rows.shape[-1] - border]


def _least_change(
    means: Floats,
    deviation: Floats,
    activations: Sequence[Floats],
    count: int,
    exact: NDArray[np.bool_],
    settings: RepairSettings,
) -> Floats:
    """The change [in, out, count] of the taps of one phase, whose `deviation` is [R, out]."""
    channels = means.shape[1]
    if settings.metric == "lags":
        rows = np.tile(means, count)
        part = least_change(rows, deviation, covariance(activations, count), exact, settings)
        return part.reshape(count, channels, -1).transpose(1, 2, 0)
    metric = covariance(activations, 1) if settings.metric == "covariance" else None
    part = least_change(means, deviation, metric, exact, settings) / count
    return np.repeat(part[:, :, None], count, axis=2)


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
