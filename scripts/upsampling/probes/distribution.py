"""Every artifact of a random initialisation, over many seeds: how much of it is luck."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from upsampling.models import build
from upsampling.probes.artifacts import Record, measure, tone_level
from upsampling.probes.expectation import QUANTILES, expected
from upsampling.probes.layers import measure_layers, upsampling_layers
from upsampling.probes.responses import respond
from upsampling.probes.shifts import shift_records, shifted_noise
from upsampling.probes.spectra import mean_spectrum
from upsampling.probes.survey import SHIFTED, WEIGHTS, labelled
from upsampling.settings import DemucsLikeSettings, MelganSettings

# Measures of the outermost layer that are kept, by probe; those of shifts are kept as well.
KEPT = {
    WEIGHTS: (
        "polyphase_imbalance",
        "tone_to_constant",
        "image_to_base",
        "droop",
        "boundary_error",
    ),
    SHIFTED: (
        "comb_prominence_mean",
        "tone_to_noise_ratio",
        "prominence_ratio",
        "stationarity",
        "notch_depth",
    ),
    "silence": ("tone_level",),
}


def distribution(
    settings: DemucsLikeSettings | MelganSettings,
    variant: str,
    *,
    seeds: int,
    seconds: float,
    probe_seed: int,
) -> list[dict[str, Any]]:
    """Tidy rows of the artifacts of models initialised with seeds 0 .. `seeds` - 1.

    Measures are those of the survey, at the line of the outermost layer. All models hear the same
    `seconds` of white noise and of silence.
    """
    rows: list[dict[str, Any]] = []
    for seed in range(seeds):
        model = build(settings, seed)
        head = {"variant": variant, "seed": seed, "stage": "initialised"}
        for probe, records in _measures(model, seconds, probe_seed).items():
            rows += labelled(records, head | {"probe": probe})
    return rows


def _measures(model: nn.Module, seconds: float, seed: int) -> dict[str, list[Record]]:
    """Records of a model by probe; all that it hears goes through it at once."""
    layers = upsampling_layers(model)
    strides, line = [layer.stride for layer in layers], layers[-1].spacing
    samplerate: int = model.settings.samplerate  # type: ignore[union-attr, assignment]
    noise = shifted_noise(model, seconds, seed)
    outputs = respond(model, torch.cat([noise, torch.zeros_like(noise[:1])]))[:, 0, 0].numpy()
    silence = tone_level(mean_spectrum(outputs[-1], samplerate)[1], line, samplerate)
    found = {
        WEIGHTS: measure_layers(layers[-1:]),
        SHIFTED: measure(outputs[0], samplerate, strides),
        "silence": [Record(measure="tone_level", frequency_hz=line, value=silence, unit="dBFS")],
    }
    kept = {
        probe: [r for r in found[probe] if r["measure"] in names and r["frequency_hz"] == line]
        for probe, names in KEPT.items()
    }
    kept[SHIFTED] += shift_records(model, outputs[:-1])
    return kept


def expectations(
    settings: DemucsLikeSettings | MelganSettings, variant: str
) -> list[dict[str, Any]]:
    """Tidy rows, without a seed, of what theory expects of the outermost layer's weights.

    Stage `expected` for a value that all seeds scatter around; `expected_q05`, `expected_q50` and
    `expected_q95` for quantiles of what theory spreads over seeds. No row where it has no answer.
    """
    operator, options, stride = _outermost(settings)
    line = float(settings.samplerate) / stride
    rows = []
    for measure_name in KEPT[WEIGHTS]:
        values = expected(measure_name, operator, options, stride)
        stages = (
            [f"expected_q{100 * q:02.0f}" for q in QUANTILES] if len(values) > 1 else ["expected"]
        )
        unit = "1" if measure_name == "polyphase_imbalance" else "dB"
        for stage, value in zip(stages, values, strict=False):
            head = {"variant": variant, "seed": None, "stage": stage, "probe": WEIGHTS}
            record = Record(measure=measure_name, frequency_hz=line, value=value, unit=unit)
            rows += labelled([record], head)
    return rows


def _outermost(
    settings: DemucsLikeSettings | MelganSettings,
) -> tuple[str, Mapping[str, Any], int]:
    """Operator, its options and the stride of the outermost upsampling layer."""
    if isinstance(settings, MelganSettings):
        return "transposed", {}, settings.ratios[-1]
    if settings.last is not None:
        return settings.last["operator"], settings.last.get("options", {}), settings.stride
    return settings.operator, settings.options, settings.stride
