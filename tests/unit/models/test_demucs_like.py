"""The Demucs-like model against the paper's parameter counts and the published Demucs."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn.utils.parametrizations import weight_norm

from upsampling.config.model import DemucsLikeSettings, Last
from upsampling.errors import UserError
from upsampling.models import build, count_parameters
from upsampling.models.demucs_like import BLSTM, rescale_weights
from upsampling.operators.istft_head import IstftHead
from upsampling.operators.subpixel import Subpixel

SMALL = DemucsLikeSettings(channels=4, depth=3)
MODIFIED = {"bias": False, "first_relu": False}
# Table 1's six rows and, from the differences between them, the exact numbers (docs/choices.md).
COUNTS = [
    ("transposed", {}, 737_265_008, 703),
    ("nearest", {}, 750_906_608, 716),
    ("linear", {}, 750_906_608, 716),
    ("subpixel", {}, 764_557_532, 729),
    ("transposed", MODIFIED, 737_128_000, 703),
    ("subpixel", MODIFIED, 764_411_200, 729),
]


@pytest.mark.parametrize(("operator", "model", "exact", "printed"), COUNTS)
def test_parameters_at_paper_width_are_those_of_table_1(operator, model, exact, printed):
    count = count_parameters(DemucsLikeSettings(operator=operator, **model))
    assert count == exact
    assert round(count / 2**20) == printed


def test_published_demucs_has_its_648_million_parameters():
    demucs = DemucsLikeSettings(context_kernel_size=3, bottleneck="lstm_linear")
    assert count_parameters(demucs) == 648_548_208


def test_widths_kernel_sizes_and_strides_are_those_of_section_6():
    model = build(dataclasses.replace(SMALL, channels=4, depth=6))
    widths = [block[0].out_channels for block in model.encoder]
    assert widths == [4, 8, 16, 32, 64, 128]  # Sec. 6: 100, 200, ... 3200, at a 25th
    assert {block[0].kernel_size for block in model.encoder} == {(8,)}
    assert {block["upsampler"].stride for block in model.decoder} == {4}
    assert model.bottleneck.lstm.num_layers == 2
    assert model.bottleneck.lstm.hidden_size == widths[-1]


@pytest.mark.parametrize("operator", ["transposed", "nearest", "linear", "subpixel"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("samples", [1, 1000, 5003])
def test_input_length_is_the_shortest_that_suffices(operator, padding, samples):
    model = build(dataclasses.replace(SMALL, operator=operator, padding=padding))
    length = model.input_length(samples)
    assert model(torch.zeros(1, 2, length)).shape[-1] >= samples
    # One sample less at the bottleneck is the next shorter input that fits all strides.
    shorter = length - SMALL.stride**SMALL.depth
    try:
        outputs = model(torch.zeros(1, 2, shorter)).shape[-1] if shorter > 0 else 0
    except RuntimeError:  # too short for the convolutions
        outputs = 0
    assert outputs < samples


@pytest.mark.parametrize("samples", [1, 700])
@pytest.mark.parametrize("operator", ["transposed", "nearest", "subpixel"])
def test_the_output_separates_sources_and_channels(operator, samples):
    model = build(dataclasses.replace(SMALL, operator=operator))
    output = model(torch.zeros(3, 2, model.input_length(samples)))
    assert output.shape[:3] == (3, 4, 2)


def test_modified_model_has_no_bias_and_no_first_relu():
    model = build(dataclasses.replace(SMALL, **MODIFIED))
    assert not [name for name, _ in model.named_parameters() if "bias" in name]
    assert isinstance(model.encoder[0][1], torch.nn.Identity)
    assert isinstance(model.encoder[1][1], torch.nn.ReLU)
    assert model(torch.zeros(1, 2, model.input_length(100))).abs().max() == 0


@pytest.mark.parametrize("linear", [False, True])
def test_the_directions_of_the_lstm_are_added_or_mixed(linear):
    torch.manual_seed(0)
    layer = BLSTM(4, linear=linear, bias=True, layers=1)
    signal = torch.randn(2, 4, 9)
    sequence = signal.permute(2, 0, 1)
    lstm = layer.lstm
    directions = []
    for suffix, order in (("", sequence), ("_reverse", sequence.flip(0))):
        single = torch.nn.LSTM(4, 4, 1)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(single, f"{name}_l0").data = getattr(lstm, f"{name}_l0{suffix}").data
        directions.append(single(order)[0])
    both = [directions[0], directions[1].flip(0)]
    expected = layer.linear(torch.cat(both, dim=-1)) if linear else both[0] + both[1]
    torch.testing.assert_close(layer(signal), expected.permute(1, 2, 0))


def test_rescaling_divides_by_the_root_of_the_relative_deviation():
    plain = build(dataclasses.replace(SMALL, rescale=None), 5)
    weight = plain.encoder[0][0].weight.detach().clone()
    bias = plain.encoder[0][0].bias.detach().clone()
    rescale_weights(plain, 0.1)
    scale = np.sqrt(weight.std().item() / 0.1)
    torch.testing.assert_close(plain.encoder[0][0].weight, weight / scale)
    torch.testing.assert_close(plain.encoder[0][0].bias, bias / scale)
    rescaled = build(dataclasses.replace(SMALL, rescale=0.1), 5)
    torch.testing.assert_close(rescaled.encoder[0][0].weight, plain.encoder[0][0].weight)


def test_the_last_operator_is_that_of_the_outermost_block_alone():
    last = Last("istft_head", {"n_fft": 16})
    model = build(dataclasses.replace(SMALL, operator="subpixel", last=last))
    kinds = [type(block["upsampler"]) for block in model.decoder]
    assert kinds == [Subpixel, Subpixel, IstftHead]
    assert model.decoder[-1]["upsampler"].n_fft == 16
    model = build(dataclasses.replace(SMALL, operator="subpixel", last=None))
    assert {type(block["upsampler"]) for block in model.decoder} == {Subpixel}


def test_the_head_is_refused_in_inner_blocks():
    with pytest.raises(UserError, match=r"'istft_head' can be the last .* model: \{last:"):
        build(dataclasses.replace(SMALL, operator="istft_head"))


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
@pytest.mark.parametrize("normed", [lambda layer: layer, weight_norm, torch.nn.utils.weight_norm])
def test_rescaling_reaches_weights_that_are_computed(normed):
    torch.manual_seed(0)
    layer = normed(torch.nn.ConvTranspose1d(4, 2, 8))
    weight, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    scale = (weight.std() / 0.1).sqrt()
    rescale_weights(torch.nn.Sequential(layer), 0.1)
    # The weight is computed again at each pass.
    layer(torch.zeros(1, 4, 3))
    torch.testing.assert_close(layer.weight, weight / scale)
    torch.testing.assert_close(layer.bias, bias / scale)


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_equal_weights_are_not_rescaled(value):
    layer = torch.nn.Conv1d(2, 2, 3)
    torch.nn.init.constant_(layer.weight, value)
    bias = layer.bias.detach().clone()
    rescale_weights(layer, 0.1)
    assert (layer.weight == value).all()
    assert torch.equal(layer.bias, bias)
