"""Traces: every operator with its module, its parameters and the values that it connects."""

from itertools import pairwise

import numpy as np
import torch
from audited_networks import hifi_gan, seeded, under_audit
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from upsampling.networks.network import INPUT
from upsampling.networks.torch_network import TorchNetwork


def traced(module: nn.Module, channels: int = 6, dtype: torch.dtype = torch.float64):
    network = TorchNetwork(module, "module", 44100, "latent", channels)
    network.set_precision(dtype)
    return network.trace(np.zeros((channels, 32)))


def test_values_connect_operations_from_the_input_to_the_output():
    trace = traced(seeded(lambda: hifi_gan((4, 5))))
    calls = [one for one in trace.operations if one.kind != "module"]
    assert [one.key[1] for one in calls[:3]] == ["conv1d", "leaky_relu", "conv_transpose1d"]
    assert calls[0].inputs[0].number == INPUT
    for before, after in pairwise(calls):
        assert after.inputs[0].number == before.outputs[0].number
    assert trace.output.number == calls[-1].outputs[0].number
    assert [one.kind for one in calls if one.kind in ("transposed", "convolution")][:2] == [
        "convolution",
        "transposed",
    ]


def test_operators_have_the_paths_of_their_modules_and_their_parameters():
    module = nn.ModuleDict({"up": weight_norm(nn.ConvTranspose1d(6, 1, 8, 4, padding=3))})

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = module

        def forward(self, signal):
            return torch.tanh(self.parts["up"](signal))

    trace = traced(Net())
    calls = {one.key[:2]: one for one in trace.operations}
    up = calls["parts.up", "conv_transpose1d"]
    names = {name.rpartition(".")[2] for name in up.parameters}
    assert names == {"original0", "original1", "bias"}
    assert up.grid == 3
    assert ("", "tanh") in calls
    assert calls["parts.up", "forward"].kind == "module"
    assert calls["", "forward"].outputs[0].number == trace.output.number


def test_torchscript_shows_the_same_operators():
    module = seeded(lambda: hifi_gan((4, 5)))
    script = torch.jit.trace(module, torch.zeros(1, 6, 20))
    kinds = [
        [one.kind for one in traced(one).operations if one.kind in ("transposed", "convolution")]
        for one in (script, module)
    ]
    assert kinds[0] == kinds[1]
    names = [one.parameters for one in traced(script).operations if one.kind == "transposed"]
    assert names == [("2.weight", "2.bias"), ("6.weight", "6.bias")]


def test_operations_in_place_and_writes_into_memory_are_followed():
    class InPlace(nn.Module):
        def forward(self, signal):
            target = torch.zeros(1, 6, 64)
            target[..., ::2] = signal.relu_()
            return target * 2

    trace = traced(InPlace())
    by_name = {one.key[1]: one for one in trace.operations}
    assert by_name["relu_"].inputs[0].number == INPUT
    assert by_name["relu_"].outputs[0].number != INPUT
    written = by_name["copy_"]
    assert written.inputs[-1].number == by_name["relu_"].outputs[0].number
    assert by_name["mul"].inputs[0].number == written.outputs[0].number
    assert by_name["mul"].inputs[0].shape == (1, 6, 64)


def test_what_does_not_depend_on_the_input_is_no_operation():
    class Buffered(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("gain", torch.ones(6, 1))

        def forward(self, signal):
            return signal * torch.exp(self.gain)

    trace = traced(Buffered())
    calls = [one for one in trace.operations if one.kind != "module"]
    assert [one.key[1] for one in calls] == ["mul"]
    assert calls[0].parameters == ("gain",)


def test_the_same_calls_have_the_same_keys_at_any_length():
    network, _ = under_audit(seeded(lambda: hifi_gan((4, 5))), 6)
    short, long = (network.trace(np.zeros((6, n))) for n in (20, 50))
    assert [one.key for one in short.operations] == [one.key for one in long.operations]
    assert len({one.key for one in short.operations}) == len(short.operations)
