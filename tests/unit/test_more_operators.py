"""The further operators against their sources' definitions, their oracles and each other."""

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from comb_levels import comb_levels
from safetensors.torch import load_file
from scipy import signal as scipy_signal
from torch.nn import functional
from upsampling.operators.costs import operator_cost

from upsampling.config.experiment import Experiment
from upsampling.config.model import DemucsLikeSettings
from upsampling.errors import UserError
from upsampling.models import build, count_parameters
from upsampling.models.demucs_like import rescale_weights
from upsampling.operators import OPERATORS, build_operator
from upsampling.operators.istft_head import IstftHead
from upsampling.operators.kaiser_sinc import kaiser_sinc_taps
from upsampling.operators.linear import interpolate_triangle
from upsampling.operators.nearest import interpolate_nearest
from upsampling.operators.sinc import hann_sinc_taps
from upsampling.operators.subpixel import Subpixel
from upsampling.theory import closed_forms
from upsampling.training.checkpoint_file import save

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SMALL = DemucsLikeSettings(channels=4, depth=2)
TOLERANCE = 1e-5
NEW = [name for name in OPERATORS if name not in ("transposed", "nearest", "linear", "subpixel")]
DOUBLING = ["learned_linear", "lazy_wavelet", "haar_wavelet", "learned_wavelet"]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def settings_of(name: str, **changes) -> DemucsLikeSettings:
    """A small model with the operator, in its last block alone if that is its only place."""
    if name == "istft_head":
        changes |= {"operator": "subpixel", "last": {"operator": name, "options": {"n_fft": 16}}}
    else:
        changes |= {"operator": name}
    return dataclasses.replace(SMALL, **changes)


def period(layer, stride: int) -> np.ndarray:
    """One period [out_channels, stride] of the steady response to ones."""
    layer = layer.double()
    with torch.no_grad():
        output = layer(torch.ones(1, layer.in_channels, 160, dtype=torch.float64))[0].numpy()
    middle = 80 * stride
    one, next_one = output[:, middle : middle + stride], output[:, middle + stride :][:, :stride]
    np.testing.assert_allclose(one, next_one, atol=1e-7)
    return one


def randomise(layer) -> None:
    """Draw all parameters anew, as training might leave them."""
    torch.manual_seed(5)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)


# Tones ---------------------------------------------------------------------------------------

TONE_FREE_AT_FIRST = ["subpixel_icnr", "transposed_nearest_init"]
TONE_FREE_ALWAYS = ["subpixel_zoh", "nearest_2s", "learned_linear"]


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("name", TONE_FREE_AT_FIRST + TONE_FREE_ALWAYS)
def test_remedies_have_no_tone_at_initialisation(name, stride):
    sums = period(build_operator(name, 3, 4, stride), stride)
    spectrum = closed_forms.comb_spectrum(sums)
    assert spectrum[:, 1:].max() < TOLERANCE * spectrum[:, 0].max()


@pytest.mark.parametrize("name", TONE_FREE_AT_FIRST + TONE_FREE_ALWAYS)
def test_remedies_by_construction_outlast_training_and_those_by_initialisation_do_not(name):
    layer = build_operator(name, 3, 4, 4)
    randomise(layer)
    spectrum = closed_forms.comb_spectrum(period(layer, 4))
    tones = spectrum[:, 1:].max() / spectrum[:, 0].max()
    assert tones < TOLERANCE if name in TONE_FREE_ALWAYS else tones > 0.1


@pytest.mark.parametrize("name", ["stretch", "lazy_wavelet", "haar_wavelet", "learned_wavelet"])
def test_random_weights_give_tones_of_0_db_rms(name):
    layer = build_operator(name, 1, 20_000, 2, bias=False)
    power = np.mean(closed_forms.comb_spectrum(period(layer, 2)) ** 2, axis=0)
    assert 10 * np.log10(power[1] / power[0]) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize(("zeros", "stride"), [(8, 4), (24, 2)])
def test_sinc_has_the_small_tones_of_its_taps(zeros, stride):
    layer = build_operator("sinc", 1, 1, stride, options={"zeros": zeros, "kernel_size": 0})
    expected = comb_levels(hann_sinc_taps(stride, zeros), stride).max()
    spectrum = closed_forms.comb_spectrum(period(layer, stride))[0]
    # Taps are kept in single precision.
    assert 20 * np.log10(spectrum[1:].max() / spectrum[0]) == pytest.approx(expected, abs=0.5)


# Equivalences --------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "stride"), [(8, 4), (9, 4), (4, 2), (6, 3), (3, 2)])
def test_stretch_is_a_transposed_convolution_but_for_its_padding(length, stride):
    stretch = build_operator("stretch", 2, 3, stride, options={"kernel_size": length})
    transposed = build_operator("transposed", 2, 3, stride, options={"kernel_size": length})
    transposed.convolution.weight.data = stretch.convolution.weight.data.flip(-1).transpose(0, 1)
    transposed.convolution.bias.data = stretch.convolution.bias.data
    signal = torch.randn(1, 2, 17)
    whole = functional.pad(transposed(signal), (0, stride))
    output = stretch(signal)
    inner = output.shape[-1] - stride
    expected = whole[..., length // 2 :][..., :inner]
    torch.testing.assert_close(output[..., :inner], expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("stride", [2, 4])
def test_lazy_wavelet_is_subpixel_in_another_channel_order(stride):
    lazy = build_operator("lazy_wavelet", 3, 5, stride)
    signal = torch.randn(2, 3, 9)
    expected = signal
    for convolution in lazy.convolutions:
        subpixel = Subpixel(convolution.in_channels, 5, 2)
        # Subpixel channel 2 o is the even samples of channel o: the low band, which comes last.
        order = torch.arange(10).reshape(2, 5).flip(0).T.flatten()
        subpixel.convolution.weight.data = convolution.weight.data[order]
        subpixel.convolution.bias.data = convolution.bias.data[order]
        expected = subpixel(expected)
    torch.testing.assert_close(lazy(signal), expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_icnr_is_nearest_neighbour_interpolation_of_a_convolution(stride):
    layer = build_operator("subpixel_icnr", 2, 3, stride)
    weight, bias = layer.convolution.weight[::stride], layer.convolution.bias[::stride]
    signal = torch.randn(1, 2, 11)
    low = functional.conv1d(signal, weight, bias, padding=1)
    expected = interpolate_nearest(low, stride)
    torch.testing.assert_close(layer(signal), expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(("length", "stride"), [(8, 4), (4, 4), (6, 2)])
def test_nearest_initialised_transposed_is_nearest_neighbour_of_a_convolution(length, stride):
    layer = build_operator("transposed_nearest_init", 2, 3, stride, options={"kernel_size": length})
    low = layer.convolution.weight[..., ::stride].transpose(0, 1).flip(-1)
    signal = torch.randn(1, 2, 11)
    convolved = functional.conv1d(signal, low, layer.convolution.bias, padding=length // stride - 1)
    expected = interpolate_nearest(convolved, stride)
    torch.testing.assert_close(layer(signal), expected, atol=TOLERANCE, rtol=0)


def test_initialisation_keeps_the_spread_of_the_default_one():
    for name, plain in [("subpixel_icnr", "subpixel"), ("transposed_nearest_init", "transposed")]:
        own = build_operator(name, 50, 50, 4).convolution.weight.std()
        default = build_operator(plain, 50, 50, 4).convolution.weight.std()
        assert own.item() == pytest.approx(default.item(), rel=0.02)


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_zero_order_hold_is_a_box_filter_after_subpixel(stride):
    layer = build_operator("subpixel_zoh", 2, 1, stride)
    signal = torch.randn(1, 2, 11)
    before = Subpixel.forward(layer, signal)[0, 0].detach().numpy()
    full = np.convolve(before, np.ones(stride) / stride)
    start = stride // 2
    output = layer(signal)[0, 0].detach().numpy()
    np.testing.assert_allclose(output, full[start : start + len(before)], atol=TOLERANCE)


@pytest.mark.parametrize("stride", [2, 4, 5])
def test_nearest_2s_is_stable_audios(stride):
    layer = build_operator("nearest_2s", 2, 3, stride, bias=True)
    (weight,) = layer.parameters()
    assert weight.shape == (3, 2, 2 * stride)
    signal = torch.randn(2, 2, 9)
    upsampled = functional.interpolate(signal, scale_factor=stride, mode="nearest")
    # PyTorch's padding="same": of 2 s - 1 zeros the smaller half comes first.
    expected = functional.conv1d(functional.pad(upsampled, (stride - 1, stride)), weight)
    torch.testing.assert_close(layer(signal), expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_learned_linear_with_equal_weights_is_the_triangle(stride):
    layer = build_operator("learned_linear", 3, 3, stride, options={"kernel_size": 0})
    signal = torch.randn(2, 3, 7)
    assert (layer(signal) - interpolate_triangle(signal, stride)).abs().max() > 0.01
    for weight in layer.parameters():
        torch.nn.init.zeros_(weight)
    expected = interpolate_triangle(signal, stride)
    torch.testing.assert_close(layer(signal), expected, atol=TOLERANCE, rtol=0)


def test_learned_linear_weighs_each_channels_neighbours():
    layer = build_operator("learned_linear", 2, 2, 2, options={"kernel_size": 0})
    (parameter,) = layer.parameters()
    parameter.data = torch.tensor([0.3, -2.0])
    signal = torch.randn(1, 2, 6)
    output = layer(signal)[0].detach().numpy()
    x = signal[0].numpy()
    weight = 1 / (1 + np.exp(-parameter.detach().numpy()))[:, None]
    np.testing.assert_allclose(output[:, ::2], x)
    odd = weight * x[:, :-1] + (1 - weight) * x[:, 1:]
    np.testing.assert_allclose(output[:, 1:-1:2], odd, atol=TOLERANCE)


@pytest.mark.parametrize("stride", [2, 3, 4])
@pytest.mark.parametrize("zeros", [8, 24, 56])
def test_sinc_is_scipys_window_method(stride, zeros):
    layer = build_operator("sinc", 1, 1, stride, options={"zeros": zeros, "kernel_size": 0})
    signal = torch.randn(1, 1, 150)
    taps = stride * scipy_signal.firwin(2 * zeros * stride + 1, 1 / stride, window="hann")
    full = scipy_signal.upfirdn(taps, signal[0, 0].numpy(), up=stride)[zeros * stride :]
    inside = slice(zeros * stride, -zeros * stride)
    output = layer(signal)[0, 0].numpy()
    np.testing.assert_allclose(output[inside], full[: 150 * stride][inside], atol=TOLERANCE)


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_kaiser_sinc_is_bigvgans_geometry(stride):
    layer = build_operator("kaiser_sinc", 2, 2, stride, options={"kernel_size": 0})
    length = 6 * stride
    attenuation = scipy_signal.kaiser_atten(length // 2, 4 * 0.6 / stride)
    window = ("kaiser", scipy_signal.kaiser_beta(attenuation))
    taps = stride * scipy_signal.firwin(length, 1 / stride, window=window)
    np.testing.assert_allclose(kaiser_sinc_taps(stride), taps, atol=TOLERANCE)
    signal = torch.randn(1, 2, 20)
    held = functional.pad(signal, (length, length), mode="replicate")
    weight = torch.tensor(taps, dtype=torch.float32).expand(2, 1, -1)
    full = functional.conv_transpose1d(held, weight, stride=stride, groups=2)
    start = length * stride + (length - stride) // 2
    expected = full[..., start : start + 20 * stride]
    torch.testing.assert_close(layer(signal), expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("name", ["sinc", "kaiser_sinc", "learned_linear"])
def test_interpolation_keeps_constants_to_the_borders(name):
    output = build_operator(name, 1, 1, 4, options={"kernel_size": 0})(torch.ones(1, 1, 30))
    np.testing.assert_allclose(output.detach().numpy(), 1, atol=1e-3)
    with pytest.raises(UserError, match="cannot change the number of channels"):
        build_operator(name, 1, 2, 4, options={"kernel_size": 0})


def test_haar_is_orthonormal():
    layer = build_operator("haar_wavelet", 2, 3, 2)
    signal = torch.randn(1, 2, 9)
    high, low = layer.convolutions[0](signal).chunk(2, dim=1)
    output = layer(signal)
    torch.testing.assert_close((output[..., 1::2] - output[..., ::2]) / 2**0.5, high)
    torch.testing.assert_close((output[..., 1::2] + output[..., ::2]) / 2**0.5, low)


def test_learned_wavelet_begins_as_haar():
    learned, haar = (build_operator(f"{kind}_wavelet", 2, 3, 4) for kind in ("learned", "haar"))
    haar.load_state_dict(learned.state_dict(), strict=False)
    signal = torch.randn(1, 2, 9)
    torch.testing.assert_close(learned(signal), haar(signal), atol=TOLERANCE, rtol=0)


def test_learned_wavelet_inverts_its_lifting_step_whatever_its_filters():
    layer = build_operator("learned_wavelet", 2, 3, 2, options={"lifting": 5})
    randomise(layer)
    signal = torch.randn(1, 2, 9)
    output = layer(signal)
    even, odd = output[..., ::2], output[..., 1::2]
    high = odd - layer.predict(even, 0)
    low = even + layer.update(high, 0)
    bands = torch.cat([high / 2**0.5, low * 2**0.5], dim=1)
    torch.testing.assert_close(bands, layer.convolutions[0](signal), atol=1e-4, rtol=0)
    ones = torch.ones(1, 1, 9)
    inside = slice(2, -2)
    torch.testing.assert_close(layer.predict(ones, 0)[..., inside], ones[..., inside])
    torch.testing.assert_close(layer.update(ones, 0)[..., inside], ones[..., inside] / 2)


# Noise and head ------------------------------------------------------------------------------


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


def test_noise_in_training_is_new_each_time_and_resumes():
    layer = noise_operator().train()
    signal = torch.zeros(2, 2, 50)
    outputs = [layer(signal) for _ in range(3)]
    assert (outputs[0] - outputs[1]).abs().max() > 0.1
    assert (outputs[0][0] - outputs[0][1]).abs().max() > 0.1
    torch.manual_seed(4)
    resumed = build_operator("noise_sinc", 2, 3, 4).train()
    again = noise_operator().train()
    for _ in range(2):
        again(signal)
    resumed.load_state_dict(again.state_dict())
    assert torch.equal(resumed(signal), outputs[2])


def test_noise_lies_above_the_old_nyquist_frequency():
    layer = build_operator("noise_sinc", 1, 1, 4, bias=False).eval()
    with torch.no_grad():
        output = layer(torch.zeros(1, 1, 16384))[0, 0].numpy()
    frequencies, power = scipy_signal.welch(output, nperseg=1024)
    below, above = power[(frequencies > 0.01) & (frequencies < 0.09)], power[frequencies > 0.16]
    # The mirror image of the sinc's worst image at its pass band's edge, -44 dB.
    assert 10 * np.log10(below.max() / above.mean()) < -40


def test_branch_of_inserted_zeros_has_tones_and_that_of_noise_none():
    layer = build_operator("noise_sinc", 1, 1, 4, bias=False, options={"branch": "stretch"}).eval()
    spectrum = closed_forms.comb_spectrum(period(layer, 4))[0]
    # The high-pass stops the constant, the sinc all else: |Q[k]| / s of the branch's own filter.
    sums = closed_forms.polyphase_sums(layer.colour.weight.detach().numpy()[0, 0], 4)
    expected = closed_forms.comb_spectrum(sums)[1:] / 4
    np.testing.assert_allclose(spectrum[1:] / spectrum[0], expected, rtol=2e-3)
    assert expected.max() > 0.01
    layer = build_operator("noise_sinc", 1, 1, 4).eval()
    with torch.no_grad():
        spoken = layer(torch.ones(1, 1, 400)) - layer(torch.zeros(1, 1, 400))
    spectrum = closed_forms.comb_spectrum(spoken[0, 0, 800:804].numpy())
    assert 20 * np.log10(spectrum[1:].max() / spectrum[0]) < -75


def test_istft_head_is_pytorchs_inverse_transform():
    layer = build_operator("istft_head", 3, 2, 4, options={"n_fft": 16})
    signal = torch.randn(2, 3, 20)
    values = layer.convolution(signal).reshape(2, 2, 2, 9, 20)
    spectra = torch.polar(values[:, :, 0].exp(), values[:, :, 1]).flatten(0, 1)
    expected = torch.istft(spectra, 16, 4, window=torch.hann_window(16)).reshape(2, 2, -1)
    output = layer(signal)
    # Centred frames begin half a hop earlier here: output sample 2 is the first one's center_trim.
    torch.testing.assert_close(output[..., 2:-2], expected, atol=TOLERANCE, rtol=0)


def test_istft_head_limits_magnitudes_and_repeats_for_a_constant():
    layer = build_operator("istft_head", 1, 2, 4)
    assert layer.n_fft == 16
    assert np.ptp(period(layer, 4), axis=1).max() > 0
    layer.convolution.weight.data.fill_(1.0)
    loud = layer.float()(torch.full((1, 1, 9), 50.0))
    louder = layer(torch.full((1, 1, 9), 50.0 + 8 * np.pi))
    torch.testing.assert_close(loud, louder, atol=1e-2, rtol=0)


def test_silence_is_silent_without_bias_but_for_noise_and_the_head():
    for name in NEW:
        layer = build_operator(name, 2, 3, 4, bias=False).eval()
        assert not any("bias" in key for key, _ in layer.named_parameters())
        loudest = layer(torch.zeros(1, 2, 20)).abs().max().item()
        assert (loudest > 0) == (name in ("noise_sinc", "istft_head")), name


# In a model ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NEW)
def test_models_run_backwards_and_are_counted_without_weights(name):
    settings = settings_of(name)
    model = build(settings, 1)
    length = model.input_length(300)
    output = model(torch.randn(1, 2, length))
    assert output.shape[-1] >= 300
    output.square().mean().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
    assert count_parameters(settings) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", NEW)
def test_states_go_through_checkpoint_files(name, tmp_path):
    model = build(settings_of(name), 1).eval()
    save(tmp_path / "model.safetensors", model.state_dict(), {})
    other = build(settings_of(name), 2).eval()
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    signal = torch.randn(1, 2, model.input_length(100))
    assert torch.equal(model(signal), other(signal))


@pytest.mark.parametrize("name", TONE_FREE_AT_FIRST)
def test_rescaling_keeps_initialisations_free_of_tones(name):
    model = build(settings_of(name, rescale=0.1), 1)
    layer = model.decoder[0]["upsampler"]
    spectrum = closed_forms.comb_spectrum(period(layer, 4))
    assert spectrum[:, 1:].max() < TOLERANCE * spectrum[:, 0].max()


@pytest.mark.parametrize("name", ["sinc", "kaiser_sinc", "noise_sinc", "istft_head"])
def test_fixed_filters_are_neither_trained_nor_rescaled_nor_saved(name):
    layer = build_operator(name, 2, 3, 4)
    fixed = {key: b.clone() for key, b in layer.named_buffers() if key not in layer.state_dict()}
    assert fixed
    rescale_weights(layer, 0.1)
    buffers = dict(layer.named_buffers())
    assert all(torch.equal(buffers[key], value) for key, value in fixed.items())


def test_last_names_the_outermost_upsampler_alone():
    model = build(settings_of("istft_head"))
    kinds = [type(block["upsampler"]) for block in model.decoder]
    assert kinds == [Subpixel, IstftHead]
    assert model.decoder[1]["upsampler"].n_fft == 16


@pytest.mark.parametrize(
    ("name", "stride", "options", "message"),
    [
        *((name, 3, {}, "power of two, not 3") for name in DOUBLING),
        ("learned_linear", 6, {}, "power of two, not 6"),
        ("transposed_nearest_init", 3, {}, "length 8 is not a multiple of stride 3"),
        ("learned_wavelet", 2, {"lifting": 4}, "odd length, not 4"),
        ("noise_sinc", 2, {"branch": "nose"}, r"branch 'nose' \(did you mean 'noise'"),
        ("istft_head", 4, {"n_fft": 6}, "n_fft 6 is less than two hops of 4"),
        ("nearest_2s", 2, {"kernel_size": 3}, "length"),
    ],
)
def test_what_an_operator_cannot_do_is_the_users_mistake(name, stride, options, message):
    with pytest.raises(UserError, match=message) as caught:
        build_operator(name, 2, 3, stride, options=options)
    assert name in str(caught.value)


def test_the_head_is_refused_in_inner_blocks():
    with pytest.raises(UserError, match=r"'istft_head' can be the last .* model: \{last:"):
        build(dataclasses.replace(SMALL, operator="istft_head"))


# In the configuration ------------------------------------------------------------------------


def test_every_operator_has_a_variant():
    named = {variant["operator"] for variant in CONFIG["variants"].values()}
    lasts = [variant.get("model", {}).get("last", {}) for variant in CONFIG["variants"].values()]
    assert named | {last.get("operator") for last in lasts} >= set(OPERATORS)


def test_variants_that_are_not_trained_are_probed_at_a_small_width():
    experiment = Experiment(CONFIG)
    for name, variant in CONFIG["variants"].items():
        if name not in experiment.trained and name != "melgan":
            assert '"channels":8' in experiment.initialisation(name)["model"]
            assert variant["title"]


def with_last(last: object) -> dict:
    config = copy.deepcopy(CONFIG)
    config["variants"]["subpixel"]["model"] = {"last": last}
    return config


@pytest.mark.parametrize(
    ("last", "parts"),
    [
        ({"operator": "istft_hed"}, ["last.operator", "did you mean 'istft_head'"]),
        ({"operator": "istft_head", "options": {"nfft": 8}}, ["last.options", "'n_fft'"]),
        ({"options": {}}, ["last", "'operator' is missing"]),
        ({"operator": "none.py:Own"}, ["variants.subpixel.model.last.operator", "none.py cannot"]),
    ],
)
def test_mistakes_in_last_are_told(last, parts):
    with pytest.raises(UserError) as caught:
        Experiment(with_last(last))
    for part in parts:
        assert part in str(caught.value)


def test_null_as_last_is_the_same_operator_everywhere():
    assert '"last":null' in Experiment(with_last(None)).model("subpixel")
    model = build(dataclasses.replace(SMALL, operator="subpixel", last=None))
    assert [type(block["upsampler"]) for block in model.decoder] == [Subpixel, Subpixel]


def test_a_custom_last_operators_code_is_part_of_the_model(tmp_path):
    file = tmp_path / "own.py"
    file.write_text("class Own:\n    gain = 1\n")
    config = with_last({"operator": f"{file}:Own"})
    first = Experiment(config).model("subpixel")
    file.write_text("class Own:\n    gain = 2\n")
    assert Experiment(config).model("subpixel") != first


# Costs ---------------------------------------------------------------------------------------


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
    assert cost.multiply_adds == pytest.approx(multiply_adds, rel=2e-3)


def test_documented_costs_are_the_computed_ones():
    lines = (ROOT / "docs" / "operators.md").read_text().splitlines()
    rows = {}
    for line in lines:
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
