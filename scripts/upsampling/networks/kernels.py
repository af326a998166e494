"""A layer's weights as one filter bank after zero insertion, whatever computes it.

* A transposed convolution's weights are the filters.
* A convolution (or linear layer) and a shuffle: which of its channels is which phase of which
  output channel is read off the shuffle itself, applied to numbers instead of samples.
* An interpolation, and a module that upsamples in a way of its own: their responses to impulses.

An inverse STFT of magnitudes and phases is not linear, and has no kernel.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from upsampling.networks.network import Floats, Network, Operation, Weights
from upsampling.networks.upsamplers import Layer, Structure

# Input channels of a module whose responses to impulses are taken, at most.
MOST_CHANNELS = 32


@dataclass(frozen=True)
class Kernel:
    """Filters `taps` [in, out, count] of a layer of `stride`, `bias` [out, stride] of its phases.

    `source` is the operation that has the weights, None for fixed filters, and `channels`
    [out, stride] its output channel of each phase, None for a transposed convolution. `added`
    [out, stride] is the part of the bias that another operation adds. `support` [in, out, stride]
    says which input channels reach which output, where groups keep others away.
    """

    taps: Floats
    bias: Floats
    stride: int
    size: int | None
    source: Operation | None = None
    channels: NDArray[np.intp] | None = None
    added: Floats | None = None
    support: NDArray[np.bool_] | None = None

    @property
    def counts(self) -> NDArray[np.intp]:
        """Number of taps of each phase [stride]."""
        return np.bincount(np.arange(self.taps.shape[-1]) % self.stride, minlength=self.stride)

    def phase_sums(self) -> Floats:
        """p [in, out, stride]: the sum of the taps of each phase."""
        missing = -self.taps.shape[-1] % self.stride
        padded = np.pad(self.taps, [(0, 0), (0, 0), (0, missing)])
        return padded.reshape(*self.taps.shape[:2], -1, self.stride).sum(axis=2)


def find_kernel(structure: Structure, layer: Layer) -> Kernel | None:
    """The kernel of a layer; None if it has none, or one that is not understood."""
    operation, stride = layer.operation, layer.stride
    if operation.kind == "transposed":
        weights = structure.network.weights(operation)
        if weights is None or weights.stride != stride:
            return None
        taps = ungrouped(weights)
        bias = np.repeat(weights.bias[:, None], stride, axis=1)
        support = np.repeat(_reached(weights)[:, :, None], stride, axis=2)
        return Kernel(taps, bias, stride, taps.shape[-1], operation, support=support)
    if operation.kind == "movement":
        return _shuffled(structure, layer)
    if operation.kind in ("interpolation", "module"):
        return _by_impulses(structure.network, layer)
    return None


def ungrouped(weights: Weights) -> Floats:
    """Weights as [in, out, taps], zero between the groups."""
    groups = weights.groups
    blocks = np.split(weights.weight, groups)
    if not weights.transposed:
        blocks = [block.transpose(1, 0, 2) for block in blocks]
    inside, outside, count = blocks[0].shape
    full = np.zeros((inside * groups, outside * groups, count))
    for index, block in enumerate(blocks):
        full[index * inside :][:inside, index * outside :][:, :outside] = block
    return full


def _reached(weights: Weights) -> NDArray[np.bool_]:
    """Mask [in, out] of the input and output channels that the groups connect."""
    ones = replace(weights, weight=np.ones_like(weights.weight))
    return ungrouped(ones)[:, :, 0] > 0


def regrouped(full: Floats, weights: Weights) -> Floats:
    """The inverse of `ungrouped`, in the layout of `weights`."""
    groups = weights.groups
    inside, outside = full.shape[0] // groups, full.shape[1] // groups
    blocks = [full[g * inside :][:inside, g * outside :][:, :outside] for g in range(groups)]
    if not weights.transposed:
        blocks = [block.transpose(1, 0, 2) for block in blocks]
    return np.concatenate(blocks)


def _shuffled(structure: Structure, layer: Layer) -> Kernel | None:
    network = structure.network
    producers = {
        value.number: operation
        for operation in structure.trace.operations
        if operation.kind != "module"
        for value in operation.outputs
    }
    chain: list[Operation] = []
    operation = layer.operation
    while operation.kind in ("movement", "addition") and len(operation.inputs) == 1:
        chain.insert(0, operation)
        if operation.inputs[0].number not in producers:
            return None
        operation = producers[operation.inputs[0].number]
    weights = network.weights(operation)
    if weights is None or weights.transposed or weights.stride != 1:
        return None
    shape = operation.outputs[0].shape
    linear = operation.kind == "linear"
    count, time = (shape[-1], shape[-2]) if linear else (shape[-2], shape[-1])
    if math.prod(shape) != count * time:
        # The channels are filtered as a batch.
        return None
    numbers = np.arange(count * time, dtype=np.float64).reshape(count, time)
    numbers = (numbers.T if linear else numbers).reshape(shape)
    moved = _block(network, [one for one in chain if one.kind == "movement"], numbers, layer, time)
    added = _block(network, chain, np.zeros(shape), layer, time)
    if len(np.unique(moved % time)) != 1:
        return None
    channels = (moved // time).astype(np.intp)
    filters = ungrouped(weights)[:, :, ::-1][:, channels]
    # [in, out, stride, taps at the low rate] to [in, out, taps], phases innermost.
    taps = filters.swapaxes(2, 3).reshape(len(filters), len(channels), -1)
    bias = weights.bias[channels] + added
    size = weights.weight.shape[-1]
    support = _reached(weights)[:, channels]
    return Kernel(taps, bias, layer.stride, size, operation, channels, added, support)


def _block(
    network: Network, chain: list[Operation], value: Floats, layer: Layer, time: int
) -> Floats:
    """The middle period [channels, stride] of a chain of operations' output for `value`."""
    for operation in chain:
        value = network.replay(operation, value)
    rows = np.moveaxis(value, layer.axis, -1)
    rows = rows.reshape(-1, rows.shape[-1])
    start = time // 2 * layer.stride
    return rows[:, start : start + layer.stride]


def _by_impulses(network: Network, layer: Layer) -> Kernel | None:
    operation, stride = layer.operation, layer.stride
    shape = operation.inputs[0].shape
    if len(shape) != 3 or shape[0] != 1:
        return None
    middle, fixed = shape[2] // 2, operation.kind == "interpolation"
    channels = 1 if fixed else min(shape[1], MOST_CHANNELS)
    silent = network.replay(operation, np.zeros(shape))
    if silent.ndim != 3:
        return None
    responses = []
    for channel in np.linspace(0, shape[1] - 1, channels).astype(int):
        impulse = np.zeros(shape)
        impulse[0, channel, middle] = 1
        response = network.replay(operation, impulse) - silent
        responses.append(response[0, channel : channel + 1] if fixed else response[0])
    taps = np.asarray(responses, dtype=np.float64)
    used = np.flatnonzero(np.abs(taps).max(axis=(0, 1)) > 0)
    if not len(used):
        return None
    # From a whole period on, so that the first tap is of the first phase.
    taps = taps[..., used[0] // stride * stride : used[-1] + 1]
    start = middle * stride
    bias = np.asarray(silent[0, : taps.shape[1], start : start + stride], dtype=np.float64)
    return Kernel(taps, bias, stride, None)


def assign(network: Network, kernel: Kernel, taps: Floats, bias: Floats) -> None:
    """Give a layer new filters and biases of its phases, in the layout of its weights.

    Where another operation adds the bias, that of the weights' own operation makes up for it; if
    that has none, biases are left as they are.
    """
    assert kernel.source is not None
    weights = network.weights(kernel.source)
    assert weights is not None
    if kernel.channels is None or kernel.added is None:
        network.assign(kernel.source, regrouped(taps, weights), bias.mean(axis=1))
        return
    count = taps.shape[-1] // kernel.stride
    phases = taps.reshape(*taps.shape[:2], count, kernel.stride).swapaxes(2, 3)[..., ::-1]
    full = ungrouped(weights)
    full[:, kernel.channels] = phases
    own = weights.bias.copy()
    own[kernel.channels] = bias - kernel.added
    network.assign(kernel.source, regrouped(full, weights), own)
