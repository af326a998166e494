"""The learned lifting step: Haar's at initialisation, invertible for any filters."""

import pytest
import torch
from operator_outputs import randomize

from upsampling.errors import UserError
from upsampling.operators import build_operator

ROUNDING = 1e-5
# Filters from N(0, 1) amplify: outputs of some tens.
LARGE_ROUNDING = 1e-4


@pytest.mark.parametrize("stride", [2, 4])
def test_it_starts_as_haar(stride):
    learned = build_operator("learned_wavelet", 2, 3, stride)
    haar = build_operator("haar_wavelet", 2, 3, stride)
    haar.load_state_dict(learned.state_dict(), strict=False)
    signal = torch.randn(1, 2, 9)
    torch.testing.assert_close(learned(signal), haar(signal), atol=ROUNDING, rtol=0)


def test_the_lifting_step_is_invertible_for_any_filters():
    layer = build_operator("learned_wavelet", 2, 3, 2, options={"lifting": 5})
    randomize(layer)
    signal = torch.randn(1, 2, 9)
    output = layer(signal)
    even, odd = output[..., ::2], output[..., 1::2]
    high = odd - layer.predict(even, 0)
    low = even + layer.update(high, 0)
    bands = torch.cat([high / 2**0.5, low * 2**0.5], dim=1)
    torch.testing.assert_close(bands, layer.convolutions[0](signal), atol=LARGE_ROUNDING, rtol=0)


def test_predict_sums_to_1_and_update_to_a_half():
    layer = build_operator("learned_wavelet", 2, 3, 2, options={"lifting": 5})
    randomize(layer)
    ones = torch.ones(1, 1, 9)
    inside = slice(2, -2)
    torch.testing.assert_close(layer.predict(ones, 0)[..., inside], ones[..., inside])
    torch.testing.assert_close(layer.update(ones, 0)[..., inside], ones[..., inside] / 2)


def test_lifting_filters_have_an_odd_length():
    with pytest.raises(UserError, match="odd length, not 4"):
        build_operator("learned_wavelet", 2, 3, 2, options={"lifting": 4})
