"""The interface between an audit and the network that it runs: operations, weights, interventions.

An operation is one call that computes tensors from tensors: an ATen operator of a PyTorch or
TorchScript module, a node of an ONNX graph. Its key is the same in every run of the network,
whatever the length of the input.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
# Where the operation stands (a module's path, or ''), its name, and which of those calls it is.
Key = tuple[str, str, int]
# A run's output, and the first input of each operation that was to be kept.
Run = tuple[Floats, dict[Key, Floats]]
# The value number of the network's input; the operations' outputs count on from here.
INPUT = 0


@dataclass(frozen=True)
class Value:
    """A tensor that depends on the input: its number in this run, and its shape."""

    number: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Operation:
    """One call in a run; `inputs` and `outputs` are those that depend on the network's input.

    `parameters` are the names of the parameters that its weights come from, `grid` is how far into
    a period the output of a transposed convolution begins (its padding), and `handle` is the
    backend's own description of the call.
    """

    key: Key
    kind: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    parameters: tuple[str, ...]
    handle: Any
    grid: int = 0


@dataclass(frozen=True)
class Trace:
    """All operations of one run in their order, and the network's output."""

    operations: tuple[Operation, ...]
    output: Value


@dataclass(frozen=True)
class Weights:
    """Weights of a convolution [out, in / groups, taps], a transposed one [in, out / groups, taps].

    A linear layer is a convolution of one tap. `bias` is [out], zeros where there is none;
    `padding` is the number of samples cut off (transposed) or added (convolution) at the beginning.
    """

    weight: Floats
    bias: Floats
    transposed: bool
    stride: int
    groups: int
    padding: int


# The kinds of operations that have weights.
WEIGHTED = ("transposed", "convolution", "linear")


def one_dimensional(
    kind: str,
    weight: Floats,
    bias: Floats | None,
    stride: Sequence[int],
    groups: int,
    padding: Sequence[int] | str,
    dilation: Sequence[int],
) -> Weights | None:
    """The weights of a layer in one dimension without dilation; None for others.

    Those of a linear layer are [out, in]. PyTorch's paddings by name have no number of samples.
    """
    weight = weight[..., None] if kind == "linear" else weight
    if weight.ndim != 3 or any(one != 1 for one in dilation) or isinstance(padding, str):
        return None
    transposed = kind == "transposed"
    count = weight.shape[1] * groups if transposed else len(weight)
    bias = np.zeros(count) if bias is None else np.asarray(bias, np.float64).reshape(count)
    return Weights(np.asarray(weight, np.float64), bias, transposed, stride[0], groups, padding[0])


@dataclass(frozen=True)
class Flat:
    """An intervention: the output of `key` becomes its mean over each period along `axis`.

    Periods have `stride` samples; the first one begins `offset` samples before the output does.
    """

    key: Key
    axis: int
    stride: int
    offset: int

    def __call__(self, output: Floats) -> Floats:
        """Replace each period of `output` by its mean; partial periods at the ends likewise."""
        time = output.shape[self.axis]
        block = (np.arange(time) + self.offset) // self.stride
        starts = np.flatnonzero(np.diff(block, prepend=-1))
        counts = np.diff(starts, append=time)
        shape = [1] * output.ndim
        shape[self.axis] = len(counts)
        means = np.add.reduceat(output, starts, axis=self.axis) / counts.reshape(shape)
        return np.repeat(means, counts, axis=self.axis).astype(output.dtype)


class Network(ABC):
    """A network under audit. Inputs are [channels, time]; outputs are as the network gives them.

    `epsilon` is the rounding of its arithmetic: that of double precision where it can.
    """

    name: str
    kind: str
    samplerate: int
    channels: int
    epsilon: float

    @abstractmethod
    def trace(self, inputs: Floats) -> Trace:
        """Run the network and record every operation. Raises `NetworkError` if it fails."""

    @abstractmethod
    def run(self, inputs: Floats, flat: Sequence[Flat] = (), keep: Collection[Key] = ()) -> Run:
        """Run the network with the interventions `flat`."""

    @abstractmethod
    def replay(self, operation: Operation, value: Floats) -> Floats:
        """Apply one operation of a trace that moves or adds to `value`, in place of its input."""

    @abstractmethod
    def weights(self, operation: Operation) -> Weights | None:
        """The weights of a convolution or linear layer; None for any other operation."""

    @abstractmethod
    def assign(self, operation: Operation, weight: Floats, bias: Floats) -> None:
        """Give an operation new weights and bias, rounded to the precision that they are stored in.

        Raises `NetworkError` where they are computed in a way that cannot be inverted.
        """

    @abstractmethod
    def save(self, path: str) -> None:
        """Write the network's weights, or the network with them, to `path`."""


class NetworkError(Exception):
    """The network itself failed: its message is the first line of the reason."""


def first_line(error: Exception) -> str:
    """The first line of an exception's message; of TorchScript's the last, behind its traceback."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    if "Traceback of TorchScript" in str(error):
        lines = lines[-1:]
    return lines[0] if lines else type(error).__name__
