"""The inverse STFT as the last upsampler, against PyTorch's."""

import numpy as np
import pytest
import torch
from operator_outputs import steady_period

from upsampling.errors import UserError
from upsampling.operators import build_operator

ROUNDING = 1e-5
# Phases of 50 radians in single precision.
PHASE_ROUNDING = 1e-2


def test_it_is_pytorchs_inverse_transform():
    layer = build_operator("istft_head", 3, 2, 4, options={"n_fft": 16})
    signal = torch.randn(2, 3, 20)
    values = layer.convolution(signal).reshape(2, 2, 2, 9, 20)
    spectra = torch.polar(values[:, :, 0].exp(), values[:, :, 1]).flatten(0, 1)
    expected = torch.istft(spectra, 16, 4, window=torch.hann_window(16)).reshape(2, 2, -1)
    # Frames are centered on blocks of 4 samples here, on their first sample in PyTorch.
    torch.testing.assert_close(layer(signal)[..., 2:-2], expected, atol=ROUNDING, rtol=0)


def test_magnitudes_are_limited():
    layer = build_operator("istft_head", 1, 2, 4)
    layer.convolution.weight.data.fill_(1.0)
    # Magnitudes of exp(50) and exp(75), and equal phases but for whole periods.
    loud = layer(torch.full((1, 1, 9), 50.0))
    louder = layer(torch.full((1, 1, 9), 50.0 + 8 * np.pi))
    torch.testing.assert_close(loud, louder, atol=PHASE_ROUNDING, rtol=0)
    assert loud.abs().max() < 100 * layer.n_fft


def test_a_constant_gives_a_period_of_the_stride():
    layer = build_operator("istft_head", 1, 2, 4)
    assert layer.n_fft == 16
    assert np.ptp(steady_period(layer, 1, 4), axis=1).max() > 0


def test_frames_span_two_hops_at_least():
    with pytest.raises(UserError, match="n_fft 6 is less than two hops of 4"):
        build_operator("istft_head", 2, 3, 4, options={"n_fft": 6})


def test_its_fixed_basis_is_no_part_of_checkpoints():
    layer = build_operator("istft_head", 4, 1, 4, options={"n_fft": 16})
    assert set(layer.state_dict()) == set(dict(layer.named_parameters()))
    assert "basis" in dict(layer.named_buffers())
