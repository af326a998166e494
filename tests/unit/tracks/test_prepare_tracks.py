"""The program prepare_tracks.py: the demo and its real track, and a build that was killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from noise_tracks import named

import prepare_tracks
from upsampling.config.experiment import Experiment
from upsampling.demo_music.songs import copy_real_track, demo_names
from upsampling.errors import UserError
from upsampling.files import read_json
from upsampling.tracks.building import build_store
from upsampling.tracks.planning import plan_tracks
from upsampling.tracks.store import TrackStore

ROOT = Path(__file__).parents[3]
REAL = "The Easton Ellises - Falcon 69"
SONGS = {"seed": 4, "train": 1, "valid": 1, "test": 1, "seconds": 4.0, "test_seconds": 4.0}
# Half a step of 16 bits in the mixture, and float32's rounding of the sum.
SUM_TOLERANCE = 2e-5


def prepare(monkeypatch, folder: Path, *options: str) -> None:
    """Run the program in this process."""
    paths = ("--root", str(folder / "raw"), "--store", str(folder / "store"))
    monkeypatch.setattr(sys, "argv", ["prepare_tracks.py", *paths, *options])
    prepare_tracks.main()


def test_the_demo_has_composed_songs_and_the_real_track(tmp_path, monkeypatch):
    songs = json.dumps(SONGS | {"real_track": True})
    options = ("--dataset", "demo", "--demo", songs, "--samplerate", "44100")
    prepare(monkeypatch, tmp_path, *options)
    store = TrackStore.open(tmp_path / "store")
    assert [track.name for track in store.tracks("valid")] == demo_names("valid", 1)
    assert len(store.tracks("train")) == 1
    assert len(store.tracks("test")) == 2
    for track in store.tracks():
        real = track.name == REAL
        assert (track.origin, track.mixture) == (("real", "linear") if real else ("demo", "own"))
        error = store.mixture(track) - store.references(track).sum(axis=0)
        assert np.abs(error).max() < SUM_TOLERANCE * track.mixture_scale
    assert named(store, REAL).samples == 268288
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    values["scales"]["demo"]["data"] = {"dataset": "demo", "root": "x"} | SONGS
    experiment = Experiment(values)
    settings = experiment.data.preparation(experiment.samplerate)
    assert read_json(tmp_path / "store" / "settings.json") == settings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--demo", '{"sed": 1}'), r"--demo\.sed: unknown key 'sed'"),
        (("--demo", json.dumps(SONGS | {"seconds": 1})), r"--demo\.seconds: 1 is too small"),
        (("--validation", "[3]"), r"--validation\.0: 3 is of the wrong type"),
        (("--validation", "nowhere.json"), "neither JSON nor a file"),
    ],
)
def test_mistakes_on_the_command_line_are_named(tmp_path, monkeypatch, options, message):
    with pytest.raises(UserError, match=message):
        prepare(monkeypatch, tmp_path, "--dataset", "demo", *options)


def processes_left(group: int, seconds: float) -> bool:
    """True if a process of a group is still alive after waiting for at most `seconds`."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def test_a_killed_build_leaves_no_process_and_resumes(tmp_path):
    root, store = tmp_path / "raw", tmp_path / "store"
    real = next((root / "test").glob(f"{copy_real_track(root)}.stem.mp4"))
    (root / "train").mkdir()
    for number in range(8):
        (root / "train" / f"T - {number}.stem.mp4").symlink_to(real)
    command = [
        sys.executable, "scripts/prepare_tracks.py", "--dataset", "musdb18", "--workers", "2",
        "--root", str(root), "--store", str(store), "--validation", '["T - 3"]',
    ]  # fmt: skip
    killed = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
    while not list(store.glob("T*.track.json")) and killed.poll() is None:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not processes_left(killed.pid, 60)
    done = {path: path.stat().st_mtime_ns for path in store.glob("[!.]*.track.json")}
    assert 0 < len(done) < 9
    assert not (store / "manifest.json").exists()

    build_store(store, plan_tracks(root, False, "musdb18", ["T - 3"]))
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert {path.name for path in store.glob(".*")} == {".checksums", ".verified.json"}
    opened = TrackStore.open(store)
    assert [len(opened.tracks(split)) for split in ("train", "valid", "test")] == [7, 1, 1]
    assert len({track.sha256 for track in opened.tracks()}) == 1
