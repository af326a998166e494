"""Reading audio files in blocks: formats, folders, and files that hold no sound to audit."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from planted_combs import RATE, encode, music, noise, write

from upsampling.errors import UserError
from upsampling.recordings import audio
from upsampling.recordings.audio import audio_files, open_recording


def read(path: Path) -> np.ndarray:
    return np.concatenate(list(open_recording(path).blocks()))


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "w64", "caf"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_lossless_formats_are_read_as_they_were_written(tmp_path, suffix, channels):
    samples = np.stack([noise(0.2, seed=c) for c in range(channels)], 1)
    path = write(tmp_path / f"sound.{suffix}", samples, subtype="PCM_16")
    recording = open_recording(path)
    assert (recording.samplerate, recording.channels) == (RATE, channels)
    np.testing.assert_allclose(read(path), samples, atol=2**-15)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("m4a", "aac"), ("mp3", "libmp3lame"), ("opus", "libopus"), ("ogg", "libvorbis"),
     ("wma", "wmav2"), ("ac3", "ac3"), ("mkv", "aac"), ("mp2", "mp2")],
)  # fmt: skip
def test_lossy_formats_keep_the_music(tmp_path, suffix, codec):
    song = music(8.0)[: 2 * RATE]
    path = encode(write(tmp_path / "song.wav", song), tmp_path / f"song.{suffix}", codec, "192k")
    recording = open_recording(path)
    assert recording.channels == 2
    decoded = read(path)
    assert len(decoded) / recording.samplerate == pytest.approx(2.0, abs=0.15)
    assert np.sqrt(np.mean(decoded**2)) == pytest.approx(np.sqrt(np.mean(song**2)), rel=0.1)


def test_blocks_do_not_depend_on_their_size(tmp_path, monkeypatch):
    samples = np.stack([noise(1.0), noise(1.0, seed=1)], 1)
    wav = write(tmp_path / "a.wav", samples)
    mka = encode(wav, tmp_path / "a.mka", "pcm_f32le", "1k")
    whole = [read(wav), read(mka)]
    monkeypatch.setattr(audio, "BLOCK_SAMPLES", 999)
    for path, expected in zip((wav, mka), whole, strict=True):
        blocks = list(open_recording(path).blocks())
        assert max(map(len, blocks)) <= 999 // 2
        np.testing.assert_array_equal(np.concatenate(blocks), expected)
    np.testing.assert_allclose(whole[1], samples, atol=1e-7)


def test_length_is_counted_no_further_than_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "BLOCK_SAMPLES", 1000)
    recording = open_recording(write(tmp_path / "a.wav", noise(1.0)))
    assert recording.length(10**9) == RATE
    assert recording.length(5500) == recording.length(6000) == 6000


def broken(folder: Path, name: str) -> Path:
    """A file that cannot be audited."""
    path = folder / f"{name}.wav"
    good = write(folder / "good.wav", noise(0.5)).read_bytes()
    samples = noise(0.5)
    if name == "empty":
        path.write_bytes(b"")
    elif name == "text":
        path.write_text("no sound\n" * 100)
    elif name == "random":
        path.write_bytes(np.random.default_rng(0).bytes(5000))
    elif name == "header alone":
        path.write_bytes(good[:20])
    elif name == "not a number":
        samples[RATE // 4] = np.nan
        write(path, samples)
    elif name == "infinite":
        samples[RATE // 4] = -np.inf
        write(path, samples)
    elif name == "enormous":
        samples[RATE // 4] = 1e30
        write(path, samples)
    elif name == "loud":
        samples[RATE // 4] = 1.1e6
        write(path, samples)
    elif name == "slow":
        write(path, samples, rate=100)
    elif name == "fast":
        write(path, samples, rate=10**9)
    elif name == "raw":
        path = folder / "sound.raw"
        path.write_bytes(b"\0" * 4000)
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [("empty", "empty"), ("text", "no audio"), ("random", "no audio"),
     ("header alone", "no audio"), ("not a number", "0.250 s is not a number"),
     ("infinite", "0.250 s is -inf"), ("enormous", "0.250 s is 1e+30"),
     ("loud", "0.250 s is 1.1e+06"),
     ("slow", "sampling rate of 100 Hz"), ("fast", "sampling rate of 1000000000 Hz"),
     ("raw", "no audio"), ("missing", "no such file")],
)  # fmt: skip
def test_files_without_usable_sound_are_one_line(tmp_path, name, reason):
    path = broken(tmp_path, name)
    with pytest.raises(UserError) as caught:
        read(path)
    message = str(caught.value)
    assert reason in message
    assert message.startswith(str(path))
    assert "\n" not in message


def test_a_truncated_file_is_read_as_far_as_it_goes_or_is_one_line(tmp_path):
    song = write(tmp_path / "song.wav", music(8.0), subtype="PCM_16")
    for suffix, codec in (("mp3", "libmp3lame"), ("opus", "libopus"), ("flac", "flac")):
        whole = encode(song, tmp_path / f"whole.{suffix}", codec, "128k").read_bytes()
        path = tmp_path / f"cut.{suffix}"
        path.write_bytes(whole[: len(whole) // 2])
        try:
            assert 0.2 < len(read(path)) / open_recording(path).samplerate < 7.5
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017
    cut = tmp_path / "cut.wav"
    cut.write_bytes(song.read_bytes()[: 44 + 4 * RATE])
    assert len(read(cut)) == pytest.approx(RATE, abs=20)


def test_a_damaged_file_never_ends_in_a_traceback(tmp_path, capfd):
    song = write(tmp_path / "song.wav", music(8.0)[: 2 * RATE], subtype="PCM_16")
    rng = np.random.default_rng(3)
    for suffix, codec in (("mp3", "libmp3lame"), ("m4a", "aac"), ("ogg", "libvorbis")):
        whole = np.frombuffer(
            encode(song, tmp_path / f"a.{suffix}", codec, "96k").read_bytes(), np.uint8
        )
        for trial in range(4):
            bytes_ = whole.copy()
            bytes_[rng.integers(0, len(bytes_), 60)] = rng.integers(0, 256, 60)
            path = tmp_path / f"damaged{trial}.{suffix}"
            path.write_bytes(bytes_.tobytes())
            try:
                assert np.isfinite(read(path)).all()
            except UserError as error:
                assert "\n" not in str(error)  # noqa: PT017
    os.write(2, b"later")
    assert capfd.readouterr().err == "later"


def test_reading_leaves_no_file_open(tmp_path):
    song = write(tmp_path / "song.wav", music(2.0), subtype="PCM_16")
    files = [song, encode(song, tmp_path / "song.mp3", "libmp3lame", "96k")]
    files.append(encode(song, tmp_path / "song.m4a", "aac", "96k"))
    before = len(os.listdir("/proc/self/fd"))
    for file in files:
        read(file)
    assert len(os.listdir("/proc/self/fd")) == before


def test_floats_far_above_full_scale_are_read(tmp_path):
    samples = noise(0.5)
    samples[RATE // 4] = 0.9e6
    assert read(write(tmp_path / "loud.wav", samples)).max() == np.float32(0.9e6)


def test_lossy_files_need_no_ffmpeg_on_the_path(tmp_path, monkeypatch):
    song = write(tmp_path / "song.wav", music(2.0), subtype="PCM_16")
    path = encode(song, tmp_path / "song.m4a", "aac", "96k")
    expected = read(path)
    monkeypatch.setenv("PATH", str(tmp_path))
    np.testing.assert_array_equal(read(path), expected)


def test_a_decoder_that_is_killed_gives_no_shorter_recording(tmp_path, monkeypatch):
    """For want of memory, say: in the middle of a sample, without a word."""
    song = write(tmp_path / "song.wav", music(2.0), subtype="PCM_16")
    recording = open_recording(encode(song, tmp_path / "song.m4a", "aac", "96k"))
    decoder = tmp_path / "ffmpeg"
    decoder.write_text("#!/bin/sh\nprintf 1234567890\nkill -9 $$\n")
    decoder.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(UserError, match=r"song.m4a: damaged: ffmpeg ended by -9$"):
        list(recording.blocks())


def test_playlists_open_no_other_file(tmp_path):
    write(tmp_path / "secret.wav", noise(0.5))
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n"
    )
    script = tmp_path / "list.wav"
    script.write_text("ffconcat version 1.0\nfile secret.wav\n")
    for path in (playlist, script):
        with pytest.raises(UserError, match="no audio"):
            open_recording(path)


def test_names_are_never_taken_for_options_or_protocols(tmp_path, monkeypatch):
    song = write(tmp_path / "a.wav", noise(0.5))
    monkeypatch.chdir(tmp_path)
    for name in ("-y.m4a", "concat:a|b.m4a", "http:x.m4a", "%d.m4a", "a\nb.m4a"):
        encode(song, tmp_path / "a.m4a", "aac", "64k").rename(name)
        assert len(read(Path(name))) == pytest.approx(RATE / 2, abs=2100)


def test_folders_give_their_audio_files_in_order(tmp_path):
    for name in ("b.wav", "a.FLAC", "deep/c.mp3", ".hidden/d.wav", "note.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    os.symlink(tmp_path, tmp_path / "deep" / "loop")
    (tmp_path / "none").mkdir()
    files, problems = audio_files([tmp_path, tmp_path / "b.wav", tmp_path / "none", "other"])
    names = ["a.FLAC", "b.wav", "deep/c.mp3"]
    assert files == [*(tmp_path / name for name in names), Path("other")]
    assert problems == [f"{tmp_path / 'none'}: no audio files in this folder or below"]


def test_suffixes_of_libsndfile_are_known():
    known = {f".{name.lower()}" for name in soundfile.available_formats()}
    assert {".wav", ".flac", ".ogg", ".mp3", ".caf", ".w64", ".au"} <= audio.SUFFIXES & known
