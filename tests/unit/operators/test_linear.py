"""Linear interpolation in its three definitions against closed forms, NumPy and SciPy."""

import numpy as np
import pytest
import torch
from operator_outputs import tone_to_constant
from scipy import signal as scipy_signal
from torch.nn import functional

from upsampling.errors import UserError
from upsampling.operators import build_operator
from upsampling.operators.linear import LINEAR, align_corners_as_image, half_pixel_by_phases

ROUNDING = 1e-6


def impulse_response(interpolate, stride: int, samples: int = 9) -> np.ndarray:
    impulse = torch.zeros(1, 1, samples, dtype=torch.float64)
    impulse[..., samples // 2] = 1
    return interpolate(impulse, stride)[0, 0].numpy()


def test_half_pixel_doubling_is_the_filter_1_3_3_1_over_4():
    response = impulse_response(LINEAR["half_pixel"], 2)
    np.testing.assert_allclose(response[7:11], [0.25, 0.75, 0.75, 0.25], atol=ROUNDING)
    _, gain = scipy_signal.freqz(response[7:11] / 2, worN=[np.pi / 2])
    expected = 60 * np.log10(np.cos(np.pi / 4))  # a cos^3, -9.0 dB at the old Nyquist frequency
    assert 20 * np.log10(abs(gain[0])) == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_half_pixel_interpolates_between_sample_centers(stride):
    inputs = np.random.default_rng(2).normal(size=7)
    positions = (np.arange(7 * stride) + 0.5) / stride - 0.5
    output = LINEAR["half_pixel"](torch.tensor(inputs)[None, None], stride)[0, 0].numpy()
    np.testing.assert_allclose(output, np.interp(positions, np.arange(7), inputs), atol=ROUNDING)


@pytest.mark.parametrize("stride", [2, 4])
def test_triangle_is_zero_insertion_and_a_triangular_filter(stride):
    inputs = np.random.default_rng(1).normal(size=12)
    triangle = 1 - np.abs(np.arange(1 - stride, stride)) / stride
    expected = scipy_signal.upfirdn(triangle, inputs, up=stride)[stride - 1 :]
    output = LINEAR["triangle"](torch.tensor(inputs)[None, None], stride)[0, 0].numpy()
    # Beyond the last input sample the filter fades out, while the operator repeats the sample.
    valid = len(output) - stride + 1
    np.testing.assert_allclose(output[:valid], expected[:valid], atol=ROUNDING)
    np.testing.assert_allclose(output[valid:], inputs[-1], atol=ROUNDING)


def test_align_corners_is_numpy_interpolation_between_the_corners():
    inputs = np.random.default_rng(2).normal(size=7)
    positions = np.linspace(0, 6, 28)
    output = LINEAR["align_corners"](torch.tensor(inputs)[None, None], 4)[0, 0].numpy()
    np.testing.assert_allclose(output, np.interp(positions, np.arange(7), inputs), atol=ROUNDING)


def test_the_three_definitions_differ():
    responses = [impulse_response(function, 4) for function in LINEAR.values()]
    for index, response in enumerate(responses):
        for other in responses[index + 1 :]:
            assert np.abs(response - other).max() > 0.05


@pytest.mark.parametrize("definition", LINEAR)
def test_a_convolution_of_the_interpolated_signal_follows(definition):
    options = {"kernel_size": 10, "definition": definition}
    layer = build_operator("linear", 2, 3, 4, options=options)
    inputs = torch.randn(1, 2, 13)
    upsampled = functional.pad(LINEAR[definition](inputs, 4), (4, 5))
    expected = functional.conv1d(upsampled, layer.convolution.weight, layer.convolution.bias)
    torch.testing.assert_close(layer(inputs), expected, atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("definition", LINEAR)
@pytest.mark.parametrize("stride", [2, 4])
def test_a_constant_has_no_tone(stride, definition):
    options = {"kernel_size": 9, "definition": definition}
    layer = build_operator("linear", 1, 1, stride, options=options)
    assert tone_to_constant(layer, 1, stride) < ROUNDING


def test_without_a_convolution_it_has_no_parameters():
    layer = build_operator("linear", 1, 1, 2, options={"kernel_size": 0})
    assert list(layer.parameters()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"definition": "halfpixel"}, "did you mean 'half_pixel'"),
        ({"definition": "align_corners", "implementation": "polyphase"}, "not shift-invariant"),
        ({"implementation": "polyphase", "kernel_size": 0}, "has no polyphase implementation"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        build_operator("linear", 2, 2, 4, options=options)


@pytest.mark.parametrize("stride", [2, 3, 4, 5])
@pytest.mark.parametrize("definition", ["half_pixel", "align_corners"])
def test_implementations_for_gpus_equal_pytorch(definition, stride):
    signal = torch.randn(2, 3, 11, dtype=torch.float64, requires_grad=True)
    expected = functional.interpolate(
        signal, size=stride * 11, mode="linear", align_corners=definition == "align_corners"
    )
    if definition == "half_pixel":
        output = half_pixel_by_phases(signal, stride)
    else:
        output = align_corners_as_image(signal, stride * 11)
    torch.testing.assert_close(output, expected, atol=1e-12, rtol=0)
    direction = torch.randn_like(output)
    gradients = [torch.autograd.grad(each, signal, direction)[0] for each in (output, expected)]
    torch.testing.assert_close(*gradients, atol=1e-12, rtol=0)
