"""The MelGAN generator against Sec. 1, the published size, and librosa's mel spectrogram."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from upsampling.config.model import MelganSettings
from upsampling.models import build, count_parameters
from upsampling.models.melgan import ResidualBlock, log_mel

ROUNDING = 1e-5
# Spread of the standard deviation of some 4 million weights and of their mean, generously.
DEVIATION, MEAN = 0.02, 1e-4


def noise(seconds: float) -> np.ndarray:
    samples = round(22050 * seconds)
    return np.random.default_rng(0).uniform(-1, 1, samples).astype(np.float32)


def test_it_has_the_published_4_27_million_parameters():
    assert round(count_parameters(MelganSettings()) / 1e6, 2) == 4.27


def test_it_follows_section_1():
    model = build(MelganSettings())
    upsamplers = [m for m in model.modules() if isinstance(m, torch.nn.ConvTranspose1d)]
    assert [m.kernel_size[0] for m in upsamplers] == [16, 16, 4, 4]
    assert [m.stride[0] for m in upsamplers] == [8, 8, 2, 2]
    assert [module for module, _, _ in model.find_upsamplers()] == upsamplers
    assert [channels for _, _, channels in model.find_upsamplers()] == [512, 256, 128, 64]
    for layer in upsamplers:
        # Uniform up to 1 / sqrt(fan-in), PyTorch's default.
        fan_in = layer.out_channels * layer.kernel_size[0]
        assert layer.weight.abs().max().item() == pytest.approx(fan_in**-0.5, rel=DEVIATION)
        assert layer.weight.std().item() == pytest.approx((3 * fan_in) ** -0.5, rel=DEVIATION)


def test_normal_initial_weights_survive_weight_norm():
    model = build(MelganSettings(weight_init="normal"))
    model(torch.zeros(1, 80, 8))
    layers = [m for m in model.modules() if isinstance(m, torch.nn.ConvTranspose1d)]
    weights = torch.cat([layer.weight.flatten() for layer in layers])
    assert weights.std().item() == pytest.approx(0.02, rel=DEVIATION)
    assert weights.mean().item() == pytest.approx(0, abs=MEAN)
    assert weights.abs().max() > 4 * 0.02


def test_the_output_has_a_hop_of_samples_for_each_frame():
    model = build(MelganSettings(channels=4))
    output = model(torch.randn(2, 80, 13))
    assert output.shape == (2, 1, 13 * 256)
    assert output.abs().max() < 1


@pytest.mark.parametrize("mels", [40, 80])
def test_the_mel_spectrum_is_librosas(mels):
    import librosa

    waveform = noise(0.5)
    padded = np.pad(waveform, (1024 - 256) // 2, mode="reflect")
    mel = librosa.feature.melspectrogram(
        y=padded, sr=22050, n_fft=1024, hop_length=256, n_mels=mels, center=False, power=1
    )
    expected = np.log10(np.maximum(mel, 1e-5))
    values = log_mel(waveform, 22050, mels)
    assert values.shape == (1, mels, len(waveform) // 256)
    np.testing.assert_allclose(values[0].numpy(), expected, atol=ROUNDING)
    assert (log_mel(np.zeros_like(waveform), 22050, mels) == -5).all()


def published_generator(model: torch.nn.Module, mel: torch.Tensor) -> torch.Tensor:
    """The published layers in order, by functions: slopes of 0.2, dilations of 1, 3 and 9, tanh."""
    modules = iter(
        m for m in model.modules() if isinstance(m, torch.nn.Conv1d | torch.nn.ConvTranspose1d)
    )

    def conv(signal, pad=0, dilation=1):
        layer = next(modules)
        padded = functional.pad(signal, (pad, pad), mode="reflect") if pad else signal
        return functional.conv1d(padded, layer.weight, layer.bias, dilation=dilation)

    signal = conv(mel, pad=3)
    for stride in (8, 8, 2, 2):
        layer = next(modules)
        active = functional.leaky_relu(signal, 0.2)
        signal = functional.conv_transpose1d(
            active, layer.weight, layer.bias, stride=stride, padding=stride // 2
        )
        for dilation in (1, 3, 9):
            inner = conv(functional.leaky_relu(signal, 0.2), dilation, dilation)
            inner = conv(functional.leaky_relu(inner, 0.2))
            signal = inner + conv(signal)
    return torch.tanh(conv(functional.leaky_relu(signal, 0.2), pad=3))


@torch.no_grad()
def test_the_generator_is_the_published_one():
    model = louder(build(MelganSettings(channels=2)))
    mel = torch.randn(1, 80, 6, generator=torch.Generator().manual_seed(0))
    expected = published_generator(model, mel)
    assert expected.abs().max() > 0.5
    torch.testing.assert_close(model(mel), expected)


def louder(model: torch.nn.Module) -> torch.nn.Module:
    """PyTorch's initial weights attenuate the input to less than rounding: eight times them."""
    for module in model.modules():
        if isinstance(module, torch.nn.Conv1d | torch.nn.ConvTranspose1d):
            module.parametrizations.weight.original0.data *= 8
    return model


def test_waveforms_are_processed_by_their_mel_spectra():
    model = louder(build(MelganSettings(channels=2)))
    waveforms = torch.from_numpy(np.stack([noise(0.2), np.zeros_like(noise(0.2))]))[:, None]
    outputs = model.process(waveforms)
    assert outputs.shape == (2, 1, 1, waveforms.shape[-1] // 256 * 256)
    with torch.no_grad():
        expected = model(log_mel(waveforms[0, 0].numpy(), 22050, 80))
    torch.testing.assert_close(outputs[:1, 0], expected)
    assert not torch.equal(outputs[0], outputs[1])


def test_a_residual_block_keeps_its_shape_and_reaches_as_far_as_its_dilation():
    block = ResidualBlock(3, 9)
    signal = torch.randn(1, 3, 40)
    changed = signal.clone()
    changed[..., 20] += 1
    difference = (block(changed) - block(signal)).abs().amax(dim=1)[0]
    assert block(signal).shape == signal.shape
    assert difference.nonzero().flatten().tolist() == [11, 20, 29]
