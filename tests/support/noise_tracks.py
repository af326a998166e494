"""Tracks of white noise as WAV files, plans to store them, and stored tracks by name."""

from pathlib import Path

import numpy as np
import soundfile

from upsampling.tracks.planning import PlannedTrack
from upsampling.tracks.reading import STEMS, list_tracks
from upsampling.tracks.store import Track, TrackStore

RATE = 44100
LENGTH = 5000


def write_noise(root: Path, subset: str, name: str, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Write one WAV track of white noise; return it, int16 [5, samples, 2]."""
    sounds = np.random.default_rng(seed).integers(-32768, 32768, (5, LENGTH, 2)).astype(np.int16)
    folder = root / subset / name
    folder.mkdir(parents=True)
    for stem, sound in zip(STEMS, sounds, strict=True):
        soundfile.write(folder / f"{stem}.wav", sound, rate, subtype="PCM_16")
    return sounds


def write_two(root: Path) -> dict[str, np.ndarray]:
    """Write a track to train on and one to test on; return their samples by name."""
    return {
        "A - One & Two": write_noise(root, "train", "A - One & Two", 1),
        "B - Three": write_noise(root, "test", "B - Three", 2),
    }


def plan(root: Path, mixture: str = "own") -> list[PlannedTrack]:
    """A plan of every track below `root`, in its own subset."""
    return [
        PlannedTrack(track, track.subset, "test", mixture) for track in list_tracks(root, wav=True)
    ]


def named(store: TrackStore, name: str) -> Track:
    """The only track of `store` called `name`."""
    (track,) = (track for track in store.tracks() if track.name == name)
    return track
