"""The track store returns the samples it was given, and refuses damage in one line."""

import os
import pickle

import numpy as np
import pytest
from noise_tracks import LENGTH, RATE

from upsampling.errors import UserError
from upsampling.files import read_json, write_json
from upsampling.tracks import store as module
from upsampling.tracks.store import TrackStore, safe_file_name


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


def test_a_segment_is_written_in_place_with_a_gain(store, raw):
    (track,) = store.tracks("test")
    out = np.full((2, 50), np.nan, np.float32)
    assert store.segment(track, "drums", LENGTH - 40, 50, gain=-2.0, out=out) is out
    assert np.array_equal(out[:, :40], -2.0 * raw[track.name][1][-40:].T / 32768)
    assert not out[:, 40:].any()


def test_opening_reads_no_track_and_copies_carry_no_map(store):
    (track,) = store.tracks("test")
    store.mixture(track)
    assert len(pickle.dumps(store)) < 4096
    assert np.array_equal(pickle.loads(pickle.dumps(store)).mixture(track), store.mixture(track))
    (store.root / track.file).unlink()
    reopened = TrackStore.open(store.root)
    with pytest.raises(UserError, match="is missing"):
        reopened.mixture(reopened.tracks("test")[0])


def test_comparing_large_stores_reports_each_tenth(store, monkeypatch, capfd):
    store.verify("train", "test")
    assert not capfd.readouterr().err
    monkeypatch.setattr(module, "QUICK", 0)
    store.verify("train", "test")
    assert not capfd.readouterr().err
    for track in store.tracks():
        os.utime(store.root / track.file, ns=(1, 1))
    one, both = (sum(t.bytes for t in tracks) for tracks in (store.tracks("train"), store.tracks()))
    store.verify("train", "test")
    lines = capfd.readouterr().err.splitlines()
    shares = [f"{done / both:.0%} of {both / 1e9:.2f} GB" for done in (one, both)]
    assert [line.rpartition(": ")[2] for line in lines] == shares


def test_a_truncated_track_is_refused(store):
    (track,) = store.tracks("test")
    os.truncate(store.root / track.file, track.bytes - 4)
    with pytest.raises(UserError, match=rf"'B - Three'.* has {track.bytes - 4} of {track.bytes}"):
        store.segment(track, "bass", 0, 10)


def test_another_array_of_the_same_size_is_refused(store):
    (track,) = store.tracks("test")
    np.save(store.root / track.file, np.load(store.root / track.file).view(np.uint16))
    with pytest.raises(UserError, match="does not match the manifest"):
        store.mixture(track)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m.update(format=0), "format that cannot be read"),
        (lambda m: m.update(stems=["mixture"]), "format that cannot be read"),
        (lambda m: m["tracks"][0].update(file="../raw/x.npy"), "bad split or file name"),
        (lambda m: m["tracks"][0].update(split="dev"), "bad split or file name"),
        (lambda m: m["tracks"][0].pop("sha256"), "not a manifest"),
        (lambda m: m.pop("samplerate"), "manifest.json: no key 'samplerate'"),
        (lambda m: m.update(samplerate="fast"), "not a manifest"),
    ],
)
def test_bad_manifests_are_refused(store, change, reason):
    path = store.root / "manifest.json"
    manifest = read_json(path)
    change(manifest)
    write_json(path, manifest)
    with pytest.raises(UserError, match=reason):
        TrackStore.open(store.root)


def test_missing_stores_and_unknown_splits_are_named(tmp_path, store):
    with pytest.raises(UserError, match="no track store"):
        TrackStore.open(tmp_path / "nowhere")
    with pytest.raises(UserError, match="unknown split 'dev'"):
        store.tracks("dev")
    (store.root / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="is not as it was written"):
        TrackStore.open(store.root)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b\\c", "..", "", "ünï – cödé", ".hid"])
def test_names_never_leave_the_folder(name):
    file = safe_file_name(name)
    assert file == os.path.basename(file)
    assert not file.startswith(".")
    assert safe_file_name(file.removesuffix(".npy")) == file
