"""Seeded demo songs in the layout of MUSDB18-HQ, and the one real multitrack that stempeg ships.

A stand-in that needs no network and no licence. Its songs are made by `composition` (score),
`instruments` and `voice` (sound); their stems add up to the mixture exactly.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from upsampling.demo_music.composition import Song, compose
from upsampling.demo_music.instruments import play_bass, play_drums, play_other
from upsampling.demo_music.styles import FEELS
from upsampling.demo_music.synthesis import SAMPLERATE
from upsampling.demo_music.voice import play_vocals
from upsampling.errors import UserError
from upsampling.files import read_json, write_json
from upsampling.tracks.processes import run_jobs
from upsampling.tracks.reading import STEMS

ROLES = ("train", "valid", "test")
# Bumped when the songs change, so that those on disk are made again.
REVISION = 1
PEAK = 0.9
# Below it a part may have no note at all.
SHORTEST_SECONDS = 4.0
ACTIVE_RMS = {"drums": 0.10, "bass": 0.10, "other": 0.085, "vocals": 0.11}
PLAYERS: dict[str, Callable[[Song, np.random.Generator, int], np.ndarray]] = {
    "drums": play_drums,
    "bass": play_bass,
    "other": play_other,
    "vocals": play_vocals,
}
# fmt: off
ARTISTS = (
    "Paper Lanterns", "Marlow Finch", "The Quiet Tides", "Ada Winterbourne", "Copper Kites",
    "Orchard Radio", "Lena Halloway", "The Slow Trains", "Milo Ferncastle", "Glass Harbour",
    "Nine Sparrows", "Hazel Okonjo", "The Attic Choir", "Velvet Almanac", "Jonah Pellworth",
    "Moth And Lamp", "Sugar Cartographers", "Ingrid Solway", "The Late Ferries", "Blue Thimble",
    "Tomas Avelar", "Echo Bakery", "The Borrowed Coats", "Saffron Weir", "Harbour Street Six",
    "Wren Castellane", "Polite Thunder", "The Tin Gardens", "Oskar Lindqvale", "Pocket Comets",
    "Little Meridian",
)
TITLES = (
    "Evening Tram", "Salt In The Wind", "Half A Promise", "Window Seat", "Lemon Trees",
    "Northern Line Home", "Paper Boats", "Counting Streetlights", "Slower Than Rain",
    "Kitchen Dancing", "Letters To June", "Under The Awning", "Sunday Engine", "Carousel Hours",
    "Borrowed Summer", "Telephone Wires", "Small Hours", "Map Of Your Street", "Cinnamon Sky",
    "Leave The Porch Light On", "Second Hand Shoes", "Tidewater", "The Long Way Down",
    "Almost Morning", "Fireflies And Static", "Good News From Home", "Ferris Wheel",
    "Marble Staircase", "Ordinary Magic", "Wait For The Chorus", "Goodnight Harbour",
    "Two Train Tickets", "Orange Peel",
)
# fmt: on


def demo_names(role: str, count: int) -> list[str]:
    """The first `count` names 'Artist - Title' of a role (train, valid, test), all unique.

    31 artists and 33 titles have no common divisor, so the pairing repeats after 1,023 songs; the
    roles take turns, so that one more song of a role renames none of another's.
    """
    numbers = [len(ROLES) * i + ROLES.index(role) for i in range(count)]
    return [f"{ARTISTS[n * 7 % len(ARTISTS)]} - {TITLES[n * 5 % len(TITLES)]}" for n in numbers]


def demo_validation_names(valid: int) -> list[str]:
    """Names of the `valid` songs in train/ that are meant for validation."""
    return demo_names("valid", valid)


def make_song(seed: int, role: str, index: int, seconds: float) -> np.ndarray:
    """Make one song: int16 [5, samples, 2], mixture first, the exact sum of the other four.

    Seed, role and index decide everything; neighbouring songs differ in style. Sources are levelled
    by their RMS where they sound, then the whole is scaled to a peak of 0.9.
    """
    samples = round(seconds * SAMPLERATE)
    start = int(np.random.default_rng([seed, ROLES.index(role)]).integers(len(FEELS)))
    rng = np.random.default_rng([seed, ROLES.index(role), index])
    song = compose(rng, seconds, FEELS[(start + 3 * index) % len(FEELS)])
    fade = np.clip((samples - np.arange(samples, dtype=np.float32)) / (0.4 * SAMPLERATE), 0, 1)
    sources = []
    for number, (source, play) in enumerate(PLAYERS.items()):
        own = np.random.default_rng([seed, ROLES.index(role), index, number])
        sound = play(song, own, samples) * fade
        loud = np.abs(sound).max(axis=0)
        active = sound[:, loud > 0.01 * loud.max()]
        level = ACTIVE_RMS[source] * own.uniform(0.8, 1.25)
        sources.append(sound * np.float32(level / float(np.sqrt(np.mean(active**2)))))
    loudest = max(float(np.abs(sound).max()) for sound in (sum(sources), *sources))
    stems = np.rint(np.stack(sources) * np.float32(PEAK / loudest * 32767)).astype(np.int16)
    return np.concatenate([stems.sum(axis=0, dtype=np.int16)[None], stems]).transpose(0, 2, 1)


def write_song(folder: Path, seed: int, role: str, index: int, seconds: float) -> None:
    """Make one song and write it to `folder` as five WAV files."""
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    for stem, sound in zip(STEMS, make_song(seed, role, index, seconds), strict=True):
        soundfile.write(folder / f"{stem}.wav", sound, SAMPLERATE, subtype="PCM_16")


def write_demo(
    root: Path,
    seed: int,
    train: int,
    valid: int,
    test: int,
    seconds: float,
    test_seconds: float,
    workers: int = 1,
) -> None:
    """Write demo songs: root/train (train + valid, `seconds` s) and root/test (`test_seconds`).

    Nothing is done when the same songs are there already; songs an earlier call made with other
    settings are removed. `demo.json`, written last, is the record of both.
    """
    if min(seconds, test_seconds) < SHORTEST_SECONDS:
        raise UserError(f"demo songs must last {SHORTEST_SECONDS} s or more")
    settings = {
        "revision": REVISION, "seed": seed, "train": train, "valid": valid, "test": test,
        "seconds": seconds, "test_seconds": test_seconds,
    }  # fmt: skip
    counts = {"train": train, "valid": valid, "test": test}
    songs, jobs = [], []
    for role in ROLES:
        subset, length = ("test", test_seconds) if role == "test" else ("train", seconds)
        for index, name in enumerate(demo_names(role, counts[role])):
            songs.append(f"{subset}/{name}")
            jobs.append((root / subset / name, seed, role, index, length))
    record = root / "demo.json"
    if record.exists():
        old = read_json(record)
        if old["settings"] == settings and all((root / song).is_dir() for song in songs):
            return
        record.unlink()
        for song in old["songs"]:
            shutil.rmtree(root / song, ignore_errors=True)
    for subset in ("train", "test"):
        (root / subset).mkdir(parents=True, exist_ok=True)
    for _ in run_jobs(write_song, jobs, workers):
        pass
    write_json(record, {"settings": settings, "songs": songs})


def copy_real_track(root: Path) -> str:
    """Copy stempeg's real multitrack into root/test and return its name.

    It is "Falcon 69" by The Easton Ellises, licensed CC BY-NC-SA 3.0; its stems do not add up
    to its mixture (15 dB), so that it is for use with a linear mixture.
    """
    from upsampling.tracks.decoder import ensure_ffmpeg

    ensure_ffmpeg()
    import stempeg

    source = Path(stempeg.example_stem_path())
    target = root / "test" / source.name
    if not target.exists() or target.stat().st_size != source.stat().st_size:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(".part")
        shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    return source.name.removesuffix(".stem.mp4")
