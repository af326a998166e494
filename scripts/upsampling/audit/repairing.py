"""A repair from the command line: sounds, the repair itself, and the report before and after."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.audit.audit import respond_to_constants
from upsampling.audit.combs import total_level
from upsampling.audit.probing import Features, Probe, measure_probe, probes, respond
from upsampling.audit.repair import Change, RepairSettings, Sound, relative_size, repair
from upsampling.audit.steady import lengthened
from upsampling.audit.verdict import PROBE_NAMES
from upsampling.config.audits import repaired_suffix
from upsampling.errors import UserError
from upsampling.files import atomic_path
from upsampling.networks.network import Floats, Network, NetworkError
from upsampling.networks.upsamplers import Structure

# Sounds of a repair and of its report must not be the same ones.
OTHER_SEED = 1000


def repair_network(
    network: Network,
    structure: Structure,
    report: Mapping[str, Any],
    aim: str,
    excerpts: Sequence[Path],
    features: Features | None,
    seed: int = 0,
    seconds: float = 3.0,
) -> dict[str, Any]:
    """Repair `network` in place; returns the part `repair` of its report.

    `aim` is the input that no comb is to be left in: 'silence'; 'sounds', silence, noise and
    `excerpts`; or 'constants', any constant. `report` is that of the network as it was. Raises
    `UserError` for a network without a layer to repair.
    """
    tests = probes(network, structure, features, seconds, seed + OTHER_SEED)
    before = [respond(network, structure, one.inputs) for one in tests]
    old = {one.name: measure_probe(network, structure, one) for one in tests}
    sounds = _sounds(network, structure, report, aim, excerpts, features, seed, seconds)
    changes = repair(network, structure, sounds, RepairSettings(every_constant=aim == "constants"))
    if all(change.reason for change in changes):
        raise UserError(f"{network.name}: {summary(changes, [])}")
    after = [respond(network, structure, one.inputs) for one in tests]
    new = {one.name: measure_probe(network, structure, one) for one in tests}
    responses = respond_to_constants(network, structure, seed)
    levels = [total_level(one.period) for one in responses.constants]
    rows = [
        _row("level in silence (dBFS)", report["silence"]["level_dbfs"], responses.silence.period),
        {
            "text": "level for constants, median (dBFS)",
            "before": report["constants"]["level_dbfs"]["median"],
            "after": float(np.median(levels)),
        },
    ]
    for one, original, repaired in zip(tests, before, after, strict=True):
        rows += _probe_rows(one, old[one.name], new[one.name], original, repaired)
    return {
        "aim": aim,
        "sounds": [sound.name for sound in sounds],
        "layers": [
            {"name": one.name, "change_db": one.change_db, "reason": one.reason} for one in changes
        ],
        "rows": rows,
        "summary": summary(changes, rows),
    }


def _row(text: str, before: float, period: Floats) -> dict[str, Any]:
    return {"text": text, "before": before, "after": total_level(period)}


def _probe_rows(
    probe: Probe, old: dict[str, Any], new: dict[str, Any], original: Floats, repaired: Floats
) -> list[dict[str, Any]]:
    name = PROBE_NAMES[probe.name]
    loudest = [
        max((e for e in one["excess_db"] if e is not None), default=None) for one in (old, new)
    ]
    return [
        {"text": f"loudest comb in {name} (dB)", "before": loudest[0], "after": loudest[1]},
        {
            "text": f"level of {name} (dBFS)",
            "before": old["level_dbfs"],
            "after": new["level_dbfs"],
        },
        {
            "text": f"change of the output for {name} (dB relative to it)",
            "before": None,
            "after": relative_size(repaired - original, original),
        },
    ]


def summary(changes: Sequence[Change], rows: Sequence[Mapping[str, Any]]) -> str:
    """The change of weights and its gain, in two sentences."""
    sizes = [one.change_db for one in changes if one.change_db is not None]
    left = [one for one in changes if one.reason]
    if not sizes:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in left)
        return f"No layer could be repaired ({reasons})."
    count = "1 layer" if len(sizes) == 1 else f"{len(sizes)} layers"
    before, after = rows[0]["before"], rows[0]["after"]
    text = (
        f"The weights of {count} changed by {max(sizes):.0f} dB or less, relative to what they "
        f"were. In silence the lines went from {before:.1f} to {after:.1f} dBFS."
    )
    if left:
        text += " Left as they are: " + "; ".join(f"{one.name}, {one.reason}" for one in left) + "."
    return text


def _sounds(
    network: Network,
    structure: Structure,
    report: Mapping[str, Any],
    aim: str,
    excerpts: Sequence[Path],
    features: Features | None,
    seed: int,
    seconds: float,
) -> list[Sound]:
    """Silence, and for `sounds` the seeded probes and the user's excerpts."""
    frames = int(np.ceil(seconds * network.samplerate / structure.rate))
    length = lengthened(structure, max(frames, structure.length), 0)
    silence = Sound("silence", np.zeros((network.channels, length)))
    if aim != "sounds":
        return [silence]
    drawn = probes(network, structure, features, seconds, seed)
    own = [Sound(str(path), _excerpt(network, structure, path, features)) for path in excerpts]
    return [silence, *(Sound(one.name, one.inputs) for one in drawn), *own]


def _excerpt(
    network: Network, structure: Structure, path: Path, features: Features | None
) -> Floats:
    """An audio file, or an array [channels, time] in .npy, as an input of the network."""
    inputs = _array(path) if path.suffix == ".npy" else _audio(network, path, features)
    if inputs.ndim != 2 or len(inputs) != network.channels:
        raise UserError(f"{path} is {list(inputs.shape)}, not [{network.channels}, time]")
    usable = inputs.shape[1] - (inputs.shape[1] - structure.length) % structure.step
    if usable < structure.length:
        raise UserError(f"{path} is shorter than the {structure.length} samples or frames needed")
    if not np.isfinite(inputs).all():
        raise UserError(f"{path} has samples that are not finite")
    return inputs[:, :usable]


def _array(path: Path) -> Floats:
    try:
        return np.load(path, allow_pickle=False).astype(np.float64)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as an array: {error}") from error


def _audio(network: Network, path: Path, features: Features | None) -> Floats:
    import soundfile
    import soxr

    try:
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise UserError(f"{path} cannot be read as audio: {error}") from error
    if rate != network.samplerate:
        samples = soxr.resample(samples, rate, network.samplerate, quality="HQ")
    if network.kind == "audio":
        mono = samples.shape[1] == 1
        return np.repeat(samples.T, network.channels, axis=0) if mono else samples.T
    if features is None:
        raise UserError(f"{path}: a network for {network.kind} needs --features to read audio")
    return np.asarray(features(samples.mean(axis=1), network.samplerate), dtype=np.float64)


def check_target(path: Path, network_path: str) -> None:
    """Refuse a file name whose ending is not that of the file to be written."""
    suffix = repaired_suffix(network_path)
    if path.suffix != suffix:
        raise UserError(f"--repair {path}: a repair of {network_path} is written as {suffix}")


def write_network(network: Network, path: Path) -> None:
    """Write the repaired network, complete or not at all."""
    try:
        with atomic_path(path) as temporary:
            network.save(str(temporary))
    except (OSError, RuntimeError, NetworkError) as error:
        raise UserError(f"{path} cannot be written: {error}") from error
