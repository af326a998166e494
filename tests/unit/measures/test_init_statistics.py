"""Statistics over initialisations: one row per seed and measure, equal to the single measures."""

from collections import Counter

import pytest
import torch

from upsampling.config.model import DemucsLikeSettings, MelganSettings
from upsampling.measures.from_waveform import measure_waveform, tone_level
from upsampling.measures.from_weights import measure_layers
from upsampling.measures.init_statistics import (
    OUTERMOST_MEASURES,
    init_statistics,
    measure_outermost,
)
from upsampling.measures.shifts import shift_measurements, shifted_noise
from upsampling.measures.spectra import mean_spectrum
from upsampling.models import build

SMALL = DemucsLikeSettings(channels=4, depth=3)
LINE = 11025.0
# A batch and single waveforms differ by rounding in single precision.
ROUNDING_DB = 0.01


def test_each_seed_has_each_measure_once() -> None:
    rows = init_statistics(SMALL, "name", seeds=3, seconds=0.5, probe_seed=1)
    names = {name for names in OUTERMOST_MEASURES.values() for name in names}
    names |= {"shift_error_sample", "shift_error_stride"}
    counts = Counter((row["seed"], row["measure"]) for row in rows)
    assert counts == {(seed, name): 1 for seed in range(3) for name in names}
    assert {(row["variant"], row["stage"]) for row in rows} == {("name", "initialised")}
    assert {row["frequency_hz"] for row in rows} == {LINE, None}
    tones = [row["value"] for row in rows if row["measure"] == "tone_to_constant"]
    assert len(set(tones)) == 3
    repeated = init_statistics(SMALL, "name", seeds=1, seconds=0.5, probe_seed=1)
    assert repeated == [row for row in rows if row["seed"] == 0]


def test_values_are_those_of_the_single_measures() -> None:
    model = build(SMALL, 2)
    by_probe = measure_outermost(model, 0.5, 1)
    layers = {
        m["measure"]: m["value"]
        for m in measure_layers(model.upsampling_layers[-1:])
        if m["frequency_hz"] == LINE
    }
    for measurement in by_probe["weights"]:
        assert measurement["value"] == layers[measurement["measure"]]
    noise = shifted_noise(model, 0.5, 1)
    outputs = model.process(noise)[:, 0, 0].numpy()
    expected = {
        m["measure"]: m["value"]
        for m in measure_waveform(outputs[0], 44100, [4, 4, 4])
        if m["frequency_hz"] == LINE
    } | {m["measure"]: m["value"] for m in shift_measurements(model, outputs)}
    for measurement in by_probe["white_noise"]:
        value = expected[measurement["measure"]]
        assert measurement["value"] == pytest.approx(value, abs=ROUNDING_DB)
    silent = model.process(torch.zeros_like(noise[:1]))[0, 0, 0].numpy()
    level = tone_level(mean_spectrum(silent, 44100)[1], LINE, 44100)
    assert by_probe["silence"][0]["value"] == pytest.approx(level, abs=ROUNDING_DB)


def test_melgan_has_statistics_too() -> None:
    rows = init_statistics(MelganSettings(channels=2), "m", seeds=1, seconds=0.8, probe_seed=0)
    assert {row["probe"] for row in rows} == set(OUTERMOST_MEASURES)
