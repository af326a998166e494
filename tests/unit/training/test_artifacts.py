"""Artifacts at an epoch are those of the weights, and measuring them disturbs nothing."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from upsampling.config.model import DemucsLikeSettings
from upsampling.errors import UserError
from upsampling.measures.from_waveform import measure_waveform
from upsampling.models import build
from upsampling.models.base import AudioModel
from upsampling.probes.model_output import model_output
from upsampling.training.artifacts import SEED, measure_epoch
from upsampling.training.history import EpochMeasurement

# Rounding of float32 outputs at a line that is at most 100 dB below the output's constant, in dB.
SINGLE = 0.05


def settings(operator: str, **changes) -> DemucsLikeSettings:
    return DemucsLikeSettings(channels=4, depth=3, operator=operator, **changes)


def values(rows: list[EpochMeasurement], probe: str, measure: str) -> dict[tuple, float]:
    """Values by layer and frequency."""
    chosen = [row for row in rows if (row.probe, row.measure) == (probe, measure)]
    return {(row.layer, row.frequency_hz): row.value for row in chosen}


@pytest.fixture(scope="module")
def tonal() -> list[EpochMeasurement]:
    return measure_epoch(build(settings("transposed"), 0), 7)


def test_imbalance_and_lines_are_those_of_the_weights(tonal):
    """From the definition: sums of every fourth weight, and their discrete Fourier transform."""
    model = build(settings("transposed"), 0)
    imbalances = values(tonal, "weights", "polyphase_imbalance")
    lines = values(tonal, "weights", "polyphase_line")
    assert len(imbalances) == 3
    assert len(lines) == 6
    for number, layer in enumerate(model.upsampling_layers, start=1):
        (weight,) = (p for p in layer.module.parameters() if p.ndim == 3)
        sums = weight.detach().double().reshape(*weight.shape[:2], -1, 4).sum(dim=2).numpy()
        power = np.sum(np.abs(np.fft.fft(sums)) ** 2, axis=(0, 1))
        expected = math.sqrt(power[1:].sum() / power[0])
        assert imbalances[number, layer.spacing] == pytest.approx(expected, rel=1e-9)
        for k in (1, 2):
            expected = math.sqrt(power[k] / power[0])
            assert lines[number, k * layer.spacing] == pytest.approx(expected, rel=1e-9)


def test_tones_in_silence_are_those_of_double_precision(tonal):
    model = build(settings("transposed"), 0).double()
    _, output, rate = model_output(model, "silence", 1.0, 0, margin=model.settling)
    exact = {m["frequency_hz"]: m["value"] for m in measure_waveform(output, rate, [4, 4, 4])
             if m["measure"] == "tone_level"}  # fmt: skip
    levels = values(tonal, "silence", "tone_level")
    assert [*levels] == [(3, 11025.0), (3, 22050.0), (2, 2756.25), (1, 689.0625)]
    for (_, frequency), level in levels.items():
        assert level > -100
        assert level == pytest.approx(exact[frequency], abs=SINGLE)
    prominences = values(tonal, "silence", "tone_prominence")
    assert prominences.keys() == levels.keys()
    assert prominences[3, 11025.0] > 60


def test_noise_is_measured_as_in_the_table_of_artifacts(tonal):
    model = build(settings("transposed"), 0)
    _, output, rate = model_output(model, "white_noise", 3.0, 0)
    expected = {(m["measure"], m["frequency_hz"]): m["value"]
                for m in measure_waveform(output, rate, [4, 4, 4])}  # fmt: skip
    noise = [row for row in tonal if row.probe == "white_noise"]
    assert {row.measure for row in noise} == {"tone_level", "tone_prominence", "notch_depth"}
    for row in noise:
        assert row.value == expected[row.measure, row.frequency_hz]
    assert {row.epoch for row in tonal} == {7}


def test_interpolation_has_a_notch_and_no_tone():
    rows = measure_epoch(build(settings("nearest"), 0), 0)
    assert set(values(rows, "weights", "polyphase_imbalance").values()) == {0.0}
    assert max(values(rows, "silence", "tone_level").values()) < -140
    # Nearly as quiet as rounding errors, which may stand out by some dB.
    assert max(values(rows, "silence", "tone_prominence").values()) < 10
    assert values(rows, "white_noise", "notch_depth")[3, 11025.0] > 20


def test_silence_of_a_model_without_biases_is_silent():
    rows = measure_epoch(build(settings("transposed", bias=False, first_relu=False), 0), 0)
    assert set(values(rows, "silence", "tone_level").values()) == {-200.0}


@pytest.mark.parametrize("training", [True, False])
def test_nothing_else_changes(training):
    """The operator draws noise, for which it uses the random generator of training."""
    model = build(settings("noise_sinc"), 0).train(training)
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    parameters = [*map(id, model.parameters())]
    torch.manual_seed(5)
    torch.rand(3)
    state = torch.get_rng_state()
    first = measure_epoch(model, 0)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training == training for module in model.modules())
    assert parameters == [*map(id, model.parameters())]
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, tensors[name])
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    torch.manual_seed(SEED + 1)
    assert measure_epoch(model, 0) == first


class Scripted(AudioModel):
    """Holds each of its input's values, times `gain`, and notes how it is called."""

    samplerate = 8000

    def __init__(self, gain: float = 1.0):
        super().__init__()
        self.layer = nn.ConvTranspose1d(1, 1, 2, 2, bias=False)
        nn.init.constant_(self.layer.weight, gain)
        self.calls: list[tuple[bool, bool, bool]] = []

    def forward(self, waveforms):
        self.calls.append(
            (self.training, torch.is_grad_enabled(), torch.is_inference_mode_enabled())
        )
        self.allowed = torch.backends.cudnn.allow_tf32
        return self.layer(waveforms[..., ::2])

    def find_upsamplers(self):
        return [(self.layer, 2, 1)]


def test_a_model_is_evaluated_in_full_precision(monkeypatch):
    model = Scripted()
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    rows = measure_epoch(model, 0)
    assert model.calls == [(False, False, False)] * 2
    assert not model.allowed
    assert torch.backends.cudnn.allow_tf32
    assert {row.layer for row in rows} == {1}
    assert values(rows, "white_noise", "tone_level").keys() == {(1, 4000.0)}


@pytest.mark.parametrize("gain", [math.inf, math.nan])
def test_values_that_are_not_finite_are_refused(gain, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    model = Scripted(gain).train()
    with pytest.raises(UserError, match="not finite"):
        measure_epoch(model, 0)
    assert model.training
    assert torch.backends.cudnn.allow_tf32
