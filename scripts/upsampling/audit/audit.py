"""One audit of a network: everything that its report says, as data, and its waveforms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from upsampling.audit.attribution import Attribution, attribute
from upsampling.audit.combs import (
    comb_levels,
    level,
    line_powers,
    steady_excesses,
    total_level,
)
from upsampling.audit.probing import (
    DEFAULTS,
    LATENT,
    AuditSettings,
    attribute_probe,
    makers_in_sound,
    measure_probe,
    probes,
    respond,
    shift_errors,
)
from upsampling.audit.steady import Steady, settle
from upsampling.audit.verdict import verdict
from upsampling.audit.weights import polyphase_imbalance, random_imbalance, weight_measures
from upsampling.networks.kernels import find_kernel
from upsampling.networks.network import Floats, NetworkError
from upsampling.networks.upsamplers import Layer, Structure
from upsampling.probes.signals import CONSTANT

RANDOM_CONSTANTS = 12
# Probes whose combs are attributed to layers, too.
NOISES = ("white_noise", LATENT)


@dataclass(frozen=True)
class Responses:
    """Steady responses to silence and to the `values` of constants [channels] each."""

    silence: Steady
    constants: list[Steady]
    values: list[Floats]


def respond_to_constants(structure: Structure, seed: int = 0) -> Responses:
    """The steady response to zeros, and to 0.1 for audio, else to 12 normal random vectors."""
    channels = structure.network.channels
    silence = settle(structure, np.zeros(channels))
    values = [np.full(channels, CONSTANT)]
    if structure.network.kind != "audio":
        values = list(np.random.default_rng(seed).standard_normal((RANDOM_CONSTANTS, channels)))
    others = [settle(structure, one, silence.length) for one in values]
    return Responses(silence, others, values)


def audit(
    structure: Structure,
    responses: Responses,
    notes: Sequence[str] = (),
    settings: AuditSettings = DEFAULTS,
) -> dict[str, Any]:
    """Audit a network whose `responses` to constants are known; the JSON of docs/audit.md.

    `notes` are sentences on assumptions. Raises `NetworkError` where the network gives numbers
    that are not finite.
    """
    network, silence = structure.network, responses.silence
    quiet = total_level(silence.period) <= silence.floor
    if quiet:
        made_by = attribute(structure, responses.constants[0], responses.values[0])
    else:
        made_by = attribute(structure, silence, np.zeros(network.channels))
    report: dict[str, Any] = {
        "network": network.name,
        "input": network.kind,
        "channels": network.channels,
        "samplerate": network.samplerate,
        "precision": "float64" if network.epsilon < 1e-10 else "float32",
        "total_stride": structure.total_stride,
        "layers": [_layer(structure, layer) for layer in structure.layers],
        "undone_layers": [{"name": one.name, "stride": one.stride} for one in structure.undone],
        "silence": _silence(structure, silence, None if quiet else made_by),
        "constants": _constants(structure, responses),
        "attribution": {
            "input": "constant" if quiet else "silence",
            "combs_hz": [network.samplerate / one for one in made_by.periods],
            "as_is": made_by.as_is,
            "flat": dict(zip(structure.names, made_by.flat, strict=True)),
        },
        "notes": [*notes, *structure.notes],
        "unexplained": bool(structure.notes),
    }
    report["probes"] = _probes(structure, settings, report["notes"])
    if network.kind == "audio" and settings.probe:
        report["shifts"] = shift_errors(structure, settings.seed)
    report["combs"] = _combs(structure, responses, made_by, report["probes"])
    report["verdict"] = verdict(report)
    return report


def _layer(structure: Structure, layer: Layer) -> dict[str, Any]:
    """A layer and measures of its weights; they are None for one that is no linear filter."""
    kernel = find_kernel(structure, layer)
    spacing = structure.network.samplerate / layer.period
    return {
        "name": layer.name,
        "operation": layer.operation.key[1],
        "stride": layer.stride,
        "kernel_size": kernel and kernel.size,
        "spacing_hz": spacing,
        "imbalance": kernel and polyphase_imbalance(kernel),
        "imbalance_random": kernel and random_imbalance(kernel),
        "weights": weight_measures(kernel, spacing) if kernel else {},
    }


def _silence(structure: Structure, steady: Steady, made_by: Attribution | None) -> dict[str, Any]:
    """Levels, and the lines above the floor: their frequencies, and the layers that make each."""
    levels = level(line_powers(steady.period).max(axis=0))
    step = structure.network.samplerate / structure.total_stride
    return {
        "level_dbfs": total_level(steady.period),
        "constant_dbfs": float(level(line_powers(steady.period)[:, 0].max())),
        "floor_dbfs": steady.floor,
        "settled": steady.settled,
        "difference_dbfs": steady.difference,
        "lines": [
            {
                "frequency_hz": line * step,
                "level_dbfs": float(levels[line]),
                "layers": [structure.names[one] for one in made_by.makers[line]] if made_by else [],
            }
            for line in range(1, len(levels))
            if levels[line] > steady.floor
        ],
    }


def _constants(structure: Structure, responses: Responses) -> dict[str, Any]:
    """Levels for the constants: median and range over them, of all lines and of each comb."""
    levels = [total_level(one.period) for one in responses.constants]
    combs = [comb_levels(structure, one.period) for one in responses.constants]
    return {
        "count": len(levels),
        "level_dbfs": _spread(levels),
        "combs_dbfs": [_spread(list(one)) for one in zip(*combs, strict=True)],
        "settled": all(one.settled for one in responses.constants),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": float(np.median(values)),
        "minimum": float(min(values)),
        "maximum": float(max(values)),
    }


def _probes(structure: Structure, settings: AuditSettings, notes: list[str]) -> dict[str, Any]:
    """Measures of each probe; one that the network cannot take is left out, with a note."""
    measured: dict[str, Any] = {}
    names = structure.names
    for probe in probes(structure, settings) if settings.probe and names else []:
        try:
            found = measure_probe(structure, probe)
            if probe.name in NOISES:
                flat = attribute_probe(structure, probe)
                found["flat_excess_db"] = dict(zip(names, flat, strict=True))
                found["made_by"] = [
                    [names[n] for n in makers_in_sound(as_is, [one[place] for one in flat])]
                    for place, as_is in enumerate(found["excess_db"])
                ]
            measured[probe.name] = found
        except NetworkError as error:
            notes.append(f"{probe.name}: {error}.")
    return measured


def _combs(
    structure: Structure, responses: Responses, made_by: Attribution, measured: dict[str, Any]
) -> list[dict[str, Any]]:
    """Each comb: its layers, and its excess and the standard error of that for every input."""
    silence = steady_excesses(structure, responses.silence.period)
    each = [steady_excesses(structure, one.period) for one in responses.constants]
    excess = {"silence": silence, "constant": np.median(each, axis=0).tolist()}
    error = {name: [0.0] * len(silence) for name in excess}
    excess |= {name: one["excess_db"] for name, one in measured.items()}
    error |= {name: one["error_db"] for name, one in measured.items()}
    return [
        {
            "spacing_hz": structure.network.samplerate / period,
            "layers": [one.name for one in structure.layers if one.period == period],
            "made_by": [structure.names[one] for one in made_by.comb_makers[place]],
            "excess_db": {name: one[place] for name, one in excess.items()},
            "error_db": {name: one[place] for name, one in error.items()},
        }
        for place, period in enumerate(made_by.periods)
    ]


def audit_arrays(
    structure: Structure, responses: Responses, settings: AuditSettings
) -> dict[str, Floats]:
    """Arrays by name, in full scale: `silence` [channels, S], one steady period of the response.

    `constants` [count, channels, S] are those of the constants, `sound` [samples] the response to
    the first probe, noise, of the channel where it is loudest; empty if the probe cannot be made.
    """
    try:
        rows = respond(structure, probes(structure, settings)[0].inputs)
    except NetworkError:
        rows = np.zeros((1, 0))
    return {
        "samplerate": np.array(structure.network.samplerate),
        "silence": responses.silence.period,
        "constants": np.stack([one.period for one in responses.constants]),
        "sound": rows[int(np.argmax(np.sum(rows**2, axis=-1)))].astype(np.float32),
    }
