"""Two runs of a network at different lengths: the axes that grow are time, and by how much.

An axis whose size differs between two runs is time. The quotient of differences is an operation's
ratio of rates, whatever its borders add or cut.
"""

from fractions import Fraction
from math import lcm

import numpy as np

from upsampling.networks.network import (
    INPUT,
    Floats,
    Network,
    NetworkError,
    Operation,
    Trace,
    Value,
)

# A total stride beyond it, 95 s at 44.1 kHz, is no network's.
LARGEST_STRIDE = 1 << 22


def zeros(network: Network, length: int) -> Floats:
    """A silent input [channels, length]."""
    return np.zeros((network.channels, length))


def longer_run(network: Network, long: Trace, length: int, step: int) -> tuple[int, Trace]:
    """A length that is longer by a multiple of `step`, and its trace: `long` if that must do.

    Some networks take multiples of a number of their own alone, such as `length` and its double.
    """
    longer = length + (length // step + 1) * step
    try:
        return longer, network.trace(zeros(network, longer))
    except NetworkError:
        if length % step:
            raise
        return 2 * length, long


def step_of(short: Trace, long: Trace, length: int) -> int:
    """The input samples after which all of the network's rates repeat: its downsampling factor."""
    rates = {INPUT: Fraction(1)}
    for first, second in common_operations(short, long):
        ratio = _approximate(*growths(first, second)) or Fraction(1)
        known = [rates[value.number] for value in first.inputs if value.number in rates]
        for value in first.outputs:
            rates.setdefault(value.number, (known[0] if known else Fraction(1)) * ratio)
    step = lcm(*(rate.denominator for rate in rates.values()))
    if step > LARGEST_STRIDE:
        raise NetworkError(f"its rates repeat after {step} samples, which is no network's stride")
    return step


def _approximate(given: int, made: int) -> Fraction | None:
    """The ratio of rates, from differences that borders may have rounded by one sample."""
    if not given or not made:
        return None
    up = made >= given
    nearest = Fraction(round(made / given)) if up else Fraction(1, round(given / made))
    return nearest if abs(nearest * given - made) <= 1 else Fraction(made, given)


def common_operations(short: Trace, long: Trace) -> list[tuple[Operation, Operation]]:
    """The operations that both runs have, in the order of the first."""
    others = {operation.key: operation for operation in long.operations}
    return [(one, others[one.key]) for one in short.operations if one.key in others]


def time_axis(first: Value, second: Value) -> int | None:
    """The axis, counted from the end, whose size differs between runs; None unless it is one."""
    if len(first.shape) != len(second.shape):
        return None
    axes = [i for i, (a, b) in enumerate(zip(first.shape, second.shape, strict=True)) if a != b]
    return axes[0] - len(first.shape) if len(axes) == 1 else None


def growth(first: Value, second: Value) -> int:
    """By how many samples or frames a tensor grew; 0 for one without a time axis."""
    axis = time_axis(first, second)
    return 0 if axis is None else second.shape[axis] - first.shape[axis]


def growths(first: Operation, second: Operation) -> tuple[int, int]:
    """By how much the time of an operation's inputs (the longest) and of its output grew."""
    inputs = list(zip(first.inputs, second.inputs, strict=False))
    if first.kind == "interpolation":
        inputs = inputs[:1]
    given = max((growth(a, b) for a, b in inputs), default=0)
    outputs = zip(first.outputs, second.outputs, strict=False)
    return given, max((growth(a, b) for a, b in outputs), default=0)
