"""Probes: inputs, and measures of planted tones, notches and shifts."""

import numpy as np
import pytest
import torch
from audited_networks import SAMPLERATE, AutoEncoder, hifi_gan, seeded, under_audit
from torch import nn

from upsampling.audit.probing import (
    AuditSettings,
    Probe,
    attribute_probe,
    makers_in_sound,
    measure_probe,
    probes,
    respond,
    shift_errors,
    waveforms,
)
from upsampling.measures.shifts import shift_error
from upsampling.networks.network import NetworkError
from upsampling.probes.signals import probe_signal


class Ticking(nn.Module):
    """Audio passed through a stride of 4 and back by nearest neighbours, and a planted comb."""

    def __init__(self, amplitude: float = 0.0, held: bool = True):
        super().__init__()
        self.amplitude, self.held = amplitude, held
        self.hold = nn.Upsample(scale_factor=4)

    def forward(self, signal):
        low = nn.functional.avg_pool1d(signal, 4)
        high = self.hold(low)
        comb = torch.arange(high.shape[-1]) % 4 == 0
        return (high if self.held else signal + 0 * high) + self.amplitude * comb


def audited(module, channels=1, kind="audio"):
    return under_audit(module, channels, kind)


def test_audio_gets_the_probe_signals():
    _, structure = audited(seeded(lambda: AutoEncoder(2)), 2)
    found = {probe.name: probe.inputs for probe in probes(structure)}
    assert {*found} == {"white_noise", "music", "speech_like"}
    for name, inputs in found.items():
        assert inputs.shape[0] == 2
        assert inputs.shape[1] >= 3 * SAMPLERATE
        assert (inputs.shape[1] - structure.length) % structure.step == 0
        expected = probe_signal(name, inputs.shape[1] / SAMPLERATE, SAMPLERATE, 0)
        assert np.allclose(inputs[0, :1000], expected[:1000])
    assert not np.allclose(found["white_noise"][0], found["white_noise"][1])


def test_latents_get_normal_noise():
    _, structure = audited(seeded(lambda: hifi_gan((4, 4))), 6, "latent")
    (probe,) = probes(structure)
    assert probe.name == "latent_noise"
    assert probe.inputs.shape[0] == 6
    assert probe.inputs.std() == pytest.approx(1, abs=0.05)
    assert probe.inputs.shape[1] * 16 >= 3 * SAMPLERATE


def test_features_are_the_users():
    _, structure = audited(seeded(lambda: hifi_gan((4, 4))), 6, "features")

    def features(waveform, samplerate):
        assert samplerate == SAMPLERATE
        return waveform[: len(waveform) // 16 * 16].reshape(1, -1, 16)[..., :6].swapaxes(1, 2)

    found = {
        probe.name: probe.inputs for probe in probes(structure, AuditSettings(features=features))
    }
    assert found["white_noise"].shape[0] == 6
    for bad, reason in (
        (lambda w, r: w[:10], "not \\[6, frames\\]"),
        (lambda w, r: np.zeros((6, 3)), "fewer than 32"),
        (lambda w, r: 1 / 0, "cannot be computed"),
    ):
        with pytest.raises(NetworkError, match=reason):
            probes(structure, AuditSettings(features=bad))


@pytest.mark.parametrize("amplitude", [0.0, 0.02])
def test_a_planted_comb_stands_out_and_is_prominent(amplitude):
    _, structure = audited(Ticking(amplitude, held=False))
    probe = next(one for one in probes(structure) if one.name == "white_noise")
    found = measure_probe(structure, probe)
    (excess,), (error,) = found["excess_db"], found["error_db"]
    tone = max(found["tones"], key=lambda one: one["prominence_db"])
    if amplitude:
        # Lines at fs/4 and fs/2 read (amplitude / 4)^2, in noise of variance 1/3 around them.
        n_fft = 16384
        expected = 10 * np.log10(1 + (amplitude / 4) ** 2 / (1.5 / 3 / n_fft))
        assert excess == pytest.approx(expected, abs=3 * error + 1)
        assert tone["frequency_hz"] in (SAMPLERATE / 4, SAMPLERATE / 2)
        assert tone["stationarity"] > 0.5
        eleven = next(t for t in found["tones"] if t["frequency_hz"] == SAMPLERATE / 4)
        assert "tone_to_noise_ratio_db" in eleven
    else:
        assert abs(excess) < 3 * error
        assert not any(one["prominent"] for one in found["tones"])


def test_a_comb_in_noise_is_attributed_to_its_layer():
    """Noise through a rectifier after a transposed convolution whose phases differ in gain."""

    def build():
        up = nn.ConvTranspose1d(1, 4, 8, 4, padding=2, bias=False)
        up.weight.data *= torch.tensor([1.0, 0.1, 0.1, 0.1] * 2)
        last = nn.Conv1d(4, 1, 1)
        return nn.Sequential(nn.AvgPool1d(8), up, nn.ReLU(), nn.Upsample(scale_factor=2), last)

    _, structure = audited(seeded(build), 1)
    probe = next(one for one in probes(structure) if one.name == "white_noise")
    as_is = measure_probe(structure, probe)["excess_db"]
    flat = attribute_probe(structure, probe)
    assert [layer.period for layer in structure.layers] == [8, 2]
    fine = [one[1] for one in flat]
    assert as_is[1] > 10
    assert makers_in_sound(as_is[1], fine) == (0,)
    assert makers_in_sound(2.0, [0.0]) == ()
    assert makers_in_sound(3.0, [0.0]) == ()
    assert makers_in_sound(4.0, [3.0, 3.1]) == (0,)
    assert makers_in_sound(None, [None]) == ()
    assert makers_in_sound(20.0, [9.0, 11.0, -5.0]) == (0, 2)


def test_notches_of_an_interpolation_are_measured():
    _, structure = audited(Ticking())
    probe = next(one for one in probes(structure) if one.name == "white_noise")
    depths = measure_probe(structure, probe)["notch_depth_db"]
    assert [one["frequency_hz"] for one in depths] == [SAMPLERATE / 4, SAMPLERATE / 2]
    assert all(one["depth_db"] > 15 for one in depths)


def test_shifts_by_the_stride_pass_through_and_others_do_not():
    _, structure = audited(Ticking())
    errors = shift_errors(structure)
    assert errors["shift_error_stride_db"] < -150
    assert errors["shift_error_sample_db"] > -20


def test_shifts_are_those_of_noise_that_lasts_four_strides_longer_than_the_trial():
    network, structure = audited(seeded(lambda: AutoEncoder(1, (4, 5))))
    length, step = structure.length + 4 * structure.step, structure.step
    noise = waveforms(network, "white_noise", length + step, 3)
    first, sample, stride = (
        respond(structure, noise[:, start : start + length]) for start in (0, 1, step)
    )
    errors = shift_errors(structure, 3)
    assert errors["shift_error_sample_db"] == shift_error(first, sample, 1)
    assert errors["shift_error_stride_db"] == shift_error(first, stride, step)


def test_numbers_that_are_not_finite_are_refused():
    class Broken(Ticking):
        def forward(self, signal):
            return super().forward(signal) / (signal.abs().max() < 1)

    _, structure = audited(Broken())
    with pytest.raises(NetworkError, match="not finite"):
        respond(structure, np.ones((1, structure.length)))
    assert respond(structure, np.zeros((1, structure.length))).shape[0] == 1
    assert Probe("x", np.zeros((1, 1))).name == "x"
