"""Two runs: ratios whatever the borders, and lengths that a network takes."""

from dataclasses import replace

import pytest
from audited_networks import AutoEncoder, seeded, under_audit

from upsampling.errors import UserError
from upsampling.networks.loading import Source, open_network
from upsampling.networks.network import NetworkError, Operation, Trace, Value
from upsampling.networks.two_runs import common_operations, growths, longer_run, step_of, time_axis


def operation(number: int, inside: int, outside: int, kind: str = "other") -> Operation:
    """One that reads `inside` samples of the value before, and writes `outside`."""
    inputs, outputs = Value(number - 1, (1, 4, inside)), Value(number, (1, 4, outside))
    return Operation(("", str(number), 1), kind, (inputs,), (outputs,), (), None)


def traced(length: int, *ratios: tuple[int, int, int]) -> Trace:
    """A chain of operations, each (factor up, factor down, border)."""
    operations, time = [], length
    for number, (up, down, border) in enumerate(ratios, start=1):
        made = time * up // down + border
        operations.append(operation(number, time, made))
        time = made
    return Trace(tuple(operations), operations[-1].outputs[0])


@pytest.mark.parametrize("length", [65536, 64000, 66150])
def test_the_step_is_the_product_of_the_strides_whatever_the_borders(length):
    chain = ((1, 4, -1), (1, 5, 0), (1, 1, -6), (5, 1, 3), (4, 1, 4))
    short, long = traced(length, *chain), traced(2 * length, *chain)
    assert step_of(short, long, length) == 20
    assert step_of(traced(64, (8, 1, 0)), traced(128, (8, 1, 0)), 64) == 1


def test_a_step_that_no_network_has_is_refused():
    chain = [(1, 7, 0)] * 9
    with pytest.raises(NetworkError, match="which is no network's stride"):
        step_of(traced(7**9, *chain), traced(2 * 7**9, *chain), 7**9)
    # 2^22 samples, 95 s at 44.1 kHz, are the largest.
    chain = [(1, 4, 0)] * 11
    assert step_of(traced(4**11, *chain), traced(2 * 4**11, *chain), 4**11) == 2**22
    with pytest.raises(NetworkError, match="after 8388608 samples"):
        step_of(traced(2**23, *chain, (1, 2, 0)), traced(2**24, *chain, (1, 2, 0)), 2**23)


def test_time_is_the_one_axis_that_grows():
    assert time_axis(Value(1, (1, 4, 32)), Value(1, (1, 4, 64))) == -1
    assert time_axis(Value(1, (1, 32, 4)), Value(1, (1, 64, 4))) == -2
    assert time_axis(Value(1, (1, 32, 32)), Value(1, (1, 64, 64))) is None
    assert time_axis(Value(1, (1, 4)), Value(1, (1, 4))) is None
    assert time_axis(Value(1, (1, 32)), Value(1, (1, 4, 64))) is None


def test_growths_are_of_the_longest_input_and_of_the_output():
    short = Operation(
        ("", "add", 1), "other", (Value(0, (8,)), Value(1, (4, 16))), (Value(2, (4, 16)),), (), None
    )
    long = Operation(
        ("", "add", 1),
        "other",
        (Value(0, (16,)), Value(1, (4, 32))),
        (Value(2, (4, 32)),),
        (),
        None,
    )
    assert growths(short, long) == (16, 16)
    # An index has as many entries as there will be samples: the data alone counts.
    index = [replace(one, kind="interpolation") for one in (short, long)]
    assert growths(*index) == (8, 16)
    assert common_operations(Trace((short,), short.outputs[0]), Trace((), short.outputs[0])) == []


def test_a_network_for_multiples_of_a_number_of_its_own(tmp_path):
    (tmp_path / "net.py").write_text(
        "from audited_networks import AutoEncoder\n"
        "class Odd(AutoEncoder):\n"
        "    def forward(self, x):\n"
        "        assert x.shape[-1] % 150 == 0, 'multiples of 150'\n"
        "        return super().forward(x)\n"
    )
    path = f"{tmp_path}/net.py:Odd"
    found = open_network(Source(path, samplerate=8000))[1]
    assert (found.length % 150, found.step % 150, found.total_stride) == (0, 0, 20)
    told = open_network(Source(path, samplerate=8000, length=1500))[1]
    assert (told.length, told.step) == (1500, 1500)
    with pytest.raises(UserError, match="multiples of 150"):
        open_network(Source(path, samplerate=8000, length=1000))


def test_an_operation_without_outputs_makes_no_time():
    first, second = operation(1, 8, 32), operation(1, 16, 64)
    assert growths(first, second) == (8, 32)
    silent = replace(first, outputs=()), replace(second, outputs=())
    assert growths(*silent) == (8, 0)


def test_the_longer_run_is_longer_by_the_least_multiple_above_its_length():
    network, structure = under_audit(seeded(lambda: AutoEncoder(1, (4, 5))), 1, "audio")
    longer, trace = longer_run(network, structure.trace, 400, 20)
    assert longer == 400 + 21 * 20
    assert trace.operations[0].inputs[0].shape[-1] == longer
