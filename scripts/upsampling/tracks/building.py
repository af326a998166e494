"""Building a track store: each track is decoded once, in parallel; an interrupted build resumes."""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.errors import UserError
from upsampling.files import (
    atomic_path,
    checksum_path,
    read_json,
    remove_leftovers,
    sha256,
    write_json,
)
from upsampling.tracks.planning import PlannedTrack, refuse
from upsampling.tracks.processes import run_jobs
from upsampling.tracks.reading import read_track
from upsampling.tracks.store import (
    FORMAT,
    MANIFEST,
    SPLITS,
    Track,
    Verified,
    manifest,
    safe_file_name,
)

SIDECAR = ".track.json"


@dataclass(frozen=True)
class Requirements:
    """Conditions on decoded tracks: `samplerate` in Hz (None: all alike), and what to do with
    samples beyond full scale ("refuse" or "scale")."""

    samplerate: int | None = None
    beyond_full_scale: str = "refuse"


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


def store_track(
    root: Path, file: str, planned: PlannedTrack, needed: Requirements
) -> dict[str, Any] | str:
    """Decode one track to `root/file`; then write its sidecar, and return the sidecar's content.

    A track that cannot be decoded gives the reason in its place.
    """
    # Taken first: a source that changes while it is decoded must not count as stored.
    source_files = fingerprint(planned)
    try:
        decoded = read_track(planned.source, needed.beyond_full_scale)
    except UserError as error:
        return str(error)
    samples, scale = decoded.samples, 1.0
    if planned.mixture == "linear":
        samples[0], scale = linear_mixture(samples[1:])
    with atomic_path(root / file) as temporary:
        np.save(temporary, samples)
        digest = sha256(temporary)
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
    entry = {
        "fingerprint": source_files,
        "samplerate": decoded.samplerate,
        "track": asdict(track),
        "gain": decoded.gain,
        "notes": list(decoded.notes),
    }
    write_json(_sidecar(root, file), entry)
    return entry


def stored_entry(
    root: Path, file: str, planned: PlannedTrack, needed: Requirements, verified: Verified
) -> dict[str, Any] | None:
    """The sidecar of a track that an earlier run stored from the same source files, or None.

    A stored file whose content has changed since does not count, nor does a scaled one where that
    is not asked for any more.
    """
    try:
        entry = read_json(_sidecar(root, file))
        scaled = entry.get("gain", 1) != 1 and needed.beyond_full_scale == "refuse"
        if scaled or entry["fingerprint"] != fingerprint(planned):
            return None
        if not verified.holds(Track(**entry["track"])):
            return None
    except (OSError, AttributeError, KeyError, TypeError, UserError):
        return None
    entry["track"]["split"] = planned.split
    return entry


def build_store(
    root: Path,
    plan: Sequence[PlannedTrack],
    workers: int = 1,
    needed: Requirements = Requirements(),
) -> None:
    """Store every planned track below `root`, then write the manifest.

    Tracks that an earlier run stored are kept, those no longer planned are removed. Progress goes
    to stderr. Tracks that cannot be used end the run with a `UserError` that names them all; stored
    ones stay.
    """
    from tqdm import tqdm

    root.mkdir(parents=True, exist_ok=True)
    files = dict(zip(_file_names(plan), plan, strict=True))
    (root / MANIFEST).unlink(missing_ok=True)
    _remove_unplanned(root, set(files))
    verified = Verified(root)
    entries: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    with tqdm(total=len(plan), unit="track") as bar:
        for file, planned in files.items():
            if stored := stored_entry(root, file, planned, needed, verified):
                entries[file] = stored
                bar.update()
        jobs = [(root, file, planned, needed) for file, planned in files.items()
                if file not in entries]  # fmt: skip
        for entry in run_jobs(store_track, jobs, workers):
            if isinstance(entry, str):
                problems.append(entry)
            else:
                entries[entry["track"]["file"]] = entry
                verified.remember(Track(**entry["track"]))
                for note in entry["notes"]:
                    bar.write(f"{entry['track']['name']}: {note}", file=sys.stderr)
            bar.update()
    verified.save()
    refuse(problems + _wrong_rates(entries.values(), needed), str(root))
    tracks = [Track(**entry["track"]) for entry in entries.values()]
    tracks.sort(key=lambda track: (SPLITS.index(track.split), track.name))
    write_json(root / MANIFEST, manifest(next(iter(entries.values()))["samplerate"], tracks))


def _wrong_rates(entries: Iterable[dict[str, Any]], needed: Requirements) -> list[str]:
    """A text for each track whose sampling rate is not the needed one, or the most common one."""
    rates = {entry["track"]["name"]: entry["samplerate"] for entry in entries}
    if not rates:
        return []
    common = Counter(rates.values()).most_common(1)[0][0]
    expected = needed.samplerate or common
    wanted = f"model.samplerate is {expected}" if needed.samplerate else f"others are at {expected}"
    return [
        f"track '{name}' is at {rate} Hz, and {wanted}: resample it"
        + (f", or set model.samplerate: {rate}" if needed.samplerate else "")
        for name, rate in rates.items()
        if rate != expected
    ]


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
    remove_leftovers(root)
