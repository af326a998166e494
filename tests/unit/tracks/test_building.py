"""Building a store: equal bytes however it is done, and no track decoded twice."""

import numpy as np
import pytest
import soundfile
from noise_tracks import LENGTH, RATE, named, plan, write_noise

from upsampling.errors import UserError
from upsampling.tracks.building import PlannedTrack, build_store, linear_mixture, plan_tracks
from upsampling.tracks.reading import SourceTrack
from upsampling.tracks.store import TrackStore


def test_linear_mixture_is_the_sum_of_the_sources(tmp_path, raw):
    build_store(tmp_path / "linear", plan(tmp_path / "raw", "linear"))
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
    build_store(tmp_path / "parallel", plan(tmp_path / "raw"), workers=2)
    for path in store.root.glob("*.npy"):
        assert (tmp_path / "parallel" / path.name).read_bytes() == path.read_bytes()
    manifest = (store.root / "manifest.json").read_bytes()
    assert (tmp_path / "parallel" / "manifest.json").read_bytes() == manifest


def test_names_that_give_one_file_name_get_different_files(tmp_path):
    root = tmp_path / "raw"
    sounds = {name: write_noise(root, "train", name, n) for n, name in enumerate(("a+b", "a&b"))}
    sounds["A b"] = write_noise(root, "test", "A b", 9)
    build_store(tmp_path / "store", plan(root))
    store = TrackStore.open(tmp_path / "store")
    assert len({track.file.lower() for track in store.tracks()}) == 3
    for track in store.tracks():
        assert np.array_equal(store.mixture(track) * 32768, sounds[track.name][0].T)


def test_two_tracks_of_one_name_are_refused(tmp_path, raw):
    write_noise(tmp_path / "raw", "train", "B - Three")
    with pytest.raises(UserError, match="two tracks are called 'B - Three'"):
        build_store(tmp_path / "store", plan(tmp_path / "raw"))


def test_sampling_rates_must_agree(tmp_path, raw):
    write_noise(tmp_path / "raw", "train", "C - Slow", rate=22050)
    with pytest.raises(UserError, match="22050, 44100"):
        build_store(tmp_path / "store", plan(tmp_path / "raw"))
    assert not (tmp_path / "store" / "manifest.json").exists()


def test_only_changed_tracks_are_decoded_again(tmp_path, store, raw):
    times = {path.name: path.stat().st_mtime_ns for path in store.root.glob("*.npy")}
    write_noise(tmp_path / "raw", "train", "C - New", 3)
    tracks = plan(tmp_path / "raw")
    path = tracks[-1].source.path / "bass.wav"
    soundfile.write(path, raw["B - Three"][0][::-1], RATE, subtype="PCM_16")
    tracks[0] = PlannedTrack(tracks[0].source, "valid", "test")
    build_store(store.root, tracks)
    rebuilt = TrackStore.open(store.root)
    assert {track.name: track.split for track in rebuilt.tracks()} == {
        "C - New": "train", "A - One & Two": "valid", "B - Three": "test",
    }  # fmt: skip
    now = {path.name: path.stat().st_mtime_ns for path in store.root.glob("*.npy")}
    assert now["A_-_One_Two.npy"] == times["A_-_One_Two.npy"]
    assert now["B_-_Three.npy"] != times["B_-_Three.npy"]
    bass = rebuilt.segment(named(rebuilt, "B - Three"), "bass", 0, LENGTH)
    assert np.array_equal(bass * 32768, raw["B - Three"][0][::-1].T)


def test_a_damaged_sidecar_counts_as_missing(tmp_path, store):
    sidecar = store.root / "A_-_One_Two.track.json"
    content = sidecar.read_text()
    sidecar.write_text(content[:-20])
    build_store(store.root, plan(tmp_path / "raw"))
    assert sidecar.read_text() == content


def test_tracks_that_are_no_longer_planned_are_removed(tmp_path, store):
    build_store(store.root, plan(tmp_path / "raw")[:1])
    assert sorted(path.name for path in store.root.glob("[!.]*")) == [
        "A_-_One_Two.npy", "A_-_One_Two.track.json", "manifest.json",
    ]  # fmt: skip
    checksums = {path.name for path in (store.root / ".checksums").iterdir()}
    assert checksums == {"A_-_One_Two.track.json.sha256", "manifest.json.sha256"}


def test_a_track_that_cannot_be_decoded_ends_the_build_and_keeps_the_others(tmp_path, raw):
    lost = SourceTrack("C - Lost", "test", tmp_path / "raw" / "test" / "C - Lost", True)
    tracks = [*plan(tmp_path / "raw"), PlannedTrack(lost, "test", "test")]
    for workers in (1, 2):
        with pytest.raises(UserError, match="C - Lost"):
            build_store(tmp_path / "store", tracks, workers)
    assert not (tmp_path / "store" / "manifest.json").exists()
    assert (tmp_path / "store" / "A_-_One_Two.track.json").exists()


def test_validation_tracks_are_those_named(tmp_path, raw):
    tracks = plan_tracks(tmp_path / "raw", True, "own", ["A - One & Two"])
    assert [(track.source.name, track.split) for track in tracks] == [
        ("A - One & Two", "valid"), ("B - Three", "test"),
    ]  # fmt: skip
    with pytest.raises(UserError, match="validation track 'B - Three' is not in"):
        plan_tracks(tmp_path / "raw", True, "own", ["B - Three"])
    assert [track.split for track in plan_tracks(tmp_path / "raw", True, "own", "musdb")] == [
        "train", "test",
    ]  # fmt: skip
