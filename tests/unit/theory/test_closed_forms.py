"""Closed forms against simulation, PyTorch's layers and SciPy."""

from pathlib import Path

import frequency_responses
import numpy as np
import pytest
import torch
from comb_levels import FLOOR_DB, comb_levels, expected_comb_power
from scipy import signal as scipy_signal
from scipy import stats as scipy_stats
from scipy.integrate import quad
from torch import nn

from upsampling.operators.linear import LINEAR
from upsampling.operators.nearest import interpolate_nearest
from upsampling.theory import closed_forms

ROOT = Path(__file__).parents[3]
TOLERANCE = 1e-9
DECIBELS = 0.1
KERNELS = 40_000
# Overlap none, partial, full (Sec. 2), then Fig. 5's two.
SETUPS = [(3, 3), (3, 2), (4, 2), (8, 4), (8, 6)]


def steady_output_for_ones(weight: np.ndarray, stride: int) -> np.ndarray:
    """One period of the output of PyTorch's transposed convolution, away from its borders."""
    layer = nn.ConvTranspose1d(1, len(weight), weight.shape[1], stride, bias=False).double()
    layer.weight.data = torch.tensor(weight)[None]
    output = layer(torch.ones(1, 1, 20, dtype=torch.float64))[0].detach().numpy()
    return output[:, 8 * stride : 9 * stride]


@pytest.mark.parametrize(("length", "stride"), SETUPS)
def test_polyphase_sums_are_the_steady_output_for_ones(length, stride):
    weight = np.random.default_rng(0).normal(size=(5, length))
    sums = closed_forms.polyphase_sums(weight, stride)
    np.testing.assert_allclose(sums, steady_output_for_ones(weight, stride), atol=TOLERANCE)


def test_tones_of_constant_kernels():
    # Sums (2, 1): |2 - 1| / 3.
    np.testing.assert_allclose(comb_levels(np.ones(3), 2), [20 * np.log10(1 / 3)])
    # Sums (2, 2, 1, 1, 1, 1): six ones, which have no tone, plus (1, 1): |1 + w^k| = 2 cos(pi k/6).
    lines = np.arange(1, 6)
    expected = np.abs(2 * np.cos(np.pi * lines / 6)) / 8
    levels = comb_levels(np.ones(8), 6)
    np.testing.assert_allclose(10 ** (levels / 20), expected, atol=TOLERANCE)
    np.testing.assert_allclose(levels[:2], [-13.3, -18.1], atol=DECIBELS)
    assert levels[2] == FLOOR_DB
    for length, stride in [(8, 4), (4, 2), (3, 1)]:
        assert (comb_levels(np.ones(length), stride) == FLOOR_DB).all()


@pytest.mark.parametrize(("length", "stride"), SETUPS)
def test_random_kernels_have_tones_as_strong_as_the_constant(length, stride):
    assert expected_comb_power(length, stride) == pytest.approx([length] * stride)
    kernels = np.random.default_rng(1).uniform(-1, 1, (KERNELS, length))
    power = np.mean(
        closed_forms.comb_spectrum(closed_forms.polyphase_sums(kernels, stride)) ** 2, axis=0
    )
    np.testing.assert_allclose(10 * np.log10(power[1:] / power[0]), 0, atol=2 * DECIBELS)


@pytest.mark.parametrize(("line", "stride"), [(1, 4), (2, 4), (1, 2), (1, 3)])
def test_levels_over_random_kernels_have_fishers_distribution(line, stride):
    kernels = np.random.default_rng(2).normal(size=(KERNELS, 2 * stride))
    levels = comb_levels(kernels, stride)[:, line - 1]
    for probability in (0.1, 0.5, 0.9):
        quantile = closed_forms.random_level_quantile(probability, line, stride)
        assert np.mean(levels < quantile) == pytest.approx(probability, abs=0.01)
        freedom = 1 if 2 * line == stride else 2
        fisher = 10 * np.log10(scipy_stats.f.ppf(probability, freedom, 1))
        assert quantile == pytest.approx(fisher, abs=TOLERANCE)


def test_a_tone_without_a_constant_is_infinite_and_silence_the_floor():
    assert comb_levels([1.0, -1.0], 2) == np.inf
    assert comb_levels([0.0, 0.0], 2) == FLOOR_DB


def impulse_response(interpolate, stride: int) -> np.ndarray:
    impulse = torch.zeros(1, 1, 9, dtype=torch.float64)
    impulse[..., 4] = 1
    return interpolate(impulse, stride)[0, 0].numpy()


FORMULAS = [
    (interpolate_nearest, frequency_responses.nearest, "nearest"),
    (LINEAR["triangle"], frequency_responses.triangle, "linear (triangle)"),
    (LINEAR["half_pixel"], frequency_responses.half_pixel, "linear (half_pixel)"),
]


@pytest.mark.parametrize("stride", [2, 3, 4, 6])
@pytest.mark.parametrize(("interpolate", "formula", "name"), FORMULAS)
def test_frequency_responses_are_those_of_the_interpolators(interpolate, formula, name, stride):
    taps = impulse_response(interpolate, stride)
    frequencies = np.linspace(0, 0.5, 101)
    _, gain = scipy_signal.freqz(taps, worN=2 * np.pi * frequencies)
    np.testing.assert_allclose(formula(frequencies, stride), np.abs(gain) / stride, atol=TOLERANCE)
    fixed = closed_forms.INTERPOLATORS[name](stride)
    response = frequency_responses.of_taps(fixed, frequencies)
    np.testing.assert_allclose(response, np.abs(gain) / stride, atol=TOLERANCE)
    # No tone: the response is zero at all multiples of the input rate, 0 Hz excepted.
    assert (comb_levels(fixed, stride) <= -290).all()
    if stride in (2, 4):
        assert not closed_forms.comb_spectrum(closed_forms.polyphase_sums(fixed, stride))[1:].any()


def test_dirichlet_at_whole_frequencies():
    np.testing.assert_allclose(frequency_responses.dirichlet([0, 1, 1 + 1e-9], 4), [1, -1, -1])


@pytest.mark.parametrize("frequency", [0.1, 0.25, 0.45])
def test_align_corners_has_the_gain_of_a_continuous_interpolation(frequency):
    stride, count = 4, 4001
    step = (count - 1) / (stride * count - 1)
    sine = np.sin(2 * np.pi * frequency * np.arange(count))
    output = LINEAR["align_corners"](torch.tensor(sine)[None, None], stride)[0, 0].numpy()
    position = step * np.arange(stride * count)
    gain = 2 * np.mean(output * np.sin(2 * np.pi * frequency * position))
    expected = frequency_responses.align_corners(frequency / stride, stride)
    assert 20 * np.log10(gain) == pytest.approx(20 * np.log10(expected), abs=DECIBELS)


def independent_taps(name: str, stride: int) -> np.ndarray:
    """The same filters by SciPy's window method and by repeated convolution of boxes."""
    box = np.ones(stride)
    if name.startswith("sinc"):
        zeros = int(name.rstrip(")").split()[-1])
        return stride * scipy_signal.firwin(2 * zeros * stride + 1, 1 / stride, window="hann")
    if name == "kaiser_sinc":
        attenuation = scipy_signal.kaiser_atten(3 * stride, 4 * 0.6 / stride)
        window = ("kaiser", scipy_signal.kaiser_beta(attenuation))
        return stride * scipy_signal.firwin(6 * stride, 1 / stride, window=window)
    triangle = np.convolve(box, box) / stride
    return {
        "nearest": box,
        "linear (triangle)": triangle,
        "linear (half_pixel)": np.convolve(triangle, [0.5, 0.5]),
    }[name]


# Droop at 0.5, 0.9 and 1 of the old Nyquist frequency, worst image, image to base: stride 4, as
# published for these filters, to the decimals that were given.
PUBLISHED = {
    "nearest": ("-0.9 -2.9 -3.7", "-6.2", "-5.6"),
    "linear (triangle)": ("-1.7 -5.9 -7.4", "-12.4", "-12.0"),
    "linear (half_pixel)": ("-1.9 -6.4 -8.1", None, None),
    "kaiser_sinc": ("-0.1 -3.7 -6.0", "-15.9", "-14.5"),
    "sinc (zeros 8)": ("0 -1.4 -6.0", "-44", "-19"),
    "sinc (zeros 24)": ("0 0 -6.0", "-73", "-24"),
    "sinc (zeros 56)": ("0 0 -6.0", "-95", "-28"),
}


@pytest.mark.parametrize("name", closed_forms.INTERPOLATORS)
def test_summaries_are_those_of_independent_taps(name):
    stride, nyquist = 4, 1 / 8
    taps = independent_taps(name, stride)
    np.testing.assert_allclose(closed_forms.INTERPOLATORS[name](stride), taps, atol=TOLERANCE)
    summary = frequency_responses.summarize(name, stride)
    frequencies = np.linspace(0, 0.5, 2**16 + 1)
    _, gain = scipy_signal.freqz(taps, worN=2 * np.pi * frequencies)
    gain = np.abs(gain) / stride
    levels = 20 * np.log10(np.maximum(gain, 1e-15))
    droop = np.interp(np.array([0.5, 0.9, 1.0]) * nyquist, frequencies, levels)
    image = levels[frequencies >= 1.25 * nyquist].max()
    power = gain**2
    base, images = (
        np.trapezoid(power[side], frequencies[side])
        for side in (frequencies <= nyquist, frequencies >= nyquist)
    )
    energy = 10 * np.log10(images / base)
    assert summary.taps == len(taps)
    np.testing.assert_allclose(summary.droop, droop, atol=DECIBELS / 10)
    assert summary.worst_image == pytest.approx(image, abs=DECIBELS / 10)
    assert summary.image_to_base == pytest.approx(energy, abs=DECIBELS / 10)
    droops, *others = PUBLISHED[name]
    printed = zip([*droops.split(), *others], [*droop, image, energy], strict=True)
    for text, value in printed:
        if text is not None:
            decimals = len(text.partition(".")[2])
            assert value == pytest.approx(float(text), abs=0.5 * 10**-decimals + TOLERANCE)


@pytest.mark.parametrize("edge", [0.05, 0.125, 0.5])
def test_band_energy_is_the_integral_of_the_power_response(edge):
    taps = np.random.default_rng(3).normal(size=11)
    power = lambda f: np.abs(np.exp(-2j * np.pi * f * np.arange(11)) @ taps) ** 2  # noqa: E731
    assert frequency_responses.band_energy(taps, edge) == pytest.approx(quad(power, -edge, edge)[0])


def test_documented_frequency_responses_are_the_computed_ones():
    lines = (ROOT / "docs" / "operators.md").read_text().splitlines()
    rows = {
        cells[0]: cells[1:]
        for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
        if cells[0] in closed_forms.INTERPOLATORS
    }
    expected = {}
    for name in closed_forms.INTERPOLATORS:
        summary = frequency_responses.summarize(name, 4)
        numbers = [*summary.droop, summary.worst_image, summary.image_to_base]
        tone = "none" if summary.tone <= -290 else f"{summary.tone:.1f}"
        rounded = [f"{number:.1f}".replace("-0.0", "0.0") for number in numbers]
        expected[name] = [str(summary.taps), *rounded, tone]
    assert rows == expected
