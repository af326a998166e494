"""Building a store: equal bytes however it is done, and no track decoded twice."""

import os

import numpy as np
import pytest
import soundfile
from noise_tracks import LENGTH, RATE, named, plan, write_noise

from upsampling.errors import UserError
from upsampling.files import HOST
from upsampling.tracks.building import Requirements, build_store, linear_mixture
from upsampling.tracks.planning import PlannedTrack, plan_tracks
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
    with pytest.raises(UserError, match=r"'C - Slow' is at 22050 Hz, and others are at 44100"):
        build_store(tmp_path / "store", plan(tmp_path / "raw"))
    with pytest.raises(UserError) as caught:
        build_store(tmp_path / "store", plan(tmp_path / "raw"), needed=Requirements(22050))
    assert str(caught.value).count("is at 44100 Hz, and model.samplerate is 22050") == 2
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
    assert checksums == {
        "A_-_One_Two.track.json.sha256", "manifest.json.sha256", ".verified.json.sha256"
    }  # fmt: skip


def test_a_track_that_cannot_be_decoded_ends_the_build_and_keeps_the_others(tmp_path, raw):
    lost = SourceTrack("C - Lost", "test", tmp_path / "raw" / "test" / "C - Lost", True)
    tracks = [*plan(tmp_path / "raw"), PlannedTrack(lost, "test", "test")]
    for workers in (1, 2):
        with pytest.raises(UserError, match="C - Lost"):
            build_store(tmp_path / "store", tracks, workers)
    assert not (tmp_path / "store" / "manifest.json").exists()
    assert (tmp_path / "store" / "A_-_One_Two.track.json").exists()


def test_all_tracks_that_cannot_be_used_are_listed_at_once(tmp_path):
    root = tmp_path / "raw"
    for name in ("A", "B", "C"):
        write_noise(root, "train", name)
    loud, broken = np.full((LENGTH, 2), 0.5), np.full((LENGTH, 2), 0.5)
    loud[100], broken[441] = 2.0, np.nan
    soundfile.write(root / "train" / "A" / "bass.wav", loud, RATE, subtype="FLOAT")
    soundfile.write(root / "train" / "B" / "other.wav", broken, RATE, subtype="DOUBLE")
    with pytest.raises(UserError) as caught:
        build_store(tmp_path / "store", plan(root), workers=2)
    message = str(caught.value)
    assert message.startswith("2 mistakes in ")
    assert "bass.wav reaches 2, and full scale is 1" in message
    assert "other.wav: the sample at 0.010 s is no finite number" in message
    assert (tmp_path / "store" / "C.npy").exists()


def test_loud_tracks_are_scaled_as_a_whole_if_that_is_asked_for(tmp_path, capsys):
    root = tmp_path / "raw"
    write_noise(root, "train", "A")
    values = np.random.default_rng(0).uniform(-0.4, 0.4, (4, LENGTH, 2))
    values[1, 7] = 1.6
    sources = dict(zip(("drums", "bass", "other", "vocals"), values, strict=True))
    for name, sound in {"mixture": values.sum(axis=0), **sources}.items():
        soundfile.write(root / "train" / "A" / f"{name}.wav", sound, RATE, subtype="FLOAT")
    build_store(tmp_path / "store", plan(root), needed=Requirements(beyond_full_scale="scale"))
    messages = capsys.readouterr().err
    assert "A: all stems are scaled by" in messages
    assert "is not the sum" not in messages
    store = TrackStore.open(tmp_path / "store")
    (track,) = store.tracks()
    gain = 1 / np.abs(values.sum(axis=0)).max()
    # Half a step of 16 bits.
    np.testing.assert_allclose(store.references(track), values.transpose(0, 2, 1) * gain,
                               atol=0.51 / 32768)  # fmt: skip
    with pytest.raises(UserError, match="full scale is 1"):
        build_store(tmp_path / "store", plan(root))


def test_a_mixture_that_is_missing_is_the_sum(tmp_path, raw):
    (tmp_path / "raw" / "train" / "A - One & Two" / "mixture.wav").unlink()
    tracks = plan_tracks(tmp_path / "raw", True, "own", 0.5)
    assert [track.mixture for track in tracks] == ["linear", "own"]
    build_store(tmp_path / "store", tracks)
    store = TrackStore.open(tmp_path / "store")
    track = named(store, "A - One & Two")
    error = store.mixture(track) - store.references(track).sum(axis=0, dtype=np.float64)
    assert np.abs(error).max() < (0.5 / 32768 + 1e-6) * track.mixture_scale


def test_a_mixture_that_is_not_the_sum_is_reported(tmp_path, raw, capsys):
    # Independent noise in the mixture and in four sources.
    build_store(tmp_path / "store", plan(tmp_path / "raw"))
    expected = 10 * np.log10(5)
    assert f"they differ by {expected:.1f} dB" in capsys.readouterr().err


@pytest.mark.parametrize("position", [0.01, 0.5, 0.999])
def test_a_damaged_stored_track_is_noticed_and_decoded_again(tmp_path, store, position):
    path = store.root / "A_-_One_Two.npy"
    content = path.read_bytes()
    store.verify("train", "test")
    damaged = bytearray(content)
    damaged[int(len(content) * position)] ^= 4
    path.write_bytes(damaged)
    with pytest.raises(UserError, match=r"A_-_One_Two\.npy: missing or not as stored; delete"):
        store.verify("train", "test")
    store.verify("test")
    other = store.root / "B_-_Three.npy"
    before = other.stat().st_mtime_ns
    (store.root / "manifest.json").unlink()
    build_store(store.root, plan(tmp_path / "raw"))
    assert path.read_bytes() == content
    assert other.stat().st_mtime_ns == before


def test_a_verified_track_is_not_read_again(store, monkeypatch):
    store.verify("train")
    monkeypatch.setattr("upsampling.tracks.store.sha256", None)
    store.verify("train")
    path = store.root / "A_-_One_Two.npy"
    path.touch()
    with pytest.raises(TypeError):
        store.verify("train")


def test_temporary_files_of_a_living_preparation_stay(tmp_path, store):
    living = store.root / f".A_-_One_Two.{HOST}.{os.getppid()}.npy"
    living.write_bytes(b"half")
    build_store(store.root, plan(tmp_path / "raw"))
    assert living.exists()
