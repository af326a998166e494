"""Models against the paper's parameter counts and the published Demucs's arithmetic."""

import dataclasses

import numpy as np
import pytest
import torch

from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.models import build, count_parameters
from upsampling.models.demucs_like import center_trim, rescale_weights
from upsampling.models.melgan import log_mel

SMALL = DemucsLikeSettings(channels=4, depth=3)
MODIFIED = {"bias": False, "first_relu": False}
# Table 1's six rows and, from the differences between them, the exact numbers (docs/choices.md).
COUNTS = [
    ("transposed", {}, {}, 737_265_008, 703),
    ("nearest", {}, {}, 750_906_608, 716),
    ("linear", {}, {}, 750_906_608, 716),
    ("subpixel", {}, {}, 764_557_532, 729),
    ("transposed", MODIFIED, {}, 737_128_000, 703),
    ("subpixel", MODIFIED, {}, 764_411_200, 729),
]


@pytest.mark.parametrize(("operator", "model", "options", "exact", "printed"), COUNTS)
def test_parameters_at_paper_width_are_those_of_table_1(operator, model, options, exact, printed):
    count = count_parameters(DemucsLikeSettings(operator=operator, options=options, **model))
    assert count == exact
    assert round(count / 2**20) == printed


def test_published_demucs_has_its_648_million_parameters():
    demucs = DemucsLikeSettings(context_kernel_size=3, bottleneck="lstm_linear")
    assert count_parameters(demucs) == 648_548_208


def test_melgan_has_the_published_4_27_million_parameters():
    assert round(count_parameters(MelganSettings()) / 1e6, 2) == 4.27


def test_paper_widths_lengths_and_strides():
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
    # One step of the bottleneck less is the next shorter input that fits all strides.
    shorter = length - SMALL.stride**SMALL.depth
    if shorter >= 8 and model._lengths(1)[0] <= shorter:
        deepest = next(d for d in range(1, 10**6) if model._lengths(d)[0] == shorter)
        assert model._lengths(deepest)[1] < samples


@pytest.mark.parametrize("operator", ["transposed", "nearest", "subpixel"])
def test_stated_lengths_are_the_real_ones(operator):
    model = build(dataclasses.replace(SMALL, operator=operator))
    for deepest in (13, 14, 20):
        inputs, outputs = model._lengths(deepest)
        shape = model(torch.zeros(1, 2, inputs)).shape
        assert shape == (1, 4, 2, outputs)


def test_initial_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = build(SMALL, 3).state_dict()
    torch.manual_seed(2)
    state = torch.get_rng_state()
    second = build(SMALL, 3).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = build(SMALL, 4).state_dict()
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_modified_model_has_no_bias_and_no_first_relu():
    model = build(dataclasses.replace(SMALL, **MODIFIED))
    assert not [name for name, _ in model.named_parameters() if "bias" in name]
    assert isinstance(model.encoder[0][1], torch.nn.Identity)
    assert isinstance(model.encoder[1][1], torch.nn.ReLU)
    assert model(torch.zeros(1, 2, model.input_length(100))).abs().max() == 0


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


def test_centre_cuts_evenly():
    assert center_trim(torch.arange(10), 4).tolist() == [3, 4, 5, 6]
    assert center_trim(torch.arange(10), 7).tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_melgan_follows_section_1():
    model = build(MelganSettings())
    upsamplers = [m for m in model.modules() if isinstance(m, torch.nn.ConvTranspose1d)]
    assert [m.kernel_size[0] for m in upsamplers] == [16, 16, 4, 4]
    assert [m.stride[0] for m in upsamplers] == [8, 8, 2, 2]
    weights = torch.cat([m.weight.flatten() for m in upsamplers])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert weights.mean().item() == pytest.approx(0, abs=1e-4)
    mel = log_mel(np.random.default_rng(0).uniform(-1, 1, 22050).astype("float32"), 22050, 80)
    assert mel.shape == (1, 80, 22050 // 256)
    output = model(mel)
    assert output.shape == (1, 1, 22050 // 256 * 256)
    assert output.abs().max() < 1
