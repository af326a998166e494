"""The track store: what is stored comes back, runs resume, and damage is told in one line."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import prepare_tracks
from upsampling.demo_music.songs import copy_real_track, demo_validation_names
from upsampling.errors import UserError
from upsampling.files import read_json, write_json
from upsampling.tracks.building import Planned, build_store, linear_mixture, plan_tracks
from upsampling.tracks.reading import STEMS, SourceTrack, list_tracks
from upsampling.tracks.store import TrackStore, safe_file_name

REPOSITORY = Path(__file__).parents[2]
RATE = 44100
LENGTH = 5000
REAL = "The Easton Ellises - Falcon 69"


def write_noise(root, subset, name, seed=0, rate=RATE):
    """Write one WAV track of white noise; return it, int16 [5, samples, 2]."""
    sounds = np.random.default_rng(seed).integers(-32768, 32768, (5, LENGTH, 2)).astype(np.int16)
    folder = root / subset / name
    folder.mkdir(parents=True)
    for stem, sound in zip(STEMS, sounds, strict=True):
        soundfile.write(folder / f"{stem}.wav", sound, rate, subtype="PCM_16")
    return sounds


def planned(root, mixture="own"):
    return [Planned(track, track.subset, "test", mixture) for track in list_tracks(root, wav=True)]


@pytest.fixture
def raw(tmp_path):
    """Two noise tracks below tmp_path/raw, by name."""
    root = tmp_path / "raw"
    return {
        "A - One & Two": write_noise(root, "train", "A - One & Two", 1),
        "B - Three": write_noise(root, "test", "B - Three", 2),
    }


@pytest.fixture
def store(tmp_path, raw):
    build_store(tmp_path / "store", planned(tmp_path / "raw"))
    return TrackStore.open(tmp_path / "store")


def test_round_trip(store, raw):
    assert store.samplerate == RATE
    assert store.sources == ("drums", "bass", "other", "vocals")
    assert [track.name for track in store.tracks("train")] == ["A - One & Two"]
    assert store.tracks("valid") == []
    assert len(store.tracks()) == 2
    for track in store.tracks():
        expected = raw[track.name].astype(np.float32).transpose(0, 2, 1) / 32768
        mixture, references = store.mixture(track), store.references(track)
        assert mixture.dtype == references.dtype == np.float32
        assert np.array_equal(mixture, expected[0])
        assert np.array_equal(references, expected[1:])
        assert store.track(track.name) == store.track(Path(track.file).stem) == track


@pytest.mark.parametrize(
    ("start", "length"), [(0, 10), (4321, 100), (-30, 50), (LENGTH - 20, 70), (-10, LENGTH + 20),
                          (LENGTH + 5, 10), (-40, 20), (7, 0)]
)  # fmt: skip
def test_segments_are_padded_with_zeros_past_either_end(store, raw, start, length):
    (track,) = store.tracks("test")
    padded = np.zeros((2, LENGTH + 200), np.float32)
    padded[:, 100:-100] = raw[track.name][3].T / 32768
    segment = store.segment(track, "other", start, length)
    assert segment.dtype == np.float32
    assert segment.shape == (2, length)
    assert np.array_equal(segment, padded[:, 100 + start : 100 + start + length])


def test_linear_mixture_is_the_sum_of_the_sources(tmp_path, raw):
    build_store(tmp_path / "linear", planned(tmp_path / "raw", "linear"))
    store = TrackStore.open(tmp_path / "linear")
    for track in store.tracks():
        assert track.mixture == "linear"
        assert track.mixture_scale > 1
        error = store.mixture(track) - store.references(track).sum(axis=0, dtype=np.float64)
        # Half a step of 16 bits at this scale, and float32's rounding.
        assert np.abs(error).max() < (0.5 / 32768 + 1e-6) * track.mixture_scale


def test_linear_mixture_that_fits_is_exact():
    sources = np.random.default_rng(0).integers(-8000, 8000, (4, 100, 2)).astype(np.int16)
    mixture, scale = linear_mixture(sources)
    assert scale == 1
    assert np.array_equal(mixture, sources.astype(int).sum(axis=0))


def test_parallel_and_serial_builds_give_the_same_bytes(tmp_path, raw, store):
    build_store(tmp_path / "parallel", planned(tmp_path / "raw"), workers=2)
    for path in store.root.glob("*.npy"):
        assert (tmp_path / "parallel" / path.name).read_bytes() == path.read_bytes()
    manifest = (store.root / "manifest.json").read_bytes()
    assert (tmp_path / "parallel" / "manifest.json").read_bytes() == manifest


def test_opening_touches_no_track_and_copies_carry_no_map(store):
    (track,) = store.tracks("test")
    store.mixture(track)
    assert len(pickle.dumps(store)) < 4096
    assert np.array_equal(pickle.loads(pickle.dumps(store)).mixture(track), store.mixture(track))
    (store.root / track.file).unlink()
    again = TrackStore.open(store.root)
    with pytest.raises(UserError, match="is missing"):
        again.mixture(again.tracks("test")[0])


def test_truncated_track_is_refused(store):
    (track,) = store.tracks("test")
    os.truncate(store.root / track.file, track.bytes - 4)
    with pytest.raises(UserError, match=rf"'B - Three'.* has {track.bytes - 4} of {track.bytes}"):
        store.segment(track, "bass", 0, 10)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m.update(format=0), "another format"),
        (lambda m: m.update(stems=["mixture"]), "another format"),
        (lambda m: m["tracks"][0].update(file="../raw/x.npy"), "bad split or file name"),
        (lambda m: m["tracks"][0].update(split="dev"), "bad split or file name"),
        (lambda m: m["tracks"][0].pop("sha256"), "not a manifest"),
        (lambda m: m.pop("samplerate"), "not a manifest"),
    ],
)
def test_bad_manifests_are_refused(store, change, reason):
    path = store.root / "manifest.json"
    manifest = read_json(path)
    change(manifest)
    write_json(path, manifest)
    with pytest.raises(UserError, match=reason):
        TrackStore.open(store.root)


def test_what_is_not_there_is_a_user_error(tmp_path, store):
    with pytest.raises(UserError, match="no track store"):
        TrackStore.open(tmp_path / "nowhere")
    with pytest.raises(UserError, match="unknown split 'dev'"):
        store.tracks("dev")
    with pytest.raises(UserError, match="no track 'X'"):
        store.track("X")
    (store.root / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        TrackStore.open(store.root)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b\\c", "..", "", "ünï – cödé", ".hid"])
def test_names_never_leave_the_folder(name):
    file = safe_file_name(name)
    assert file == os.path.basename(file)
    assert not file.startswith(".")
    assert safe_file_name(file.removesuffix(".npy")) == file


def test_names_that_look_alike_as_files_get_files_of_their_own(tmp_path):
    root = tmp_path / "raw"
    sounds = {name: write_noise(root, "train", name, n) for n, name in enumerate(("a+b", "a&b"))}
    sounds["A b"] = write_noise(root, "test", "A b", 9)
    build_store(tmp_path / "store", planned(root))
    store = TrackStore.open(tmp_path / "store")
    assert len({track.file.lower() for track in store.tracks()}) == 3
    for track in store.tracks():
        assert np.array_equal(store.mixture(track) * 32768, sounds[track.name][0].T)


def test_one_name_twice_is_refused(tmp_path, raw):
    write_noise(tmp_path / "raw", "train", "B - Three")
    with pytest.raises(UserError, match="two tracks are called 'B - Three'"):
        build_store(tmp_path / "store", planned(tmp_path / "raw"))


def test_sampling_rates_must_agree(tmp_path, raw):
    write_noise(tmp_path / "raw", "train", "C - Slow", rate=22050)
    with pytest.raises(UserError, match="22050, 44100"):
        build_store(tmp_path / "store", planned(tmp_path / "raw"))
    assert not (tmp_path / "store" / "manifest.json").exists()


def test_only_what_changed_is_decoded_again(tmp_path, store, raw):
    times = {path.name: path.stat().st_mtime_ns for path in store.root.glob("*.npy")}
    write_noise(tmp_path / "raw", "train", "C - New", 3)
    plan = planned(tmp_path / "raw")
    path = plan[-1].source.path / "bass.wav"
    soundfile.write(path, raw["B - Three"][0][::-1], RATE, subtype="PCM_16")
    plan[0] = Planned(plan[0].source, "valid", "test")
    build_store(store.root, plan)
    again = TrackStore.open(store.root)
    assert {track.name: track.split for track in again.tracks()} == {
        "C - New": "train", "A - One & Two": "valid", "B - Three": "test",
    }  # fmt: skip
    now = {path.name: path.stat().st_mtime_ns for path in store.root.glob("*.npy")}
    assert now["A_-_One_Two.npy"] == times["A_-_One_Two.npy"]
    assert now["B_-_Three.npy"] != times["B_-_Three.npy"]
    bass = again.segment(again.track("B - Three"), "bass", 0, LENGTH)
    assert np.array_equal(bass * 32768, raw["B - Three"][0][::-1].T)


def test_tracks_that_are_no_longer_planned_are_removed(tmp_path, store):
    build_store(store.root, planned(tmp_path / "raw")[:1])
    assert sorted(path.name for path in store.root.iterdir()) == [
        "A_-_One_Two.npy", "A_-_One_Two.track.json", "manifest.json",
    ]  # fmt: skip


def test_a_track_that_cannot_be_decoded_ends_the_run_and_keeps_the_others(tmp_path, raw):
    plan = planned(tmp_path / "raw")
    lost = SourceTrack("C - Lost", "test", tmp_path / "raw" / "test" / "C - Lost", True)
    for workers in (1, 2):
        with pytest.raises(UserError, match="C - Lost"):
            build_store(tmp_path / "store", [*plan, Planned(lost, "test", "test")], workers)
    assert not (tmp_path / "store" / "manifest.json").exists()
    assert (tmp_path / "store" / "A_-_One_Two.track.json").exists()


def processes_left(group, seconds):
    """Whether any process of a group is still alive after waiting for at most `seconds`."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def test_a_killed_run_goes_on_where_it_stopped(tmp_path):
    root, store = tmp_path / "raw", tmp_path / "store"
    real = next((root / "test").glob(f"{copy_real_track(root)}.stem.mp4"))
    (root / "train").mkdir()
    for number in range(8):
        (root / "train" / f"T - {number}.stem.mp4").symlink_to(real)
    command = [
        sys.executable, "scripts/prepare_tracks.py", "--dataset", "musdb18", "--workers", "2",
        "--root", str(root), "--store", str(store), "--validation", '["T - 3"]',
    ]  # fmt: skip
    killed = subprocess.Popen(
        command, cwd=REPOSITORY, start_new_session=True, stderr=subprocess.DEVNULL
    )
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
    assert not list(store.glob(".*"))
    opened = TrackStore.open(store)
    assert [len(opened.tracks(split)) for split in ("train", "valid", "test")] == [7, 1, 1]
    assert len({track.sha256 for track in opened.tracks()}) == 1


def test_prepare_tracks_makes_the_demo_and_the_real_track(tmp_path, monkeypatch):
    demo = {
        "seed": 4, "train": 1, "valid": 1, "test": 1, "seconds": 4.0, "test_seconds": 4.0,
        "real_track": True,
    }  # fmt: skip
    command = [
        "prepare_tracks.py", "--dataset", "demo", "--root", str(tmp_path / "raw"),
        "--store", str(tmp_path / "store"), "--demo",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [*command, json.dumps(demo)])
    prepare_tracks.main()
    store = TrackStore.open(tmp_path / "store")
    assert [track.name for track in store.tracks("valid")] == demo_validation_names(1)
    assert len(store.tracks("train")) == 1
    assert len(store.tracks("test")) == 2
    for track in store.tracks():
        real = track.name == REAL
        assert (track.origin, track.mixture) == (("real", "linear") if real else ("demo", "own"))
        error = store.mixture(track) - store.references(track).sum(axis=0)
        assert np.abs(error).max() < 2e-5 * track.mixture_scale
    assert store.track(REAL).samples == 268288

    monkeypatch.setattr(sys, "argv", [*command, '{"sed": 1}'])
    with pytest.raises(UserError, match=r"--demo: .*'sed'"):
        prepare_tracks.main()


def test_validation_tracks_are_those_named(tmp_path, raw):
    plan = plan_tracks(tmp_path / "raw", True, "own", ["A - One & Two"])
    assert [(p.source.name, p.split) for p in plan] == [
        ("A - One & Two", "valid"), ("B - Three", "test"),
    ]  # fmt: skip
    with pytest.raises(UserError, match="validation track 'B - Three' is not in"):
        plan_tracks(tmp_path / "raw", True, "own", ["B - Three"])
    assert [p.split for p in plan_tracks(tmp_path / "raw", True, "own", "musdb")] == [
        "train", "test",
    ]  # fmt: skip
