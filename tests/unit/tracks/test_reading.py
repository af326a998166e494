"""Reading MUSDB18 and MUSDB18-HQ: the same lists and samples as musdb."""

import os

import numpy as np
import pytest
import soundfile
from noise_tracks import write_noise

from upsampling.demo_music.songs import DemoSongs, copy_real_track, write_demo
from upsampling.errors import UserError
from upsampling.tracks.decoder import ensure_ffmpeg
from upsampling.tracks.reading import (
    STEMS,
    inspect_headers,
    list_tracks,
    mixture_difference,
    read_track,
)

RATE = 44100


@pytest.fixture(scope="module")
def wav_root(tmp_path_factory):
    """Three demo songs in the layout of MUSDB18-HQ."""
    root = tmp_path_factory.mktemp("hq")
    write_demo(root, DemoSongs(2, train=1, valid=1, test=1, seconds=4.0, test_seconds=5.0))
    return root


@pytest.fixture(scope="module")
def stem_root(tmp_path_factory):
    """The real multitrack in the layout of MUSDB18."""
    root = tmp_path_factory.mktemp("stems")
    copy_real_track(root)
    return root


@pytest.fixture
def noise_track(tmp_path):
    """One track of white noise; tests damage its files."""
    folder = tmp_path / "train" / "A - B"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for stem in STEMS:
        sound = rng.integers(-20000, 20000, (1000, 2)).astype(np.int16)
        soundfile.write(folder / f"{stem}.wav", sound, RATE, subtype="PCM_16")
    return tmp_path


@pytest.mark.parametrize("wav", [True, False])
def test_tracks_and_samples_equal_musdb(wav, wav_root, stem_root):
    ensure_ffmpeg()
    import musdb

    root = wav_root if wav else stem_root
    database = musdb.DB(root=str(root), is_wav=wav)
    tracks = list_tracks(root, wav)
    assert [(t.name, t.subset) for t in tracks] == [(t.name, t.subset) for t in database.tracks]
    for ours, theirs in zip(tracks, database.tracks, strict=True):
        decoded = read_track(ours)
        assert decoded.samplerate == theirs.rate == RATE
        assert decoded.samples.dtype == np.int16
        assert np.array_equal(decoded.samples / 32768, theirs.stems)


def test_real_track_is_real_music_whose_stems_do_not_sum_to_the_mixture(stem_root):
    (track,) = list_tracks(stem_root, wav=False)
    assert (track.name, track.subset) == ("The Easton Ellises - Falcon 69", "test")
    samples = read_track(track).samples.astype(float)
    assert samples.shape == (5, 268288, 2)
    error = samples[0] - samples[1:].sum(axis=0)
    ratio = 10 * np.log10((samples[0] ** 2).sum() / (error**2).sum())
    assert ratio == pytest.approx(15.4, abs=0.1)


def test_float_wav_is_scaled_to_sixteen_bits(noise_track):
    path = noise_track / "train" / "A - B" / "bass.wav"
    values = np.array([[0.5, -1.0], [1.0, 0.25]])
    soundfile.write(path, np.tile(values, (500, 1)), RATE, subtype="FLOAT")
    (track,) = list_tracks(noise_track, wav=True)
    assert read_track(track).samples[2, :2].tolist() == [[16384, -32768], [32767, 8192]]


def damage_missing(folder):
    (folder / "drums.wav").unlink()


def damage_text(folder):
    (folder / "drums.wav").write_text("not audio")


def damage_length(folder):
    soundfile.write(folder / "drums.wav", np.zeros((900, 2)), RATE, subtype="PCM_16")


def damage_rate(folder):
    soundfile.write(folder / "drums.wav", np.zeros((1000, 2)), 22050, subtype="PCM_16")


def damage_channels(folder):
    soundfile.write(folder / "drums.wav", np.zeros(1000), RATE, subtype="PCM_16")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (damage_missing, r"drums\.wav is missing; add it"),
        (damage_text, r"drums\.wav cannot be decoded: Format not recogni"),
        (damage_length, r"its stems differ in samples: mixture\.wav 1000, drums\.wav 900"),
        (damage_rate, r"its stems differ in Hz: mixture\.wav 44100, drums\.wav 22050"),
        (damage_channels, r"drums\.wav has 1 channel; convert it to stereo"),
    ],
)
def test_damaged_wav_is_a_user_error_that_names_the_track(noise_track, damage, reason):
    damage(noise_track / "train" / "A - B")
    (track,) = list_tracks(noise_track, wav=True)
    with pytest.raises(UserError, match=reason) as error:
        read_track(track)
    assert "A - B" in str(error.value)


def test_the_mixtures_difference_is_relative_to_it():
    stems = np.random.default_rng(0).integers(-2000, 2000, (5, 3000, 2)).astype(np.int16)
    stems[0] = stems[1:].sum(axis=0)
    assert mixture_difference(stems) == -np.inf
    assert mixture_difference(np.zeros((5, 10, 2), np.int16)) == -np.inf
    stems[0] = 0
    assert mixture_difference(stems) == np.inf
    stems[1:] = 0
    stems[0, :, 0], stems[1, :, 0] = 1000, 900
    assert mixture_difference(stems) == pytest.approx(-20)


@pytest.mark.parametrize(("keep", "reason"), [(0.5, "ends early"), (0.001, "cannot decode")])
def test_truncated_stem_file_is_a_user_error(stem_root, tmp_path, keep, reason):
    whole = next((stem_root / "test").iterdir()).read_bytes()
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "A - B.stem.mp4").write_bytes(whole[: int(len(whole) * keep)])
    (track,) = list_tracks(tmp_path, wav=False)
    with pytest.raises(UserError, match=reason) as error:
        read_track(track)
    assert "A - B" in str(error.value)


def test_empty_folder_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"no tracks in .* expected train/"):
        list_tracks(tmp_path, wav=True)


def test_a_file_that_ends_early_is_named(noise_track):
    path = noise_track / "train" / "A - B" / "bass.wav"
    path.write_bytes(path.read_bytes()[:3000])
    (track,) = list_tracks(noise_track, wav=True)
    with pytest.raises(UserError, match=r"bass\.wav|differ in samples"):
        read_track(track)


def test_folders_without_stems_are_no_tracks(noise_track):
    for name in ("__MACOSX", ".hidden", "empty"):
        (noise_track / "train" / name).mkdir()
    (noise_track / "train" / "__MACOSX" / "._bass.wav").write_bytes(b"x")
    assert [track.name for track in list_tracks(noise_track, wav=True)] == ["A - B"]


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, kind):
    """A pipe that nothing writes to would be waited for."""
    write_noise(tmp_path, "train", "One")
    path = tmp_path / "train" / "One" / "bass.wav"
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    (track,) = list_tracks(tmp_path, wav=True)
    assert inspect_headers(track) == [f"{path} is no regular file; put a WAV file there"]


def test_a_name_that_is_no_text_is_refused(tmp_path):
    write_noise(tmp_path, "train", "One")
    (tmp_path / "train" / "One").rename(tmp_path / "train" / os.fsdecode(b"\xff"))
    with pytest.raises(UserError, match="the name is not UTF-8; rename the track"):
        list_tracks(tmp_path, wav=True)
