"""Seeded demo songs in the layout of MUSDB18-HQ, and the one real multitrack that stempeg ships.

They stand in for a data set without network access or a license. `composition` writes the score,
`instruments` and `voice` play it; the stems add up to the mixture exactly.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from upsampling.config.declared import Bounds, Count, Natural, Seed
from upsampling.demo_music.composition import Song, compose
from upsampling.demo_music.instruments import play_bass, play_drums, play_other
from upsampling.demo_music.styles import FEELS
from upsampling.demo_music.synthesis import SAMPLERATE
from upsampling.demo_music.voice import play_vocals
from upsampling.errors import UserError
from upsampling.files import atomic_path, read_json, sha256, write_json, write_wav
from upsampling.tracks.processes import run_jobs
from upsampling.tracks.reading import STEMS, SUBSETS

ROLES = ("train", "valid", "test")
# Raised when the songs change, so that those on disk are replaced.
REVISION = 1
PEAK = 0.9
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
# A shorter part may have no note at all.
Seconds = Annotated[float, Bounds(minimum=4.0)]


@dataclass(frozen=True)
class DemoSongs:
    """Numbers of songs to train, validate and test on, their lengths, and the seed of all.

    `real_track` adds the real multitrack of the package stempeg to the test songs.
    """

    seed: Seed
    train: Count
    valid: Natural
    test: Count
    seconds: Seconds
    test_seconds: Seconds
    real_track: bool = False


def demo_names(role: str, count: int) -> list[str]:
    """The first `count` names 'Artist - Title' of a role (train, valid, test), all unique.

    31 artists and 33 titles have no common divisor, so the pairing repeats after 1,023 songs. The
    roles take turns, so adding a song to one role renames no song of another.
    """
    numbers = [len(ROLES) * i + ROLES.index(role) for i in range(count)]
    return [f"{ARTISTS[n * 7 % len(ARTISTS)]} - {TITLES[n * 5 % len(TITLES)]}" for n in numbers]


def make_song(seed: int, role: str, index: int, seconds: float) -> np.ndarray:
    """Compose and play one song: int16 [5, samples, 2], mixture first, the sum of the other four.

    Seed, role and index decide every sample; neighboring songs differ in style. Each source is set
    to a level by its RMS where it sounds, then the song is scaled to a peak of 0.9.
    """
    samples = round(seconds * SAMPLERATE)
    start = int(np.random.default_rng([seed, ROLES.index(role)]).integers(len(FEELS)))
    rng = np.random.default_rng([seed, ROLES.index(role), index])
    song = compose(rng, seconds, FEELS[(start + 3 * index) % len(FEELS)])
    fade = np.clip((samples - np.arange(samples, dtype=np.float32)) / (0.4 * SAMPLERATE), 0, 1)
    sources = []
    for number, (source, play) in enumerate(PLAYERS.items()):
        player_rng = np.random.default_rng([seed, ROLES.index(role), index, number])
        sound = play(song, player_rng, samples) * fade
        loud = np.abs(sound).max(axis=0)
        active = sound[:, loud > 0.01 * loud.max()]
        level = ACTIVE_RMS[source] * player_rng.uniform(0.8, 1.25)
        sources.append(sound * np.float32(level / float(np.sqrt(np.mean(active**2)))))
    loudest = max(float(np.abs(sound).max()) for sound in (sum(sources), *sources))
    stems = np.rint(np.stack(sources) * np.float32(PEAK / loudest * 32767)).astype(np.int16)
    return np.concatenate([stems.sum(axis=0, dtype=np.int16)[None], stems]).transpose(0, 2, 1)


def write_song(folder: Path, seed: int, role: str, index: int, seconds: float) -> None:
    """Compose one song and write it to `folder` as five WAV files."""
    for stem, sound in zip(STEMS, make_song(seed, role, index, seconds), strict=True):
        write_wav(folder / f"{stem}.wav", sound, SAMPLERATE, subtype="PCM_16", checksum=False)


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of each WAV file of a song that is there."""
    paths = [folder / f"{stem}.wav" for stem in STEMS]
    return {path.stem: sha256(path) for path in paths if path.is_file()}


def write_demo(root: Path, songs: DemoSongs, workers: int = 1) -> None:
    """Write demo songs: root/train (for training and validation) and root/test.

    Songs that are there already, as they were written, are kept; those that an earlier call wrote
    with other settings are removed. `demo.json`, written last, lists the settings, the songs and
    the checksums of their files. (musdb takes any folder inside a track for a track, so checksums
    cannot lie beside the files.)
    """
    settings = {"revision": REVISION} | asdict(songs)
    del settings["real_track"]
    jobs: dict[str, tuple[Any, ...]] = {}
    for role in ROLES:
        test = role == "test"
        subset, seconds = ("test", songs.test_seconds) if test else ("train", songs.seconds)
        for index, name in enumerate(demo_names(role, getattr(songs, role))):
            jobs[f"{subset}/{name}"] = (root / subset / name, songs.seed, role, index, seconds)
    listing = root / "demo.json"
    old, kept = {}, {}
    with suppress(FileNotFoundError, UserError):
        old = read_json(listing)
    written = old.get("songs", {})
    if old.get("settings") == settings and isinstance(written, dict):
        whole = {name: files for name, files in written.items() if len(files) == len(STEMS)}
        kept = {name: files for name, files in whole.items() if checksums(root / name) == files}
        if kept.keys() == jobs.keys():
            return
    else:
        allowed = {(root / subset).resolve() for subset in SUBSETS}
        for folder in (root / name for name in written):
            if folder.resolve().parent in allowed:
                shutil.rmtree(folder, ignore_errors=True)
    listing.unlink(missing_ok=True)
    for subset in SUBSETS:
        (root / subset).mkdir(parents=True, exist_ok=True)
    missing = [job for name, job in jobs.items() if name not in kept]
    for _ in run_jobs(write_song, missing, workers):
        pass
    listed = {name: kept.get(name) or checksums(root / name) for name in jobs}
    write_json(listing, {"settings": settings, "songs": listed})


def copy_real_track(root: Path) -> str:
    """Copy stempeg's real multitrack into root/test and return its name.

    It is "Falcon 69" by The Easton Ellises, licensed CC BY-NC-SA 3.0. The sum of its stems differs
    from its mixture (at 15 dB), so use it with a linear mixture.
    """
    from upsampling.tracks.decoder import ensure_ffmpeg

    ensure_ffmpeg()
    import stempeg

    source = Path(stempeg.example_stem_path())
    target = root / "test" / source.name
    if not target.exists() or sha256(target) != sha256(source):
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
    return source.name.removesuffix(".stem.mp4")
