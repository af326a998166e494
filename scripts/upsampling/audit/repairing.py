"""A repair from the command line: sounds, the repair itself, and the report before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.audit.audit import audit, respond_to_constants
from upsampling.audit.combs import total_level
from upsampling.audit.probing import (
    DEFAULTS,
    AuditSettings,
    Features,
    Probe,
    measure_probe,
    probes,
    respond,
)
from upsampling.audit.repair import Change, relative_size, repair
from upsampling.audit.steady import lengthened
from upsampling.audit.verdict import PROBE_NAMES
from upsampling.config.audits import Aim, repaired_suffix
from upsampling.errors import UserError
from upsampling.files import atomic_path, read_json, write_json
from upsampling.networks.loading import Source, open_network
from upsampling.networks.network import Floats, Network, NetworkError
from upsampling.networks.torch_network import TorchNetwork
from upsampling.networks.upsamplers import Structure
from upsampling.training import checkpoint_file

# Sounds of a repair and of its report must not be the same ones.
OTHER_SEED = 1000


def repair_network(
    structure: Structure,
    report: Mapping[str, Any],
    aim: Aim,
    excerpts: Sequence[Path] = (),
    settings: AuditSettings = DEFAULTS,
) -> dict[str, Any]:
    """Repair a network in place; returns the part `repair` of its report.

    `aim` is the input that no comb is to be left in: 'silence'; 'sounds', silence, noise and
    `excerpts`; or 'constants', any constant. `report` is that of the network as it was. Raises
    `UserError` for a network without a layer to repair.
    """
    tests = probes(structure, replace(settings, seed=settings.seed + OTHER_SEED))
    before = [(respond(structure, one.inputs), measure_probe(structure, one)) for one in tests]
    sounds = _sounds(structure, aim, excerpts, settings)
    changes = repair(structure, sounds, every_constant=aim == "constants")
    if all(change.reason for change in changes):
        raise UserError(f"{structure.network.name}: {summary(changes, [])}")
    after = [(respond(structure, one.inputs), measure_probe(structure, one)) for one in tests]
    responses = respond_to_constants(structure, settings.seed)
    silence = report["silence"]["level_dbfs"], total_level(responses.silence.period)
    levels = [total_level(one.period) for one in responses.constants]
    constant = report["constants"]["level_dbfs"]["median"], float(np.median(levels))
    pairs: dict[str, tuple[float | None, float | None]] = {
        "level in silence (dBFS)": silence,
        "level for constants, median (dBFS)": constant,
    }
    for one, (original, old), (repaired, new) in zip(tests, before, after, strict=True):
        name, change = PROBE_NAMES[one.name], relative_size(repaired - original, original)
        pairs[f"loudest comb in {name} (dB)"] = _loudest(old), _loudest(new)
        pairs[f"level of {name} (dBFS)"] = old["level_dbfs"], new["level_dbfs"]
        pairs[f"change of the output for {name} (dB relative to it)"] = None, change
    rows = [{"text": text, "before": a, "after": b} for text, (a, b) in pairs.items()]
    return {
        "aim": aim,
        "sounds": [sound.name for sound in sounds],
        "layers": [asdict(change) for change in changes],
        "rows": rows,
        "summary": summary(changes, rows),
    }


def _loudest(measured: Mapping[str, Any]) -> float | None:
    return max((one for one in measured["excess_db"] if one is not None), default=None)


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
    structure: Structure, aim: Aim, excerpts: Sequence[Path], settings: AuditSettings
) -> list[Probe]:
    """Silence, and for `sounds` the seeded probes and the user's excerpts."""
    network = structure.network
    frames = ceil(settings.seconds * network.samplerate / structure.rate)
    length = lengthened(structure, frames, 0)
    silence = Probe("silence", np.zeros((network.channels, length)))
    if aim != "sounds":
        return [silence]
    drawn = probes(structure, settings)
    own = [Probe(str(path), _excerpt(structure, path, settings.features)) for path in excerpts]
    return [silence, *drawn, *own]


def _excerpt(structure: Structure, path: Path, features: Features | None) -> Floats:
    """An audio file, or an array [channels, time] in .npy, as an input of the network."""
    network = structure.network
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


def repair_trained(folder: Path, aim: Aim, output: Path) -> dict[str, Any]:
    """Repair the best weights of the trained model in `folder`; returns the report on the repair.

    `output` gets `best.safetensors`, `spec.json` (that of the trained model and the aim) and
    `repair.json` (the report, as the part `repair` of an audit's). Raises `UserError` for a model
    without a layer to repair.
    """
    network, structure, _ = open_network(Source(str(folder)))
    assert isinstance(network, TorchNetwork)
    try:
        responses = respond_to_constants(structure)
        report = audit(structure, responses, settings=AuditSettings(probe=False))
        repaired = repair_network(structure, report, aim)
    except NetworkError as error:
        raise UserError(f"{folder}: {error}") from error
    weights = network.module.state_dict()
    tensors = {name: tensor.to(network.stored[name]) for name, tensor in weights.items()}
    spec = read_json(folder / "spec.json") | {"repair": aim}
    checkpoint_file.save(output / "best.safetensors", tensors, spec)
    write_json(output / "spec.json", spec)
    write_json(output / "repair.json", repaired)
    return repaired
