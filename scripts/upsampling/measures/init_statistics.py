"""Artifacts at initialisation over many seeds: statistics of their chance part."""

from typing import Any

import torch

from upsampling.config.model import ModelSettings
from upsampling.measures.artifact_rows import WEIGHTS, tidy
from upsampling.measures.from_waveform import Measurement, measure_waveform, tone_level
from upsampling.measures.from_weights import measure_layers
from upsampling.measures.measure_artifacts import SHIFT_SIGNAL
from upsampling.measures.shifts import shift_measurements, shifted_noise
from upsampling.measures.spectra import mean_spectrum
from upsampling.models import build
from upsampling.models.base import AudioModel

# Measures at the first line of the outermost layer, by test signal; those of shifts come on top.
OUTERMOST_MEASURES = {
    WEIGHTS: (
        "polyphase_imbalance",
        "tone_to_constant",
        "image_to_base",
        "droop",
        "boundary_error",
    ),
    SHIFT_SIGNAL: (
        "comb_prominence_mean",
        "tone_to_noise_ratio",
        "prominence_ratio",
        "stationarity",
        "notch_depth",
    ),
    "silence": ("tone_level",),
}


def init_statistics(
    settings: ModelSettings, variant: str, *, seeds: int, seconds: float, probe_seed: int
) -> list[dict[str, Any]]:
    """Return tidy rows of the artifacts of models initialised with seeds 0 .. `seeds` - 1.

    Measured at the first line of the outermost layer, with the same `seconds` of white noise and
    silence for all models.
    """
    rows: list[dict[str, Any]] = []
    for seed in range(seeds):
        model = build(settings, seed)
        head = {"variant": variant, "seed": seed, "stage": "initialised"}
        for probe, measurements in measure_outermost(model, seconds, probe_seed).items():
            rows += tidy(measurements, head | {"probe": probe})
    return rows


def measure_outermost(model: AudioModel, seconds: float, seed: int) -> dict[str, list[Measurement]]:
    """Measure the outermost layer, by test signal, and shifts, from one batch of outputs.

    Outputs are those of the first source and channel; `measure_shifts` compares all of them.
    """
    layers, samplerate = model.upsampling_layers, model.samplerate
    strides, line = [layer.stride for layer in layers], layers[-1].spacing
    noise = shifted_noise(model, seconds, seed)
    outputs = model.process(torch.cat([noise, torch.zeros_like(noise[:1])]))[:, 0, 0].numpy()
    silence = tone_level(mean_spectrum(outputs[-1], samplerate)[1], line, samplerate)
    tone = Measurement(measure="tone_level", frequency_hz=line, value=silence, unit="dBFS")
    measurements = {
        WEIGHTS: measure_layers(layers[-1:]),
        SHIFT_SIGNAL: measure_waveform(outputs[0], samplerate, strides),
        "silence": [tone],
    }
    outermost = {
        probe: [
            m for m in measurements[probe] if m["measure"] in names and m["frequency_hz"] == line
        ]
        for probe, names in OUTERMOST_MEASURES.items()
    }
    outermost[SHIFT_SIGNAL] += shift_measurements(model, outputs[:-1])
    return outermost
