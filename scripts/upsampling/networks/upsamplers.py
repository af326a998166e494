"""Upsampling layers, found by execution: operations that put out more time than they take in.

The network runs at two lengths. An axis whose size differs between the runs is time, and the
differences' quotient is the operation's ratio of rates, whatever its borders add or cut. A ratio
that is an integer s > 1 is an upsampler of stride s: transposed convolutions, interpolations,
inverse STFTs, and reshapes that interleave samples. Concatenations also lengthen, but upsample
nothing. Upsampling by other means (samples written into zeros, say) shows at the module that
contains it; the innermost one counts.

A layer whose input has the rate r, at an output of rate R, can put tones at the multiples of
fs r / R: its period is R / r output samples. A layer is undone where every way from it to the
output leads through a rate as low as its input's (the doubling and halving around an anti-aliased
activation): a constant stays one there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod

from upsampling.networks.network import INPUT, Flat, Network, NetworkError, Operation, Trace
from upsampling.networks.two_runs import (
    LARGEST_STRIDE,
    common_operations,
    growth,
    growths,
    longer_run,
    step_of,
    time_axis,
    zeros,
)

# Input lengths that are tried: of audio in samples, of features and latents in frames. The later
# ones serve strides that do not divide a power of two, and networks with long filters.
AUDIO_LENGTHS = (65536, 64000, 66150, 131072, 128000, 132300, 262144, 524288)
FRAME_LENGTHS = (32, 30, 64, 60, 128, 250, 512)
# Layers without a module or parameters to name them by.
PLAIN_NAMES = {
    "transposed": "transposed convolution",
    "interpolation": "interpolation",
    "movement": "shuffle",
    "inverse_stft": "inverse STFT",
    "module": "network",
}

# An operation in both runs that lengthens, its stride, and the rate of its input.
Lengthening = tuple[Operation, Operation, int, Fraction]


@dataclass(frozen=True)
class Layer:
    """An upsampling layer; `period` is that of its comb in output samples, `axis` that of time."""

    name: str
    operation: Operation
    stride: int
    axis: int
    offset: int
    period: int

    @property
    def flat(self) -> Flat:
        """The intervention that replaces each of its periods by their mean."""
        return Flat(self.operation.key, self.axis, self.stride, self.offset)


@dataclass(frozen=True)
class Structure:
    """A network, and its treatment of time.

    Inputs of `length` + n `step` samples or frames run; the output's time is its axis `axis` and
    grows by `step` * `rate`. A constant input gives an output of period `total_stride`. `layers`
    are in the order of execution, `undone` those that cannot make tones; `trace` is that of
    `length`.
    """

    network: Network
    length: int
    step: int
    rate: Fraction
    axis: int
    total_stride: int
    layers: tuple[Layer, ...]
    undone: tuple[Layer, ...]
    trace: Trace
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the layers."""
        return [layer.name for layer in self.layers]


def find_structure(network: Network, length: int | None = None) -> Structure:
    """Run `network` at two lengths and find its layers.

    Without a `length`, lengths are tried in turn, until the network takes one (and its double).
    Raises `NetworkError` if it takes none, or if its output does not grow with its input.
    """
    lengths = AUDIO_LENGTHS if network.kind == "audio" else FRAME_LENGTHS
    failures = []
    for tried in [length] if length else lengths:
        try:
            return _structure(network, tried)
        except NetworkError as error:
            failures.append(error)
    raise failures[-1]


def _structure(network: Network, length: int) -> Structure:
    # Tables that a network keeps for later calls are made here.
    network.run(zeros(network, 2 * length))
    short, double = (network.trace(zeros(network, n)) for n in (length, 2 * length))
    step = step_of(short, double, length)
    longer, long = longer_run(network, double, length, step)
    grown, step = longer - length, length if long is double else step
    axis = time_axis(short.output, long.output)
    if axis is None:
        raise NetworkError("its output does not grow with its input along one axis")
    rate = Fraction(growth(short.output, long.output), grown)
    pairs = common_operations(short, long)
    rates = {INPUT: Fraction(1)}
    found = []
    for first, second in pairs:
        for a, b in zip(first.outputs, second.outputs, strict=False):
            rates[a.number] = Fraction(growth(a, b), grown)
        given, made = growths(first, second)
        if given and made > given and made % given == 0:
            found.append((first, second, made // given, Fraction(given, grown)))
    chosen = _innermost(found)
    names = _names([first for first, *_ in chosen])
    layers: list[Layer] = []
    undone: list[Layer] = []
    for name, (first, second, stride, low) in zip(names, chosen, strict=True):
        place = time_axis(first.outputs[0], second.outputs[0])
        assert place is not None
        layer = Layer(name, first, stride, place, first.grid % stride, (rate / low).numerator)
        reaches = rate > low and _reaches(first, low, short, rates)
        (layers if reaches else undone).append(layer)
    total = lcm(*(layer.period for layer in layers))
    if total > LARGEST_STRIDE:
        raise NetworkError(f"its layers' periods only meet after {total} samples")
    notes = _fractional(pairs)
    if not any(layer.operation.kind == "module" for layer in layers):
        notes += _unexplained(pairs, rates, grown)
    return Structure(
        network, length, step, rate, axis, total, tuple(layers), tuple(undone), short, notes
    )


def _fractional(pairs: Sequence[tuple[Operation, Operation]]) -> tuple[str, ...]:
    """A note on each interpolation that lengthens by no whole number."""
    grown = [(one, *growths(one, two)) for one, two in pairs if one.kind == "interpolation"]
    return tuple(
        f"{_names([one])[0]} lengthens by {made / given:.4g}, which is no whole number: it is not "
        "among the layers, and its lines are not told."
        for one, given, made in grown
        if given and made > given and made % given
    )


def _unexplained(
    pairs: Sequence[tuple[Operation, Operation]], rates: dict[int, Fraction], grown: int
) -> tuple[str, ...]:
    """A note if an operation reads more time than the one before wrote: samples put among zeros."""
    for first, second in pairs:
        for a, b in zip(first.inputs, second.inputs, strict=False):
            rate = Fraction(growth(a, b), grown)
            if 0 < rates.get(a.number, rate) < rate:
                ratio = rate / rates[a.number]
                return (
                    f"Before {first.key[1]} #{first.key[2]} samples are written among others, an "
                    f"upsampling by {ratio} that no operation makes: it is not among the layers.",
                )
    return ()


def _upsamples(first: Operation, second: Operation, stride: int) -> bool:
    """True if an operation that lengthens by `stride` upsamples: reshapes may concatenate."""
    if first.kind != "movement":
        return first.kind != "concatenation"
    before, after = first.inputs[0], first.outputs[0]
    source = time_axis(before, second.inputs[0])
    target = time_axis(after, second.outputs[0])
    if source is None or target is None:
        return False
    # The new time index is t * stride + j only if time was the slowest of the merged axes.
    behind_source, behind_target = prod(before.shape[source:][1:]), prod(after.shape[target:][1:])
    return behind_source == behind_target * stride


def _innermost(found: Sequence[Lengthening]) -> list[Lengthening]:
    """The operations that upsample, and the innermost modules whose operations lengthen nothing."""
    paths = [first.key[0] for first, *_ in found if first.kind != "module"]
    chosen = []
    for first, second, stride, low in found:
        path = first.key[0]
        if first.kind != "module":
            upsamples = _upsamples(first, second, stride)
        elif upsamples := not any(not path or f"{one}.".startswith(f"{path}.") for one in paths):
            paths.append(path)
        if upsamples:
            chosen.append((first, second, stride, low))
    return chosen


def _names(operations: Sequence[Operation]) -> list[str]:
    """A name for each layer: its module's path, or its parameters', or a plain word."""
    names: list[str] = []
    for operation in operations:
        path, name, _ = operation.key
        owner = path or _owner(operation.parameters) or PLAIN_NAMES.get(operation.kind, name)
        same = sum(name == owner or name.startswith(f"{owner} #") for name in names)
        names.append(f"{owner} #{same + 1}" if same else owner)
    return names


def _owner(parameters: Sequence[str]) -> str:
    """The module that a weight belongs to, by its parameters' names."""
    name = parameters[0] if parameters else ""
    owner, parametrized, _ = name.partition(".parametrizations.")
    return owner if parametrized else name.rpartition(".")[0]


def _reaches(first: Operation, low: Fraction, trace: Trace, rates: dict[int, Fraction]) -> bool:
    """True if a path leads from an operation to the output that never falls to the rate `low`."""
    alive = {value.number for value in first.outputs}
    for operation in trace.operations:
        if operation.kind != "module" and any(v.number in alive for v in operation.inputs):
            alive |= {v.number for v in operation.outputs if rates.get(v.number, 0) > low}
    return trace.output.number in alive
