"""The inverse Haar wavelet is orthonormal: the forward transform gives the bands back."""

import pytest
import torch

from upsampling.operators import build_operator

ROUNDING = 1e-5


@pytest.mark.parametrize("stride", [2, 4])
def test_it_is_orthonormal(stride):
    layer = build_operator("haar_wavelet", 2, 3, stride)
    signal = torch.randn(1, 2, 9)
    before = layer.convolutions[0](signal)
    output = layer(signal)
    for convolution in reversed(layer.convolutions[1:]):
        high = (output[..., 1::2] - output[..., ::2]) / 2**0.5
        low = (output[..., 1::2] + output[..., ::2]) / 2**0.5
        bands = torch.cat([high, low], dim=1)
        # The bands are the convolution of the output of one doubling less.
        output = interleaved_bands(before)
        torch.testing.assert_close(bands, convolution(output), atol=ROUNDING, rtol=0)
    high = (output[..., 1::2] - output[..., ::2]) / 2**0.5
    low = (output[..., 1::2] + output[..., ::2]) / 2**0.5
    torch.testing.assert_close(torch.cat([high, low], dim=1), before, atol=ROUNDING, rtol=0)


def interleaved_bands(bands: torch.Tensor) -> torch.Tensor:
    """The signal of one inverse step, sample by sample."""
    high, low = bands.chunk(2, dim=1)
    output = torch.empty(*high.shape[:2], 2 * high.shape[2])
    for time in range(high.shape[2]):
        output[..., 2 * time] = (low[..., time] - high[..., time]) / 2**0.5
        output[..., 2 * time + 1] = (low[..., time] + high[..., time]) / 2**0.5
    return output


def test_energy_is_kept():
    layer = build_operator("haar_wavelet", 2, 3, 2)
    signal = torch.randn(1, 2, 9)
    bands = layer.convolutions[0](signal)
    assert layer(signal).square().sum().item() == pytest.approx(
        bands.square().sum().item(), rel=ROUNDING
    )
