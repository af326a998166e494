"""One audit of a network: everything that its report says, as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from upsampling.audit.attribution import Attribution, attribute
from upsampling.audit.combs import (
    comb_levels,
    comb_of_lines,
    level,
    line_powers,
    steady_excesses,
    total_level,
)
from upsampling.audit.probing import (
    LATENT,
    Features,
    attribute_probe,
    makers_in_sound,
    measure_probe,
    probes,
    shift_errors,
)
from upsampling.audit.steady import Steady, settle
from upsampling.audit.verdict import verdict
from upsampling.audit.weights import polyphase_imbalance, random_imbalance, weight_measures
from upsampling.networks.kernels import find_kernel
from upsampling.networks.network import Floats, Network, NetworkError
from upsampling.networks.upsamplers import Layer, Structure
from upsampling.probes.signals import CONSTANT

RANDOM_CONSTANTS = 12
# Probes whose combs are attributed to layers, too.
NOISES = ("white_noise", LATENT)


@dataclass(frozen=True)
class AuditSettings:
    """Settings of an audit: seed of random constants and probes, and seconds of each probe."""

    seed: int = 0
    seconds: float = 3.0
    probe: bool = True


def constants(network: Network, seed: int) -> list[Floats]:
    """Constant inputs [channels] beside zero: 0.1 for audio, else 12 normal random vectors."""
    if network.kind == "audio":
        return [np.full(network.channels, CONSTANT)]
    rng = np.random.default_rng(seed)
    return list(rng.standard_normal((RANDOM_CONSTANTS, network.channels)))


@dataclass(frozen=True)
class Responses:
    """Steady responses to silence and to the `values` of constants [channels] each."""

    silence: Steady
    constants: list[Steady]
    values: list[Floats]


def respond_to_constants(network: Network, structure: Structure, seed: int = 0) -> Responses:
    """The steady response to zeros and to each of `constants`."""
    silence = settle(network, structure, np.zeros(network.channels))
    values = constants(network, seed)
    others = [settle(network, structure, one, silence.length) for one in values]
    return Responses(silence, others, values)


def audit(
    network: Network,
    structure: Structure,
    responses: Responses,
    notes: Sequence[str] = (),
    features: Features | None = None,
    settings: AuditSettings | None = None,
) -> dict[str, Any]:
    """Audit a network whose `responses` to constants are known; the JSON of docs/audit.md.

    `notes` are sentences on assumptions. Raises `NetworkError` where the network gives numbers
    that are not finite.
    """
    settings = settings or AuditSettings()
    silence = responses.silence
    quiet = total_level(silence.period) <= silence.floor
    values = responses.values[0] if quiet else np.zeros(network.channels)
    judged = responses.constants[0] if quiet else silence
    made_by = attribute(network, structure, judged, values)
    names = [layer.name for layer in structure.layers]
    report: dict[str, Any] = {
        "network": network.name,
        "input": network.kind,
        "channels": network.channels,
        "samplerate": network.samplerate,
        "precision": "float64" if network.epsilon < 1e-10 else "float32",
        "total_stride": structure.total_stride,
        "layers": [describe_layer(network, structure, layer) for layer in structure.layers],
        "undone_layers": [{"name": one.name, "stride": one.stride} for one in structure.undone],
        "silence": _steady(silence)
        | {"lines": _lines(network, structure, silence, names, None if quiet else made_by)},
        "constants": _constants(structure, responses),
        "attribution": {
            "input": "constant" if quiet else "silence",
            "combs_hz": [network.samplerate / one for one in made_by.periods],
            "as_is": made_by.as_is,
            "flat": dict(zip(names, made_by.flat, strict=True)),
        },
        "notes": [*notes, *structure.notes],
        "unexplained": bool(structure.notes),
    }
    report["probes"] = _probes(network, structure, features, settings, report["notes"])
    if network.kind == "audio" and settings.probe:
        report["shifts"] = shift_errors(network, structure, settings.seed)
    report["combs"] = _combs(network, structure, responses, made_by, report)
    report["verdict"] = verdict(report)
    return report


def describe_layer(network: Network, structure: Structure, layer: Layer) -> dict[str, Any]:
    """A layer and measures of its weights; they are None for one that is no linear filter."""
    kernel = find_kernel(network, structure.trace, layer)
    spacing = network.samplerate / layer.period
    described: dict[str, Any] = {
        "name": layer.name,
        "operation": layer.operation.key[1],
        "stride": layer.stride,
        "kernel_size": kernel.size if kernel else None,
        "spacing_hz": spacing,
        "imbalance": None,
        "imbalance_random": None,
        "weights": {},
    }
    if kernel is not None:
        described["imbalance"] = polyphase_imbalance(kernel)
        described["imbalance_random"] = random_imbalance(kernel)
        described["weights"] = weight_measures(kernel, spacing)
    return described


def _steady(steady: Steady) -> dict[str, Any]:
    return {
        "level_dbfs": total_level(steady.period),
        "constant_dbfs": float(level(line_powers(steady.period)[:, 0].max())),
        "floor_dbfs": steady.floor,
        "settled": steady.settled,
        "difference_dbfs": steady.difference,
    }


def _lines(
    network: Network,
    structure: Structure,
    steady: Steady,
    names: Sequence[str],
    made_by: Attribution | None,
) -> list[dict[str, Any]]:
    """The lines above the floor, in the order of frequency, and which layers make each."""
    levels = level(line_powers(steady.period).max(axis=0))
    step = network.samplerate / structure.total_stride
    return [
        {
            "frequency_hz": line * step,
            "level_dbfs": float(levels[line]),
            "layers": [names[one] for one in made_by.makers[line]] if made_by else [],
        }
        for line in range(1, len(levels))
        if levels[line] > steady.floor
    ]


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


def _probes(
    network: Network,
    structure: Structure,
    features: Features | None,
    settings: AuditSettings,
    notes: list[str],
) -> dict[str, Any]:
    """Measures of each probe; one that the network cannot take is left out, with a note."""
    measured: dict[str, Any] = {}
    if not settings.probe or not structure.layers:
        return measured
    names = [layer.name for layer in structure.layers]
    for probe in probes(network, structure, features, settings.seconds, settings.seed):
        try:
            found = measure_probe(network, structure, probe)
            if probe.name in NOISES:
                flat = attribute_probe(network, structure, probe)
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
    network: Network,
    structure: Structure,
    responses: Responses,
    made_by: Attribution,
    report: dict[str, Any],
) -> list[dict[str, Any]]:
    """Each comb: its layers, and its excess and the standard error of that for every input."""
    periods, _ = comb_of_lines(structure)
    silence = steady_excesses(structure, responses.silence.period)
    each = [steady_excesses(structure, one.period) for one in responses.constants]
    constant = np.median(each, axis=0)
    described = []
    for place, period in enumerate(periods):
        excess = {"silence": silence[place], "constant": float(constant[place])}
        error = {"silence": 0.0, "constant": 0.0}
        for name, measured in report["probes"].items():
            excess[name] = measured["excess_db"][place]
            error[name] = measured["error_db"][place]
        described.append(
            {
                "spacing_hz": network.samplerate / period,
                "layers": [one.name for one in structure.layers if one.period == period],
                "made_by": [structure.layers[one].name for one in made_by.comb_makers[place]],
                "excess_db": excess,
                "error_db": error,
            }
        )
    return described
