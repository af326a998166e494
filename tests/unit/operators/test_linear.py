"""Operators against closed forms and independent implementations."""

import numpy as np
import pytest
import torch
from scipy import signal as scipy_signal
from torch.nn import functional

from upsampling.errors import UserError
from upsampling.operators import OPERATORS, build_operator, find_operator, output_length
from upsampling.operators.linear import LINEAR
from upsampling.operators.nearest import interpolate_nearest
from upsampling.operators.subpixel import periodic_shuffle
from upsampling.operators.transposed import overlap

TOLERANCE = 1e-6


def impulse_response(interpolate, stride: int, samples: int = 9) -> np.ndarray:
    impulse = torch.zeros(1, 1, samples, dtype=torch.float64)
    impulse[..., samples // 2] = 1
    return interpolate(impulse, stride)[0, 0].numpy()


# Those that double the rate, and the one whose default length is a multiple of the stride.
EVEN_STRIDES = ("learned_linear", "wavelet", "transposed_nearest_init")
SHAPES = [
    (name, stride)
    for name in OPERATORS
    for stride in (2, 3, 4)
    if stride != 3 or not name.endswith(EVEN_STRIDES)
]


@pytest.mark.parametrize(("name", "stride"), SHAPES)
def test_shape_is_batch_channels_and_the_stated_length(name, stride):
    layer = build_operator(name, 3, 5, stride)
    output = layer(torch.randn(2, 3, 11))
    assert output.shape == (2, 5, output_length(layer, stride, 11))


@pytest.mark.parametrize(("length", "stride"), [(3, 3), (3, 2), (8, 4), (8, 6)])
def test_transposed_is_overlap_and_add(length, stride):
    layer = build_operator("transposed", 1, 1, stride, bias=False, options={"kernel_size": length})
    inputs = np.random.default_rng(0).normal(size=10)
    stretched = np.zeros((10 - 1) * stride + 1)
    stretched[::stride] = inputs
    expected = np.convolve(stretched, layer.convolution.weight.detach().numpy()[0, 0])
    output = layer(torch.tensor(inputs, dtype=torch.float32)[None, None])[0, 0].detach().numpy()
    np.testing.assert_allclose(output, expected, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("length", "stride", "kind"), [(3, 3, "no"), (3, 2, "partial"), (8, 4, "full"), (3, 1, "full")]
)
def test_overlap_names_the_three_situations_of_section_2(length, stride, kind):
    assert overlap(length, stride) == kind


def test_half_pixel_doubling_is_the_filter_1_3_3_1_over_4():
    response = impulse_response(LINEAR["half_pixel"], 2)
    np.testing.assert_allclose(response[7:11], [0.25, 0.75, 0.75, 0.25], atol=TOLERANCE)
    _, gain = scipy_signal.freqz(response[7:11] / 2, worN=[np.pi / 2])
    assert 20 * np.log10(abs(gain[0])) == pytest.approx(60 * np.log10(np.cos(np.pi / 4)), abs=1e-6)


@pytest.mark.parametrize("stride", [2, 4])
def test_triangle_is_zero_insertion_and_a_triangular_filter(stride):
    inputs = np.random.default_rng(1).normal(size=12)
    triangle = 1 - np.abs(np.arange(1 - stride, stride)) / stride
    expected = scipy_signal.upfirdn(triangle, inputs, up=stride)[stride - 1 :]
    output = LINEAR["triangle"](torch.tensor(inputs)[None, None], stride)[0, 0].numpy()
    # The last stride - 1 samples lie beyond the last input, which is held instead of faded out.
    valid = len(output) - stride + 1
    np.testing.assert_allclose(output[:valid], expected[:valid], atol=TOLERANCE)
    np.testing.assert_allclose(output[valid:], inputs[-1], atol=TOLERANCE)


def test_align_corners_is_numpy_interpolation_between_the_corners():
    inputs = np.random.default_rng(2).normal(size=7)
    positions = np.linspace(0, 6, 28)
    output = LINEAR["align_corners"](torch.tensor(inputs)[None, None], 4)[0, 0].numpy()
    np.testing.assert_allclose(output, np.interp(positions, np.arange(7), inputs), atol=TOLERANCE)


def test_the_three_linear_definitions_differ():
    responses = [impulse_response(function, 4) for function in LINEAR.values()]
    for index, response in enumerate(responses):
        for other in responses[index + 1 :]:
            assert np.abs(response - other).max() > 0.05


@pytest.mark.parametrize("name", ["nearest", "linear"])
def test_interpolation_operator_convolves_the_interpolated_signal(name):
    layer = build_operator(name, 2, 3, 4, options={"kernel_size": 10})
    inputs = torch.randn(1, 2, 13)
    interpolate = interpolate_nearest if name == "nearest" else LINEAR["half_pixel"]
    upsampled = functional.pad(interpolate(inputs, 4), (4, 5))
    expected = functional.conv1d(upsampled, layer.convolution.weight, layer.convolution.bias)
    torch.testing.assert_close(layer(inputs), expected, atol=TOLERANCE, rtol=0)


def test_periodic_shuffle_is_the_one_dimensional_pixel_shuffle():
    inputs = torch.randn(2, 12, 5)
    output = periodic_shuffle(inputs, 4)
    for channel in range(3):
        for phase in range(4):
            torch.testing.assert_close(output[:, channel, phase::4], inputs[:, channel * 4 + phase])


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("name", ["nearest", "linear"])
def test_interpolation_of_a_constant_stays_constant(name, stride):
    layer = build_operator(name, 1, 1, stride, options={"kernel_size": 9})
    output = layer(torch.ones(1, 1, 40))[0, 0].detach()
    inner = output[20:-20]
    assert inner.std() < TOLERANCE * inner.abs().mean()


def test_interpolation_alone_has_no_parameters():
    layer = build_operator("linear", 1, 1, 2, options={"kernel_size": 0})
    assert list(layer.parameters()) == []


def test_an_unknown_operator_lists_the_choices():
    with pytest.raises(UserError, match=r"did you mean 'nearest'.*transposed.*subpixel"):
        find_operator("neares")


def test_wrong_options_are_the_users_mistake():
    with pytest.raises(UserError, match="lenght"):
        build_operator("nearest", 1, 1, 2, options={"lenght": 3})


GOOD = """
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
    file.write_text(GOOD)
    layer = build_operator(f"{file}:Hold", 2, 3, 4, options={"gain": 2.0})
    inputs = torch.randn(1, 2, 6)
    expected = 2 * functional.conv1d(inputs, layer.mix.weight, layer.mix.bias)
    torch.testing.assert_close(layer(inputs)[..., ::4], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("dim=-1)", "dim=-1)[..., :-1]"), r"expected \[1, 3, 128\]"),
        (("class Hold", "class Held"), "has no class Hold"),
        (("import nn", "import nonsense"), "cannot be imported"),
    ],
)
def test_a_faulty_custom_operator_is_named_with_its_fault(tmp_path, change, message):
    file = tmp_path / "hold.py"
    file.write_text(GOOD.replace(*change))
    with pytest.raises(UserError, match=message):
        build_operator(f"{file}:Hold", 2, 3, 4)
