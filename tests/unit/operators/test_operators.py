"""All operators: built with their options, in models, in checkpoints, and their costs."""

import dataclasses
import inspect
from pathlib import Path

import pytest
import torch
from operator_costs import operator_cost
from operator_outputs import tone_to_constant
from safetensors.torch import load_file, save_file
from torch.nn import functional

from upsampling.config.model import ModelSettings, model_settings
from upsampling.config.operators import OPTIONS
from upsampling.errors import UserError
from upsampling.models import build, count_parameters
from upsampling.models.demucs_like import rescale_weights
from upsampling.operators import OPERATORS, build_operator, find_operator, output_length

DOCUMENT = Path(__file__).parents[3] / "docs" / "operators.md"
ROUNDING = 1e-5
# Borders of a signal of 512 samples, which the formulas leave out.
BORDERS = 2e-3
DOUBLING = ["learned_linear", "lazy_wavelet", "haar_wavelet", "learned_wavelet"]
TONE_FREE_INITIALISATION = ["subpixel_icnr", "transposed_nearest_init"]


STRIDES = [
    (name, stride)
    for name in OPERATORS
    for stride in (2, 3, 4)
    if stride != 3 or name not in [*DOUBLING, "transposed_nearest_init"]
]


def in_a_model(name: str, **changes) -> ModelSettings:
    """A small model with the operator in all blocks, or in the outermost if it fits only there."""
    operators: dict = {"operator": name}
    if name == "istft_head":
        operators = {"operator": "subpixel", "last": {"operator": name, "options": {"n_fft": 16}}}
    return model_settings({"channels": 4, "depth": 2} | operators | changes, "model")


@pytest.mark.parametrize(("name", "stride"), STRIDES)
def test_the_output_has_the_stated_length(name, stride):
    layer = build_operator(name, 3, 5, stride)
    for time in (1, 11):
        output = layer(torch.randn(2, 3, time))
        assert output.shape == (2, 5, output_length(layer, stride, time))
        if "transposed" not in name:
            assert output.shape[-1] == stride * time


@pytest.mark.parametrize("name", OPERATORS)
def test_a_class_has_the_defaults_of_the_configuration_and_a_bias(name):
    defaults = {k: p.default for k, p in inspect.signature(OPERATORS[name]).parameters.items()}
    expected = dataclasses.asdict(OPTIONS[name]()) | {"bias": True}
    assert {key: defaults[key] for key in expected} == expected


@pytest.mark.parametrize("name", OPERATORS)
def test_checkpoints_hold_what_is_learned_and_the_state_of_noise_alone(name):
    layer = build_operator(name, 2, 3, 4)
    noise = {"noise_seed", "passes"} if name == "noise_sinc" else set()
    assert {*layer.state_dict()} == {key for key, _ in layer.named_parameters()} | noise


@pytest.mark.parametrize("name", OPERATORS)
def test_without_bias_silence_stays_silent_except_for_noise_and_the_head(name):
    layer = build_operator(name, 2, 3, 4, bias=False).eval()
    assert not any("bias" in key for key, _ in layer.named_parameters())
    loudest = layer(torch.zeros(1, 2, 20)).abs().max().item()
    assert (loudest > 0) == (name in ("noise_sinc", "istft_head"))


@pytest.mark.parametrize("name", OPERATORS)
def test_models_are_trained_through_it_and_counted_without_weights(name):
    settings = in_a_model(name)
    model = build(settings, 1)
    output = model(torch.randn(1, 2, model.input_length(300)))
    assert output.shape[-1] >= 300
    output.square().mean().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
    assert count_parameters(settings) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", OPERATORS)
def test_a_checkpoint_file_restores_the_output(name, tmp_path):
    model = build(in_a_model(name), 1).eval()
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    other = build(in_a_model(name), 2).eval()
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    signal = torch.randn(1, 2, model.input_length(100))
    assert torch.equal(model(signal), other(signal))


@pytest.mark.parametrize("name", TONE_FREE_INITIALISATION)
def test_rescaling_keeps_an_initialisation_free_of_tones(name):
    model = build(in_a_model(name, rescale=0.1), 1)
    assert tone_to_constant(model.decoder[0]["upsampler"], 8, 4) < ROUNDING


@pytest.mark.parametrize("name", ["sinc", "kaiser_sinc", "noise_sinc", "istft_head"])
def test_fixed_filters_are_neither_trained_nor_rescaled_nor_stored(name):
    layer = build_operator(name, 2, 3, 4)
    fixed = {key: b.clone() for key, b in layer.named_buffers() if key not in layer.state_dict()}
    assert fixed
    rescale_weights(layer, 0.1)
    buffers = dict(layer.named_buffers())
    assert all(torch.equal(buffers[key], value) for key, value in fixed.items())


def test_an_unknown_operator_lists_the_choices():
    with pytest.raises(UserError, match=r"did you mean 'nearest'.*transposed.*subpixel"):
        find_operator("neares")


def test_an_unknown_option_is_refused():
    with pytest.raises(UserError, match=r"'nearest'\.lenght: unknown key 'lenght'"):
        build_operator("nearest", 1, 1, 2, options={"lenght": 3})


HOLD = """
from torch import nn

class Hold(nn.Module):
    def __init__(self, in_channels, out_channels, stride, *, bias=True, gain=1.0):
        super().__init__()
        self.stride, self.gain = stride, gain
        self.mix = nn.Conv1d(in_channels, out_channels, 1, bias=bias)

    def forward(self, signal):
        return self.gain * self.mix(signal).repeat_interleave(self.stride, dim=-1)
"""


def test_a_custom_operator_is_loaded_from_its_file(tmp_path):
    file = tmp_path / "hold.py"
    file.write_text(HOLD)
    layer = build_operator(f"{file}:Hold", 2, 3, 4, options={"gain": 2.0})
    inputs = torch.randn(1, 2, 6)
    expected = 2 * functional.conv1d(inputs, layer.mix.weight, layer.mix.bias)
    torch.testing.assert_close(layer(inputs)[..., ::4], expected)


def test_a_custom_operator_may_state_its_output_length(tmp_path):
    file = tmp_path / "hold.py"
    longer = "    def output_length(self, time):\n        return self.stride * time - 1\n"
    file.write_text(HOLD.replace("dim=-1)", "dim=-1)[..., :-1]") + "\n" + longer)
    layer = build_operator(f"{file}:Hold", 2, 3, 4)
    assert output_length(layer, 4, 9) == layer(torch.zeros(1, 2, 9)).shape[-1] == 35


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("dim=-1)", "dim=-1)[..., :-1]"), r"expected \[1, 3, 128\]; define output_length"),
        (("class Hold", "class Held"), "has no class Hold"),
        (("import nn", "import nonsense"), "cannot be imported"),
        (("self.mix(", "self.mux("), r"fails on \[1, 2, 32\]: AttributeError: .*'mux'"),
        (("nn.Module", "list"), r"is no subclass of torch\.nn\.Module"),
        (("super().__init__()", "raise KeyError(stride)"), r"options \{\}: KeyError: 4"),
        (("bias=True, gain", "gain"), "unexpected keyword argument 'bias'"),
    ],
)
def test_a_faulty_custom_operator_is_refused_in_one_line(tmp_path, change, message):
    file = tmp_path / "hold.py"
    file.write_text(HOLD.replace(*change))
    with pytest.raises(UserError, match=message) as caught:
        build_operator(f"{file}:Hold", 2, 3, 4)
    assert f"operator '{file}:Hold'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds"),
    [
        ("transposed", 6 * 5 * 8 + 5, 6 * 5 * 8 / 4),
        ("subpixel", 6 * 20 * 3 + 20, 6 * 20 * 3 / 4),
        ("nearest", 6 * 5 * 10 + 5, 6 * 5 * 10),
        ("stretch", 6 * 5 * 8 + 5, 6 * 5 * 8),
        ("kaiser_sinc", 6 * 5 * 10 + 5, 6 * 5 * 10 + 6 * 7),
        ("learned_linear", 6 * 5 * 10 + 5 + 2 * 6, 6 * 5 * 10),
        ("lazy_wavelet", 6 * 10 * 3 + 10 + 5 * 10 * 3 + 10, 6 * 10 * 3 / 4 + 5 * 10 * 3 / 2),
    ],
)
def test_costs_are_those_of_the_formulas(name, parameters, multiply_adds):
    cost = operator_cost(name, 6, 5, 4)
    assert cost.parameters == parameters
    assert cost.multiply_adds == pytest.approx(multiply_adds, rel=BORDERS)


def test_documented_costs_are_the_computed_ones():
    rows = {}
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0].strip("`") in OPERATORS:
            rows[cells[0].strip("`")] = cells[3:]
    base = operator_cost("transposed", 200, 100, 4)
    expected = {}
    for name in OPERATORS:
        cost = operator_cost(name, 200, 100, 4)
        ratios = cost.parameters / base.parameters, cost.multiply_adds / base.multiply_adds
        expected[name] = [f"{ratio:.2f}" for ratio in ratios]
    assert rows == expected
