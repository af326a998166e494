"""Repair: weights whose phases answer constant inputs alike, without training.

Let layer l have the taps W[i, o, j + t s] (t = 0 .. m_j - 1 in phase j) and let mu be the mean over
time of its input's activations for one sound. On average its output there has the period s:

    p[o, j] = b[o, j] + sum over i of mu[i] sum over t of W[i, o, j + t s].

Its deviation from the phases' mean, D[o, j], is the layer's comb. Phases first get equal biases.
The change of weights with M' W' = D for the means M [R, C] of R sounds, and the least norm,

    Q = M^T (M M^T)^-1 D / m_j  per tap of phase j,

takes it away; for silence alone this is a rank-one change. With M the identity, no constant input
gives a comb. `benchmarks/repair_variants.py` weighs changes otherwise. Layers are repaired in the
order of execution: a layer's activations depend on those before it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upsampling.audit.probing import Probe
from upsampling.networks.kernels import Kernel, assign, find_kernel
from upsampling.networks.network import Floats, Network, NetworkError
from upsampling.networks.upsamplers import Layer, Structure

# The part of activations, at either end, that is left out: the borders of a sound, and the part of
# a constant's that a recurrent layer has not settled from.
BORDER, UNSETTLED = 0.1, 0.45
# The change [in, out, count] of the taps of one phase, from the means [R, in], their deviation
# [R, out], the activations [in, time] of each sound, and the count of taps.
Solve = Callable[[Floats, Floats, Sequence[Floats], int], Floats]


@dataclass(frozen=True)
class Change:
    """The relative size in dB of a layer's change of weights, or the reason for none."""

    name: str
    change_db: float | None
    reason: str = ""


def least_norm(
    means: Floats, deviation: Floats, activations: Sequence[Floats], count: int
) -> Floats:
    """The least change for all `means`: taps share it equally.

    Means that depend on others are met in the least-squares sense.
    """
    solved = np.linalg.pinv(means @ means.T, rcond=1e-12, hermitian=True) @ deviation
    return np.repeat((means.T @ solved / count)[:, :, None], count, axis=2)


def repair(
    structure: Structure,
    sounds: Sequence[Probe],
    every_constant: bool = False,
    solve: Solve = least_norm,
) -> list[Change]:
    """Repair every layer that has weights, in place; returns the change of each.

    With `every_constant`, the phases' sums become equal, whatever the sounds.
    """
    # Layers may share weights: all changes are those of the whole repair.
    before, reasons, changes = [find_kernel(structure, one) for one in structure.layers], [], []
    for layer in structure.layers:
        try:
            reasons.append(_repair_layer(structure, layer, sounds, every_constant, solve))
        except NetworkError as error:
            reasons.append(str(error))
    for layer, old, reason in zip(structure.layers, before, reasons, strict=True):
        new = find_kernel(structure, layer)
        size = relative_size(new.taps - old.taps, old.taps) if old and new and not reason else None
        changes.append(Change(layer.name, size, reason))
    return changes


def relative_size(change: Floats, weights: Floats) -> float:
    """Energy of a change in dB relative to that of the weights; -300 for none."""
    ratio = float(np.sum(change**2) / np.sum(weights**2))
    return 10 * float(np.log10(max(ratio, 1e-30)))


def _repair_layer(
    structure: Structure, layer: Layer, sounds: Sequence[Probe], every_constant: bool, solve: Solve
) -> str:
    """Repair one layer; returns why it was left as it is, or ''."""
    kernel = find_kernel(structure, layer)
    if kernel is None or kernel.source is None:
        return "its filters are fixed" if kernel else "it is no linear filter with weights"
    activations = [middle_activations(structure.network, kernel, one.inputs) for one in sounds]
    means = np.array([one.mean(axis=-1) for one in activations])
    if every_constant:
        means = np.eye(len(kernel.taps))
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
            reaching = [one[inside] for one in activations]
            change = solve(means[:, inside], deviation[:, outside, phase], reaching, int(count))
            places = np.arange(phase, taps.shape[-1], kernel.stride)
            taps[np.ix_(inside, outside, places)] -= change
    assign(structure.network, kernel, taps, bias)
    return ""


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
