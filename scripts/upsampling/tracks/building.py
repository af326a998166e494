"""Building a track store: each track is decoded once, in parallel; an interrupted build resumes."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from upsampling.errors import UserError, nearest_match
from upsampling.files import atomic_path, checksum_path, read_json, write_json
from upsampling.tracks.processes import run_jobs
from upsampling.tracks.reading import SourceTrack, list_tracks, musdb_validation_names, read_track
from upsampling.tracks.store import FORMAT, MANIFEST, SPLITS, Track, manifest, safe_file_name

SIDECAR = ".track.json"


@dataclass(frozen=True)
class PlannedTrack:
    """A track to store: its files, split and origin, and its mixture ("own" or "linear")."""

    source: SourceTrack
    split: str
    origin: str
    mixture: str = "own"


def plan_tracks(
    root: Path, wav: bool, origin: str, validation: Sequence[str] | Literal["musdb"]
) -> list[PlannedTrack]:
    """Plan every track of MUSDB's layout in `root`; `validation` names tracks of train/.

    "musdb" stands for those of the fourteen names in musdb's configuration that exist here. A
    listed name without a track is a `UserError`.
    """
    tracks = list_tracks(root, wav)
    names = musdb_validation_names() if validation == "musdb" else validation
    train = {track.name for track in tracks if track.subset == "train"}
    for name in names:
        if validation != "musdb" and name not in train:
            raise UserError(
                f"validation track '{name}' is not in {root / 'train'}{nearest_match(name, train)}"
            )
    valid = train & set(names)
    return [
        PlannedTrack(t, "valid" if t.subset == "train" and t.name in valid else t.subset, origin)
        for t in tracks
    ]


def linear_mixture(sources: np.ndarray) -> tuple[np.ndarray, float]:
    """Sum int16 sources [4, samples, 2]: int16 [samples, 2] and the scale to multiply it by.

    A sum that fits in 16 bits is stored as it is, with scale 1. A louder one is divided by the
    scale; rounding then errs by at most half a step of the result.
    """
    total = sources.sum(axis=0, dtype=np.int32)
    scale = max(1.0, float(np.abs(total).max()) / 32767)
    return np.round(total / scale).astype(np.int16), scale


def fingerprint(planned: PlannedTrack) -> dict[str, Any]:
    """All that decides a stored track: files with sizes and times, mixture, origin, format."""
    stats = [(str(path.name), path.stat()) for path in planned.source.files if path.exists()]
    return {
        "format": FORMAT,
        "mixture": planned.mixture,
        "origin": planned.origin,
        "files": [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats],
    }


def store_track(root: Path, file: str, planned: PlannedTrack) -> dict[str, Any]:
    """Decode one track to `root/file`; then write its sidecar, and return the sidecar's content."""
    # Taken first: a source that changes while it is decoded must not count as stored.
    source_files = fingerprint(planned)
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
        name=planned.source.name,
        file=file,
        split=planned.split,
        samples=samples.shape[1],
        bytes=size,
        sha256=digest,
        mixture=planned.mixture,
        mixture_scale=scale,
        origin=planned.origin,
    )
    entry = {"fingerprint": source_files, "samplerate": decoded.samplerate, "track": asdict(track)}
    write_json(_sidecar(root, file), entry)
    return entry


def stored_entry(root: Path, file: str, planned: PlannedTrack) -> dict[str, Any] | None:
    """The sidecar of a track that an earlier run stored from the same source files, or None."""
    try:
        entry = read_json(_sidecar(root, file))
        complete = (root / file).stat().st_size == entry["track"]["bytes"]
        if not complete or entry["fingerprint"] != fingerprint(planned):
            return None
    except (OSError, KeyError, TypeError, UserError):
        return None
    entry["track"]["split"] = planned.split
    return entry


def build_store(root: Path, plan: Sequence[PlannedTrack], workers: int = 1) -> None:
    """Store every planned track below `root`, then write the manifest.

    Tracks that an earlier run stored are kept, those no longer planned are removed. Progress goes
    to stderr. A track that cannot be decoded ends the run with a `UserError`; stored ones stay.
    """
    from tqdm import tqdm

    root.mkdir(parents=True, exist_ok=True)
    files = dict(zip(_file_names(plan), plan, strict=True))
    (root / MANIFEST).unlink(missing_ok=True)
    _remove_unplanned(root, set(files))
    stored = {file: stored_entry(root, file, planned) for file, planned in files.items()}
    entries = {file: entry for file, entry in stored.items() if entry is not None}
    jobs = [(root, file, planned) for file, planned in files.items() if file not in entries]
    with tqdm(total=len(plan), initial=len(entries), unit="track") as bar:
        for entry in run_jobs(store_track, jobs, workers):
            entries[entry["track"]["file"]] = entry
            bar.update()
    samplerates = {entry["samplerate"] for entry in entries.values()}
    if len(samplerates) != 1:
        raise UserError(f"tracks differ in sampling rate ({sorted(samplerates)} Hz)")
    tracks = [Track(**entry["track"]) for entry in entries.values()]
    tracks.sort(key=lambda track: (SPLITS.index(track.split), track.name))
    write_json(root / MANIFEST, manifest(samplerates.pop(), tracks))


def _sidecar(root: Path, file: str) -> Path:
    return root / (file.removesuffix(".npy") + SIDECAR)


def _file_names(plan: Sequence[PlannedTrack]) -> list[str]:
    """One file name per track, different even where upper and lower case are the same."""
    files: dict[str, str] = {}
    names: set[str] = set()
    for planned in plan:
        name = planned.source.name
        if name in names:
            raise UserError(f"two tracks are called '{name}'")
        names.add(name)
        file = safe_file_name(name)
        if file.lower() in files:
            digest = hashlib.sha256(name.encode()).hexdigest()[:8]
            file = f"{file.removesuffix('.npy')}-{digest}.npy"
        files[file.lower()] = file
    return list(files.values())


def _remove_unplanned(root: Path, files: set[str]) -> None:
    """Remove tracks of an earlier plan, known by their sidecars, and files of killed writers."""
    for sidecar in root.glob(f"*{SIDECAR}"):
        file = sidecar.name.removesuffix(SIDECAR) + ".npy"
        if file not in files:
            for path in (root / file, sidecar, checksum_path(sidecar)):
                path.unlink(missing_ok=True)
    for leftover in (*root.glob(".*.npy"), *root.glob(f".*{SIDECAR}")):
        leftover.unlink(missing_ok=True)
