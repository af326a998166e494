"""Layers found by execution: every way to upsample, with its stride, name and comb."""

import pytest
import torch
from audited_networks import (
    AntiAliased,
    AutoEncoder,
    FunctionalNetwork,
    FunctionalUp,
    Shuffled,
    SpectralHead,
    Stuffed,
    hifi_gan,
    operators,
    seeded,
    under_audit,
)
from torch import nn

from upsampling.networks.network import NetworkError
from upsampling.networks.torch_network import TorchNetwork
from upsampling.networks.upsamplers import find_structure


class Flattened(nn.Module):
    """Channels one after the other in time: longer, and no upsampling."""

    def forward(self, signal):
        return signal.reshape(1, 1, -1)


class Cat(nn.Module):
    def forward(self, signal):
        return torch.cat([signal, signal], dim=-1)


def layers_of(module, channels: int = 4, kind: str = "latent"):
    _, structure = under_audit(module, channels, kind)
    return [(layer.name, layer.stride, layer.period) for layer in structure.layers], structure


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: nn.Sequential(nn.ConvTranspose1d(4, 1, 16, 8, padding=4)), [("0", 8, 8)]),
        (lambda: nn.Sequential(nn.ConvTranspose1d(4, 1, 11, 4)), [("0", 4, 4)]),
        (lambda: nn.Sequential(nn.Upsample(scale_factor=3), nn.Conv1d(4, 1, 4)), [("0", 3, 3)]),
        (lambda: nn.Sequential(FunctionalUp(4, 5), Shuffled(4, 2, 3)), [("0", 5, 15), ("1", 3, 3)]),
        (lambda: FunctionalUp(4, 4, "linear"), [("interpolation", 4, 4)]),
        (lambda: nn.Sequential(Shuffled(4, 2, 3, phases_first=True)), [("0", 3, 3)]),
        (lambda: nn.Sequential(Stuffed(4, 4)), [("0", 4, 4)]),
        (lambda: nn.Sequential(nn.Conv1d(4, 8, 3), SpectralHead(8, 6, 24)), [("1", 6, 6)]),
        (lambda: hifi_gan((8, 8, 4)), [("2", 8, 256), ("6", 8, 32), ("10", 4, 4)]),
        (lambda: hifi_gan((2, 3, 5)), [("2", 2, 30), ("6", 3, 15), ("10", 5, 5)]),
        (lambda: operators(4, 4, name="subpixel"), [("0", 4, 16), ("1", 4, 4)]),
        (lambda: operators(4, 4, name="stretch"), [("0", 4, 16), ("1", 4, 4)]),
    ],
)
def test_every_way_to_upsample_is_found(build, expected):
    module = seeded(build)
    first = next(one for one in module.modules() if hasattr(one, "in_channels"))
    found, structure = layers_of(module, first.in_channels)
    assert found == expected
    assert structure.total_stride == expected[0][2]
    assert structure.rate == expected[0][2]
    assert structure.undone == ()


def test_functions_of_the_network_itself_are_layers_of_their_own():
    found, structure = layers_of(seeded(FunctionalNetwork))
    assert found == [("interpolation", 3, 30), ("shuffle", 2, 10), ("transposed convolution", 5, 5)]
    assert structure.total_stride == 30


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("valid", [False, True])
def test_audio_in_mono_and_stereo_with_any_borders(channels, valid):
    found, structure = layers_of(
        seeded(lambda: AutoEncoder(channels, (4, 5), valid)), channels, "audio"
    )
    assert [(stride, period) for _, stride, period in found] == [(5, 20), (4, 4)]
    assert (structure.step, structure.rate, structure.total_stride) == (20, 1, 20)


def test_what_is_undone_before_the_output_is_told_apart():
    found, structure = layers_of(seeded(AntiAliased))
    assert found == [("up", 4, 4)]
    assert [(layer.name, layer.stride) for layer in structure.undone] == [("raised", 2)]
    assert structure.total_stride == 4


@pytest.mark.parametrize("last", [Flattened(), Cat()])
def test_concatenation_is_no_upsampling(last):
    found, _ = layers_of(nn.Sequential(nn.ConvTranspose1d(4, 4, 8, 4), last))
    assert [stride for _, stride, _ in found] == [4]


def test_equal_names_are_told_apart():
    shared = nn.ConvTranspose1d(4, 4, 8, 4, padding=2)
    found, _ = layers_of(nn.Sequential(shared, nn.ReLU(), shared))
    assert found == [("0", 4, 16), ("0 #2", 4, 4)]


def test_samples_among_zeros_in_torchscript_are_noted():
    module = torch.jit.trace(seeded(lambda: nn.Sequential(Stuffed(4, 4))), torch.zeros(1, 4, 9))
    network = TorchNetwork(module, "script", 44100, "latent", 4)
    network.set_precision(torch.float32)
    structure = find_structure(network)
    assert structure.layers == ()
    assert "an upsampling by 4" in structure.notes[0]


def test_an_output_that_does_not_grow_is_refused():
    class Pooled(nn.Module):
        def forward(self, signal):
            return signal.mean(dim=-1)

    with pytest.raises(NetworkError, match="does not grow"):
        layers_of(Pooled())


def test_the_networks_own_reason_is_given():
    with pytest.raises(NetworkError, match="channels"):
        layers_of(nn.Conv1d(3, 1, 3), channels=4)


class Remembering(nn.Module):
    """A layer whose first call makes a table, by operators of the kind that the layer uses."""

    table = None

    def forward(self, signal):
        if self.table is None:
            self.table = torch.zeros(1, 1, 4).repeat_interleave(2, dim=-1).sum()
        return signal.repeat_interleave(4, dim=-1) + self.table


def test_tables_that_the_first_call_makes_do_not_shift_what_is_followed():
    layers, _ = layers_of(Remembering())
    assert layers == [("interpolation", 4, 4)]


class Picky(nn.Module):
    """Takes lengths of at least `least` that `divisor` divides."""

    def __init__(self, divisor: int, least: int):
        super().__init__()
        self.divisor, self.least = divisor, least

    def forward(self, signal):
        if signal.shape[-1] % self.divisor or signal.shape[-1] < self.least:
            raise ValueError("not this length")
        return signal.repeat_interleave(2, dim=-1)


@pytest.mark.parametrize(
    ("kind", "divisor", "least", "length"),
    [
        ("audio", 512, 1, 65536), ("audio", 125, 1, 64000), ("audio", 49, 1, 66150),
        ("audio", 512, 70000, 131072), ("audio", 125, 70000, 128000), ("audio", 49, 70000, 132300),
        ("audio", 512, 140000, 262144), ("audio", 512, 270000, 524288),
        ("latent", 8, 1, 32), ("latent", 15, 1, 30), ("latent", 8, 33, 64), ("latent", 15, 33, 60),
        ("latent", 8, 65, 128), ("latent", 125, 1, 250), ("latent", 8, 129, 512),
    ],
)  # fmt: skip
def test_lengths_for_strides_in_use_are_tried_in_turn(kind, divisor, least, length):
    """Strides that are powers of 2 or have factors of 3, 5 and 7; longer ones for long filters."""
    _, structure = layers_of(Picky(divisor, least), 1, kind)
    assert structure.length == length


def test_samples_among_zeros_are_noted_with_their_own_ratio():
    """After an upsampling by 2."""

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.mix = nn.ConvTranspose1d(4, 4, 4, 2), nn.Conv1d(4, 4, 9, padding=4)

        def forward(self, signal):
            signal = self.up(signal)
            zeros = torch.zeros(1, 4, 4 * signal.shape[-1])
            zeros[..., ::4] = signal
            return self.mix(zeros)

    script = torch.jit.script(seeded(Twice).eval())
    network = TorchNetwork(script, "script", 44100, "latent", 4)
    network.set_precision(torch.float32)
    (note,) = find_structure(network).notes
    assert "an upsampling by 4 that no operation makes" in note
