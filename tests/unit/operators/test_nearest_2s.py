"""Stable Audio's upsampler: nearest-neighbor interpolation, kernel_size 2 * stride, no bias."""

import pytest
import torch
from operator_outputs import randomize, tone_to_constant
from torch.nn import functional

from upsampling.errors import UserError
from upsampling.operators import build_operator

ROUNDING = 1e-5


@pytest.mark.parametrize("implementation", ["plain", "polyphase"])
@pytest.mark.parametrize("stride", [2, 4, 5])
def test_it_is_stable_audios(stride, implementation):
    options = {"implementation": implementation}
    layer = build_operator("nearest_2s", 2, 3, stride, bias=True, options=options)
    (weight,) = layer.parameters()
    assert weight.shape == (3, 2, 2 * stride)
    signal = torch.randn(2, 2, 9)
    upsampled = functional.interpolate(signal, scale_factor=stride, mode="nearest")
    # PyTorch's padding="same": the smaller half of 2 * stride - 1 zeros comes first.
    expected = functional.conv1d(functional.pad(upsampled, (stride - 1, stride)), weight)
    torch.testing.assert_close(layer(signal), expected, atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("stride", [2, 4])
def test_a_constant_has_no_tone_for_any_weights(stride):
    layer = build_operator("nearest_2s", 3, 4, stride)
    assert tone_to_constant(layer, 3, stride) < ROUNDING
    randomize(layer)
    assert tone_to_constant(layer, 3, stride) < ROUNDING


def test_the_stride_decides_the_kernel_size():
    with pytest.raises(UserError, match="kernel_size"):
        build_operator("nearest_2s", 2, 3, 2, options={"kernel_size": 3})
