"""Measures of layers from their weights, against closed forms, noise and constants."""

import numpy as np
import pytest
import torch
from comb_levels import comb_levels
from frequency_responses import summarize
from torch import nn

from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.measures import from_weights
from upsampling.measures.from_waveform import notch_depth
from upsampling.measures.spectra import mean_spectrum
from upsampling.models import build
from upsampling.models.base import UpsamplingLayer
from upsampling.operators import OPERATORS, build_operator
from upsampling.theory.closed_forms import INTERPOLATORS, comb_spectrum, polyphase_sums

EXACT = 1e-9
# Printed levels are rounded to 0.1 dB.
DECIBELS = 0.06
NOISE_DB = 0.3
SAMPLERATE = 44100
TONAL = ["transposed", "subpixel", "stretch", "lazy_wavelet", "haar_wavelet", "learned_wavelet"]
TONELESS = [
    "nearest",
    "linear",
    "nearest_2s",
    "subpixel_icnr",
    "subpixel_zoh",
    "transposed_nearest_init",
    "learned_linear",
]


def built(name: str, channels: int = 3, *, bias: bool = False, seed: int = 0, **options):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_operator(name, channels, channels, 4, bias=bias, options=options)


def with_kernel(kernel: np.ndarray, stride: int) -> nn.ConvTranspose1d:
    """A transposed convolution of the weights [in, out, length]."""
    layer = nn.ConvTranspose1d(*kernel.shape, stride, bias=False)
    layer.weight.data = torch.tensor(kernel, dtype=torch.float32)
    return layer


@pytest.mark.parametrize(("length", "stride"), [(3, 2), (8, 6), (8, 4), (4, 2), (3, 3)])
def test_ones_kernels_have_the_imbalance_of_their_overlap(length: int, stride: int) -> None:
    """Polyphase sums are the numbers of taps per phase: (2, 1) gives 1 / 3, -9.54 dB."""
    sums = from_weights.impulse_responses(with_kernel(np.ones((1, 1, length)), stride), stride, 1)
    lines = 10 ** (comb_levels(np.ones(length), stride) / 20)
    expected = np.sqrt(np.sum(lines[lines > EXACT] ** 2))
    assert from_weights.imbalance(sums.comb) == pytest.approx(expected, abs=EXACT)
    if length == 3 and stride == 2:
        assert 20 * np.log10(from_weights.imbalance(sums.comb)) == pytest.approx(-9.54, abs=0.01)
    assert (from_weights.imbalance(sums.comb) == 0) == (length % stride == 0)


def test_imbalance_is_aggregated_over_pairs_by_rms() -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 2, 8)).astype(np.float32)
    comb = comb_spectrum(polyphase_sums(kernel, 4)) ** 2
    expected = np.sqrt(comb[..., 1:].sum() / comb[..., 0].sum())
    sums = from_weights.impulse_responses(with_kernel(kernel, 4), 4, 3)
    assert from_weights.imbalance(sums.comb) == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize("name", TONAL)
def test_random_weights_have_0_db_at_each_line(name: str) -> None:
    """So sqrt(s - 1) in total: 64 x 64 pairs come within a few percent of the expectation."""
    layer = built(name, 64)
    assert from_weights.imbalance(
        from_weights.impulse_responses(layer, 4, 64).comb
    ) == pytest.approx(3**0.5, rel=0.1)


@pytest.mark.parametrize("name", TONELESS)
@pytest.mark.parametrize("bias", [False, True])
def test_toneless_operators_have_none_at_all(name: str, bias: bool) -> None:
    sums = from_weights.impulse_responses(built(name, bias=bias), 4, 3)
    assert from_weights.imbalance(sums.comb) == 0
    assert from_weights.imbalance(sums.bias_comb) == 0


@pytest.mark.parametrize("name", [n for n in OPERATORS if n not in ("istft_head",)])
@pytest.mark.parametrize("bias", [False, True])
def test_zero_if_and_only_if_no_constant_gives_a_tone(name: str, bias: bool) -> None:
    layer = built(name, bias=bias).double().eval()
    sums = from_weights.impulse_responses(layer, 4, 3)
    constants = torch.randn(
        5, 3, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    with torch.no_grad():
        shared = layer(torch.zeros(5, 3, 400, dtype=torch.float64)) if name == "noise_sinc" else 0
        output = layer(constants.expand(-1, -1, 400)) - shared
    middle = output[..., 800:804].numpy()
    varies = np.ptp(middle, axis=-1).max() / np.abs(middle).max() > from_weights.ROUNDING
    scores = (from_weights.imbalance(sums.comb), from_weights.imbalance(sums.bias_comb))
    assert (max(scores) > 0) == varies


def test_a_subpixel_bias_adds_a_tone() -> None:
    layer = built("subpixel", bias=True)
    bias = layer.convolution.bias.detach().numpy().reshape(3, 4)
    comb = comb_spectrum(bias) ** 2
    expected = np.sqrt(comb[:, 1:].sum() / comb[:, 0].sum())
    found = from_weights.impulse_responses(layer, 4, 3).bias_comb
    np.testing.assert_allclose(found, comb.sum(axis=0) / 4**2, rtol=1e-5)
    measured = from_weights.imbalance(found)
    assert measured == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "taps", "image", "droop"),
    [
        ("nearest", {}, "nearest", -5.6, -2.9),
        ("linear", {"definition": "triangle"}, "linear (triangle)", -12.0, -5.9),
        ("linear", {"definition": "half_pixel"}, "linear (half_pixel)", None, -6.4),
        ("kaiser_sinc", {}, "kaiser_sinc", -14.5, -3.7),
        ("sinc", {"zeros": 8}, "sinc (zeros 8)", -19, -1.4),
        ("sinc", {"zeros": 24}, "sinc (zeros 24)", -24, 0),
    ],
)
def test_images_and_droop_of_interpolators(name, options, taps, image, droop) -> None:
    """Against the closed form of the taps, and the rounded values of operators' tables."""
    layer = built(name, 1, kernel_size=0, **options)
    sums = from_weights.impulse_responses(layer, 4, 1)
    expected = summarize(taps, 4)
    measured = from_weights.image_to_base(sums.correlation, 4)
    assert measured == pytest.approx(expected.image_to_base, abs=0.01)
    assert from_weights.droop(sums.correlation, 4) == pytest.approx(expected.droop[1], abs=0.01)
    assert from_weights.droop(sums.correlation, 4) == pytest.approx(droop, abs=DECIBELS)
    if image is not None:
        assert measured == pytest.approx(image, abs=0.5 if image < -15 else DECIBELS)


@pytest.mark.parametrize("name", ["transposed", "subpixel", "nearest", "linear", "haar_wavelet"])
def test_images_are_those_of_white_noise(name: str) -> None:
    """Energy of the output above the old Nyquist frequency over that below it."""
    layer = built(name, 2, seed=3)
    sums = from_weights.impulse_responses(layer, 4, 2)
    noise = torch.randn(1, 2, 100_000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        output = layer(noise)[0].numpy()
    above = below = 0.0
    for channel in output:
        _, power = mean_spectrum(channel, SAMPLERATE, 1024)
        below += power[:128].sum() + power[128] / 2
        above += power[129:].sum() + power[128] / 2
    expected = 10 * np.log10(above / below)
    assert from_weights.image_to_base(sums.correlation, 4) == pytest.approx(expected, abs=NOISE_DB)


@pytest.mark.parametrize("name", ["nearest", "linear"])
@pytest.mark.parametrize("frequency", [11025.0, 22050.0])
def test_notches_beside_their_closed_form(name: str, frequency: float) -> None:
    """White noise through an interpolator: the zeros of its filter under a Hann window."""
    taps = INTERPOLATORS[{"linear": "linear (half_pixel)"}.get(name, name)](4)
    expected = from_weights.expected_notch_depth(
        np.correlate(taps, taps, "full"), frequency, SAMPLERATE
    )
    noise = torch.randn(1, 1, 300_000, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        output = built(name, 1, kernel_size=0)(noise)[0, 0].numpy()
    _, power = mean_spectrum(output, SAMPLERATE)
    assert notch_depth(power, frequency, SAMPLERATE) == pytest.approx(expected, abs=1.0)
    assert expected > 20


def test_a_flat_spectrum_has_no_notch() -> None:
    assert from_weights.expected_notch_depth(np.ones(1), 11025.0, SAMPLERATE) == pytest.approx(
        0, abs=1e-9
    )


def test_boundary_error_of_ones() -> None:
    """k = 3, s = 2: the steady (2, 1) lacks 1 in the first sample, and 1 in the last."""
    sums = from_weights.impulse_responses(with_kernel(np.ones((1, 1, 3)), 2), 2, 1)
    # Within three samples of either end: steady 2, 1, 2 each, deviations -1, 0, 0.
    assert (sums.boundary, sums.steady) == (pytest.approx(2), pytest.approx(18))
    sums = from_weights.impulse_responses(with_kernel(np.ones((1, 1, 4)), 4), 4, 1)
    assert sums.boundary == 0


def test_layers_of_models_are_found_deepest_first() -> None:
    model = build(DemucsLikeSettings(channels=4, depth=3))
    layers = model.upsampling_layers
    assert [layer.in_channels for layer in layers] == [16, 8, 4]
    assert [layer.spacing for layer in layers] == [44100 / 64, 44100 / 16, 11025]
    melgan = build(MelganSettings(channels=2)).upsampling_layers
    assert [layer.stride for layer in melgan] == [8, 8, 2, 2]
    assert [layer.in_channels for layer in melgan] == [32, 16, 8, 4]
    assert [layer.spacing for layer in melgan] == [86.1328125, 689.0625, 5512.5, 11025.0]


def test_measurements_are_finite_and_aggregated_over_layers() -> None:
    model = build(DemucsLikeSettings(channels=4))
    measurements = from_weights.measure_layers(model.upsampling_layers)
    assert all(np.isfinite(m["value"]) for m in measurements)
    imbalances = [m for m in measurements if m["measure"] == "polyphase_imbalance"]
    per_layer = [m["value"] for m in imbalances if m["frequency_hz"] is not None]
    total = next(m["value"] for m in imbalances if m["frequency_hz"] is None)
    assert len(per_layer) == 6
    assert total == pytest.approx(np.sqrt(np.mean(np.square(per_layer))))


def test_weights_and_mode_are_unchanged() -> None:
    layer = built("transposed", 2)
    before = layer.convolution.weight.clone()
    from_weights.impulse_responses(layer, 4, 2)
    assert layer.convolution.weight.dtype == torch.float32
    assert torch.equal(layer.convolution.weight, before)


def test_many_channels_are_sampled(monkeypatch) -> None:
    kernel = np.random.default_rng(1).normal(size=(40, 2, 8))
    whole = from_weights.imbalance(
        from_weights.impulse_responses(with_kernel(kernel, 4), 4, 40).comb
    )
    monkeypatch.setattr(from_weights, "MOST_CHANNELS", 10)
    part = from_weights.imbalance(
        from_weights.impulse_responses(with_kernel(kernel, 4), 4, 40).comb
    )
    assert part != whole
    assert part == pytest.approx(whole, rel=0.5)


def test_tone_of_a_constant_is_that_of_the_output_for_ones() -> None:
    layer = built("transposed", 3, seed=2)
    with torch.no_grad():
        output = layer.double()(torch.ones(1, 3, 40, dtype=torch.float64))[0, 0, 80:84].numpy()
    lines = np.abs(np.fft.fft(output))
    measurements = from_weights.measure_layers([UpsamplingLayer(layer.float(), 4, 3, 11025.0)])
    (value,) = [m["value"] for m in measurements if m["measure"] == "tone_to_constant"]
    assert value == pytest.approx(20 * np.log10(lines[1] / lines[0]), abs=1e-6)


@pytest.mark.parametrize("length", [3, 40, 300])
def test_long_filters_are_covered_by_a_longer_reach(length: int) -> None:
    kernel = np.random.default_rng(5).normal(size=(2, 2, length)).astype(np.float32)
    sums = from_weights.impulse_responses(with_kernel(kernel, 3), 3, 2)
    pairs = kernel.reshape(4, length).astype(np.float64)
    expected = sum(np.correlate(taps, taps, "full") for taps in pairs)
    np.testing.assert_allclose(sums.correlation, expected, atol=EXACT * length)


def test_energies_of_a_filter_integrate_its_spectrum() -> None:
    """S(f) against NumPy's transform, its integral over the old band against the closed form."""
    taps = np.random.default_rng(6).normal(size=11)
    correlation = np.correlate(taps, taps, "full")
    grid = np.arange(1 << 12) / (1 << 13)
    power = np.abs(np.exp(-2j * np.pi * np.outer(grid, np.arange(11))) @ taps) ** 2
    np.testing.assert_allclose(from_weights.spectrum(correlation, grid), power, atol=EXACT)
    base, images = power[grid < 0.125].sum(), power[grid >= 0.125].sum()
    measured = from_weights.image_to_base(correlation, 4)
    assert measured == pytest.approx(10 * np.log10(images / base), abs=0.02)


def test_noise_of_an_operator_is_no_tone() -> None:
    """An output for silence that no period describes has none: zeros, not a division by zero."""
    sums = from_weights.impulse_responses(built("noise_sinc", 2), 4, 2)
    assert sums.bias_comb.tolist() == [0.0] * 4


def test_32_channels_at_most_get_an_impulse() -> None:
    assert from_weights._picked(5).tolist() == [0, 1, 2, 3, 4]
    picked = from_weights._picked(1000)
    assert (len(picked), picked[0], picked[-1]) == (32, 0, 999)
    assert set(np.diff(picked)) == {32, 33}


@pytest.mark.parametrize(("size", "length"), [(1.2e-12, 3), (0.9e-12, 2)])
def test_taps_within_rounding_belong_to_no_filter(size: float, length: int) -> None:
    layer = with_kernel(np.array([[[1.0, 0.5, size]]]), 2)
    assert len(from_weights.impulse_responses(layer, 2, 1).correlation) == 2 * length - 1


def test_imbalance_lies_between_rounding_and_its_inverse() -> None:
    found = [
        from_weights.imbalance(np.array(comb))
        for comb in ([1, 1.2e-24], [1, 0.9e-24], [0, 0], [0, 1], [4, 1, 0], [1e-30, 1])
    ]
    expected = [1.2**0.5 * 1e-12, 0, 0, 1e12, 0.5, 1e12]
    assert found == pytest.approx(expected, rel=EXACT, abs=0)


@pytest.mark.parametrize("frequency", [11025.0, 22050.0])
def test_expected_notches_are_means_under_the_window_at_quarters_of_a_bin(frequency) -> None:
    """A second writing, bin by bin, of Hann's spectrum over 8 bins on either side."""
    taps = np.ones(4) + 0.01 * np.arange(4)
    offsets = np.arange(-32, 33) / 4
    hann = np.abs(0.5 * np.sinc(offsets) + 0.25 * (np.sinc(offsets - 1) + np.sinc(offsets + 1)))
    weights = hann**2 / np.sum(hann**2)
    bins = np.arange(8193)[:, None] + offsets
    power = np.zeros(bins.shape)
    for k in range(4):
        for m in range(4):
            power += taps[k] * taps[m] * np.cos(2 * np.pi * bins * (k - m) / 16384)
    expected = notch_depth(power @ weights, frequency, SAMPLERATE)
    correlation = np.correlate(taps, taps, "full")
    measured = from_weights.expected_notch_depth(correlation, frequency, SAMPLERATE)
    assert measured == pytest.approx(expected, abs=1e-6)


def test_the_steady_output_lies_in_the_middle_and_the_ends_are_a_filter_long() -> None:
    """Ones of length 5 at stride 2: steady 3, 2; at the ends 1, 1, 2 and 2, 1, 1 differ."""
    sums = from_weights.impulse_responses(with_kernel(np.ones((1, 1, 5)), 2), 2, 1)
    steady = np.array([3, 2, 3, 2, 3])
    deviation = steady - np.array([1, 1, 2, 2, 3])
    assert sums.boundary == pytest.approx(2 * np.sum(deviation**2), rel=EXACT)
    assert sums.steady == pytest.approx(2 * np.sum(steady**2), rel=EXACT)
