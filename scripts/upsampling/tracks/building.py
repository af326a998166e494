"""Building a track store: every track is decoded once, in parallel, and survives a killed run."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from upsampling.errors import UserError, nearest_match
from upsampling.files import atomic_path, read_json, write_json
from upsampling.tracks.processes import run_jobs
from upsampling.tracks.reading import SourceTrack, list_tracks, musdb_validation_names, read_track
from upsampling.tracks.store import FORMAT, MANIFEST, SPLITS, Track, manifest, safe_file_name

SIDECAR = ".track.json"


@dataclass(frozen=True)
class Planned:
    """A track to store: where it is, its split, its origin, and which mixture it gets."""

    source: SourceTrack
    split: str
    origin: str
    mixture: str = "own"


def plan_tracks(
    root: Path, wav: bool, origin: str, validation: Sequence[str] | Literal["musdb"]
) -> list[Planned]:
    """Plan every track of MUSDB's layout in `root`; `validation` names tracks of train/.

    "musdb" stands for the fourteen of musdb's configuration, as far as they are there; a name in a
    list of one's own that is not there is a `UserError`.
    """
    tracks = list_tracks(root, wav)
    names = musdb_validation_names() if validation == "musdb" else validation
    train = {track.name for track in tracks if track.subset == "train"}
    for name in names:
        if validation != "musdb" and name not in train:
            raise UserError(
                f"validation track '{name}' is not in {root / 'train'}{nearest_match(name, train)}"
            )
    held = train & set(names)
    return [
        Planned(t, "valid" if t.subset == "train" and t.name in held else t.subset, origin)
        for t in tracks
    ]


def linear_mixture(sources: np.ndarray) -> tuple[np.ndarray, float]:
    """Sum int16 sources [4, samples, 2]: int16 [samples, 2] and the scale to multiply it by.

    A sum that fits in 16 bits is stored as it is, with scale 1; a louder one is divided by the
    scale, which costs at most half a step of the result.
    """
    total = sources.sum(axis=0, dtype=np.int32)
    scale = max(1.0, float(np.abs(total).max()) / 32767)
    return np.round(total / scale).astype(np.int16), scale


def fingerprint(planned: Planned) -> dict[str, Any]:
    """What a stored track depends on: files with sizes and times, mixture, origin, format."""
    stats = [(str(path.name), path.stat()) for path in planned.source.files if path.exists()]
    return {
        "format": FORMAT,
        "mixture": planned.mixture,
        "origin": planned.origin,
        "files": [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats],
    }


def store_track(root: Path, file: str, planned: Planned) -> dict[str, Any]:
    """Decode one track to `root/file` and write its sidecar, which says that it is done."""
    sign = fingerprint(planned)
    decoded = read_track(planned.source)
    samples, scale = decoded.samples, 1.0
    if planned.mixture == "linear":
        samples[0], scale = linear_mixture(samples[1:])
    with atomic_path(root / file) as temporary:
        np.save(temporary, samples)
        with open(temporary, "rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        size = temporary.stat().st_size
    track = Track(
        planned.source.name,
        file,
        planned.split,
        samples.shape[1],
        size,
        digest,
        planned.mixture,
        scale,
        planned.origin,
    )
    record = {"fingerprint": sign, "samplerate": decoded.samplerate, "track": asdict(track)}
    write_json(_sidecar(root, file), record)
    return record


def finished(root: Path, file: str, planned: Planned) -> dict[str, Any] | None:
    """The record of a track that an earlier run stored from these very files, or None."""
    try:
        record = read_json(_sidecar(root, file))
        whole = (root / file).stat().st_size == record["track"]["bytes"]
        if not whole or record["fingerprint"] != fingerprint(planned):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    record["track"]["split"] = planned.split
    return record


def build_store(root: Path, plan: Sequence[Planned], workers: int = 1) -> None:
    """Store every planned track below `root`, then write the manifest.

    Tracks that an earlier run finished are kept; those no longer planned are removed. Progress goes
    to stderr. A track that cannot be decoded ends the run with a `UserError`; finished ones stay.
    """
    from tqdm import tqdm

    root.mkdir(parents=True, exist_ok=True)
    files = _file_names(plan)
    (root / MANIFEST).unlink(missing_ok=True)
    _remove_strangers(root, set(files))
    records = {file: finished(root, file, p) for file, p in zip(files, plan, strict=True)}
    missing = [
        (root, file, p) for file, p in zip(files, plan, strict=True) if records[file] is None
    ]
    with tqdm(total=len(plan), initial=len(plan) - len(missing), unit="track") as bar:
        for record in run_jobs(store_track, missing, workers):
            records[record["track"]["file"]] = record
            bar.update()
    done = [record for record in records.values() if record is not None]
    rates = {record["samplerate"] for record in done}
    if len(rates) != 1:
        raise UserError(f"tracks differ in sampling rate ({sorted(rates)} Hz)")
    tracks = [Track(**record["track"]) for record in done]
    tracks.sort(key=lambda track: (SPLITS.index(track.split), track.name))
    write_json(root / MANIFEST, manifest(rates.pop(), tracks))


def _sidecar(root: Path, file: str) -> Path:
    return root / (file.removesuffix(".npy") + SIDECAR)


def _file_names(plan: Sequence[Planned]) -> list[str]:
    names: dict[str, str] = {}
    seen: set[str] = set()
    for planned in plan:
        if planned.source.name in seen:
            raise UserError(f"two tracks are called '{planned.source.name}'")
        seen.add(planned.source.name)
        file = safe_file_name(planned.source.name)
        if file.lower() in names:
            # Two names that differ only in what a file name cannot hold, or in case.
            mark = hashlib.sha256(planned.source.name.encode()).hexdigest()[:8]
            file = f"{file.removesuffix('.npy')}-{mark}.npy"
        names[file.lower()] = file
    return list(names.values())


def _remove_strangers(root: Path, files: set[str]) -> None:
    """Remove tracks of an earlier plan (known by their sidecars) and what killed writers left."""
    for sidecar in root.glob(f"*{SIDECAR}"):
        file = sidecar.name.removesuffix(SIDECAR) + ".npy"
        if file not in files:
            (root / file).unlink(missing_ok=True)
            sidecar.unlink(missing_ok=True)
    for leftover in (*root.glob(".*.npy"), *root.glob(f".*{SIDECAR}")):
        leftover.unlink(missing_ok=True)
