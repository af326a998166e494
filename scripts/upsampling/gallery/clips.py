"""Clips of the page, read from files: outputs for probes, and excerpts of separated music.

A clip is a dictionary of the numbers that a card shows, its picture and its sound, which `Media`
renders.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upsampling.config.sections import STAGES
from upsampling.files import content_of, load_arrays, read_wav
from upsampling.gallery import pictures, sound
from upsampling.gallery.media import EXCERPTS, PICTURES, PROBE_SOUNDS, Media
from upsampling.measures.spectra import reference_magnitude, spectrogram

FLOOR = -150.0
INITIALISATION = "initialisation"
MIXTURE = "mixture"
# Of excerpts: models separate stereo sound.
MOST_CHANNELS = 2
# Enough of a stationary noise.
INITIALISATION_SECONDS = 2.0
# In the queue, the clips that all seeds share come before those of the first seed.
SHARED = -1
REFERENCES: dict[bytes, float] = {}


@dataclass(frozen=True)
class Files:
    """Files of the page's content; texts are patterns with names in braces.

    `initialised`: {variant}; `probes`: {variant}, {seed}, {signal}, {stage}; `excerpts`: {variant},
    {seed}, {track}, {source}; `training`: the figure of artifacts through training, if any;
    `audits`: {audit}, as `audit_pages`, links from the page.
    """

    initialised: str
    probes: str
    excerpts: str
    artifacts: Path
    table1: Path
    training: Path | None = None
    audits: str = ""
    audit_pages: str = ""


def probe_clip(
    media: Media, path: Path, side: str, floor: float, seconds: float, seed: int
) -> dict[str, Any]:
    """The clip of one `side` of a probe's file, 'input' or 'output'.

    Keys: `picture` and `sound` (data URIs, or None), `level`, `constant`, `gain`, `silent` (see
    `Loudness`), `curve` (see `mean_curve`), `samplerate` in Hz, `seconds`, `floor` in dB, and
    whether the picture is `relative` to the input's maximum, not to full scale.
    """
    arrays = load_arrays(path, ("input", "output", "input_samplerate"))
    with content_of(path):
        samplerate, samples = int(arrays["input_samplerate"]), arrays[side]
        seconds = min(seconds, len(samples) / samplerate)
        count = round(seconds * samplerate)
        zero = reference(arrays["input"])
        clip: dict[str, Any] = asdict(sound.match_level(samples[:count])[1]) | {
            "curve": pictures.mean_curve(samples, samplerate),
            "samplerate": samplerate,
            "seconds": seconds,
            "floor": floor,
            "relative": bool(np.any(arrays["input"])),
        }

    # Both read the file a second time: the arrays of a hundred variants do not fit into memory.
    def picture() -> str:
        stored = load_arrays(path, (side,))[side]
        shown = spectrogram(stored, samplerate, zero, center=side == "input")
        return pictures.spectrogram_png(shown, floor, seconds)

    def audio() -> str:
        stored = load_arrays(path, (side,))[side][:count]
        return sound.flac_or_opus(sound.match_level(stored)[0], samplerate)

    media.add(seed, PICTURES, clip, "picture", picture)
    media.add(seed, PROBE_SOUNDS, clip, "sound", audio)
    return clip


def reference(samples: NDArray[Any]) -> float:
    """The `reference_magnitude` of an input, which many variants share."""
    key = hashlib.sha256(samples.tobytes()).digest()
    if key not in REFERENCES:
        REFERENCES[key] = reference_magnitude(samples)
    return REFERENCES[key]


def probe_clips(content: Mapping[str, Any], files: Files, media: Media) -> dict[str, Any]:
    """All clips of probes.

    `runs` as [variant][seed][probe][stage], `initialisation` as [variant]: the random models of
    Figs. 1 and 9; `inputs` as [probe]: the probes, at the highest sampling rate.
    """
    seconds = content["settings"]["probe_seconds"]
    input_files: dict[str, Path] = {}
    runs: dict[str, Any] = {}
    initial: dict[str, Any] = {}
    for variant in content["variants"]:
        name, floor = variant["name"], variant["floor"]
        path = Path(files.initialised.format(variant=name))
        initial[name] = probe_clip(media, path, "output", floor, INITIALISATION_SECONDS, 0)
        prefer(input_files, INITIALISATION, path)
        for order, seed in enumerate(content["seeds"]):
            for probe, stage in product(content["signals"], STAGES[: 1 + variant["trained"]]):
                path = Path(files.probes.format(variant=name, seed=seed, signal=probe, stage=stage))
                run = runs.setdefault(name, {}).setdefault(str(seed), {})
                clip = probe_clip(media, path, "output", floor, seconds, order)
                run.setdefault(probe, {})[stage] = clip
                prefer(input_files, probe, path)
    limits = {INITIALISATION: INITIALISATION_SECONDS}
    inputs = {
        probe: probe_clip(media, path, "input", FLOOR, limits.get(probe, seconds), SHARED)
        for probe, path in input_files.items()
    }
    return {"runs": runs, INITIALISATION: initial, "inputs": inputs}


def prefer(input_files: dict[str, Path], probe: str, path: Path) -> None:
    """Store for each probe the first file of the highest sampling rate."""
    if probe not in input_files or sample_rate(path) > sample_rate(input_files[probe]):
        input_files[probe] = path


def sample_rate(path: Path) -> int:
    """The sampling rate in Hz of a probe's file."""
    with content_of(path):
        return int(load_arrays(path, ("input_samplerate",))["input_samplerate"])


def excerpts(content: Mapping[str, Any], files: Files, media: Media) -> dict[str, Any]:
    """Separated music: `tracks`, `sources`, the `mixtures` as [track], `runs` as
    [variant][seed][track][source]."""

    def file(name: str, seed: int, track: str = "{track}", source: str = "{source}") -> str:
        return files.excerpts.format(variant=name, seed=seed, track=track, source=source)

    seeds, seconds = content["seeds"], content["settings"]["excerpt_seconds"]
    scored = [variant["name"] for variant in content["variants"] if variant["scored"]]
    separated = track_files(file(scored[0], seeds[0]) if scored else "")
    tracks = list(separated)[: content["settings"]["tracks"]]
    runs: dict[str, Any] = {}
    for name, (order, seed) in product(scored, enumerate(seeds)):
        runs.setdefault(name, {})[str(seed)] = {
            track: {
                source: excerpt(media, file(name, seed, track, source), seconds, order)
                for source in separated[track]
            }
            for track in tracks
        }
    mixtures = {
        track: excerpt(media, file(scored[0], seeds[0], track, MIXTURE), seconds, SHARED)
        for track in tracks
    }
    sources = list(dict.fromkeys(source for track in tracks for source in separated[track]))
    return {"tracks": tracks, "sources": sources, "mixtures": mixtures, "runs": runs}


def track_files(pattern: str) -> dict[str, list[str]]:
    """The sources of each track in the folder of `pattern`, both in alphabetical order."""
    names = sorted(path.name for path in Path(pattern).parent.glob("*.wav")) if pattern else []
    before, between, after = re.split(
        r"\{track\}|\{source\}", Path(pattern or "{track}{source}").name
    )
    end = f"{between}{MIXTURE}{after}"
    mixtures = [name for name in names if name.startswith(before) and name.endswith(end)]
    tracks: dict[str, list[str]] = {name[len(before) : -len(end)]: [] for name in mixtures}
    for name in names:
        # The longest one, where a track's name begins with that of another.
        owners = [track for track in tracks if name.startswith(f"{before}{track}{between}")]
        if owners:
            owner = max(owners, key=len)
            tracks[owner].append(name[len(f"{before}{owner}{between}") : -len(after)])
    return {track: [s for s in tracks[track] if s != MIXTURE] for track in sorted(tracks)}


def excerpt(media: Media, path: str | Path, seconds: float, seed: int) -> dict[str, Any]:
    """The clip of the beginning of a WAV file: `sound`, and the fields of `Loudness`."""

    def read() -> tuple[sound.Samples, sound.Loudness]:
        frames = round(seconds * samplerate)
        samples, _ = read_wav(path, frames=frames, dtype="float64", always_2d=True)
        if samples.shape[1] > MOST_CHANNELS:
            raise ValueError(f"{samples.shape[1]} channels, not {MOST_CHANNELS} at most")
        return sound.match_level(samples)

    with content_of(path):
        _, samplerate = read_wav(path, frames=1)
        clip: dict[str, Any] = asdict(read()[1])
    media.add(seed, EXCERPTS, clip, "sound", lambda: sound.opus(read()[0], samplerate))
    return clip
