"""Sinc interpolation plus high-passed noise: reproducible, and above the old Nyquist frequency."""

import numpy as np
import pytest
import torch
from operator_outputs import steady_period
from scipy import signal as scipy_signal

from upsampling.errors import UserError
from upsampling.operators import build_operator

# The high-pass mirrors the sinc: its gain at the edge of the pass band is that of the worst image.
STOP_BAND_DB = -40.0
# Of the branch's own lines: the sinc passes 1e-3 of them.
LINES = 2e-3
# The tone of 8 zeros at stride 4 is -80 dB.
TONE_DB = -75.0


def noise_operator(**options):
    torch.manual_seed(3)
    return build_operator("noise_sinc", 2, 3, 4, options=options).eval()


def test_noise_is_a_function_of_seed_and_length():
    first, second = noise_operator(), noise_operator()
    signal = torch.randn(2, 2, 50)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    output = first(signal)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(output, second(signal))
    assert torch.equal(output, first(signal))
    torch.testing.assert_close(first(signal[1:]), output[1:])
    other = noise_operator()
    other.noise_seed += 1
    assert (output - other(signal)).abs().max() > 0.1


def test_noise_in_training_differs_each_time_and_resumes_from_a_checkpoint():
    layer = noise_operator().train()
    signal = torch.zeros(2, 2, 50)
    outputs = [layer(signal) for _ in range(3)]
    assert (outputs[0] - outputs[1]).abs().max() > 0.1
    assert (outputs[0][0] - outputs[0][1]).abs().max() > 0.1
    torch.manual_seed(4)
    resumed = build_operator("noise_sinc", 2, 3, 4).train()
    interrupted = noise_operator().train()
    for _ in range(2):
        interrupted(signal)
    resumed.load_state_dict(interrupted.state_dict())
    assert torch.equal(resumed(signal), outputs[2])


def test_noise_lies_above_the_old_nyquist_frequency():
    layer = build_operator("noise_sinc", 1, 1, 4, bias=False).eval()
    with torch.no_grad():
        output = layer(torch.zeros(1, 1, 16384))[0, 0].numpy()
    frequencies, power = scipy_signal.welch(output, nperseg=1024)
    below, above = power[(frequencies > 0.01) & (frequencies < 0.09)], power[frequencies > 0.16]
    assert 10 * np.log10(below.max() / above.mean()) < STOP_BAND_DB


def test_without_the_branch_it_is_the_sinc_interpolation():
    layer = build_operator("noise_sinc", 2, 2, 4)
    torch.nn.init.zeros_(layer.color.weight)
    torch.nn.init.zeros_(layer.color.bias)
    sinc = build_operator("sinc", 2, 2, 4, options={"zeros": 8, "kernel_size": 0})
    signal = torch.randn(1, 2, 30)
    torch.testing.assert_close(layer(signal), layer.convolution(sinc(signal)))


def test_the_branch_of_inserted_zeros_has_the_tones_of_its_filter():
    layer = build_operator("noise_sinc", 1, 1, 4, bias=False, options={"branch": "stretch"})
    lines = np.abs(np.fft.fft(steady_period(layer, 1, 4)[0]))
    # The high-pass stops the constant, the sinc all else: |Q[k]| / s of the branch's filter.
    weight = np.pad(layer.color.weight.detach().numpy()[0, 0], (0, 1))
    expected = np.abs(np.fft.fft(weight.reshape(2, 4).sum(axis=0)))[1:] / 4
    np.testing.assert_allclose(lines[1:] / lines[0], expected, rtol=LINES)
    assert expected.max() > 0.01


def test_the_branch_of_noise_has_no_tones():
    layer = build_operator("noise_sinc", 1, 1, 4).eval()
    with torch.no_grad():
        output = layer(torch.ones(1, 1, 400)) - layer(torch.zeros(1, 1, 400))
    lines = np.abs(np.fft.fft(output[0, 0, 800:804].numpy()))
    assert 20 * np.log10(lines[1:].max() / lines[0]) < TONE_DB


def test_an_unknown_branch_is_refused():
    with pytest.raises(UserError, match=r"branch.*'nose'.*'noise'"):
        build_operator("noise_sinc", 2, 3, 2, options={"branch": "nose"})
