"""Whole songs: exact mixtures, levels, and equal bytes for equal seeds."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sound_prints import assert_print

from upsampling.config.declared import read_settings
from upsampling.demo_music.songs import (
    PEAK,
    SAMPLERATE,
    STEMS,
    DemoSongs,
    copy_real_track,
    demo_names,
    make_song,
    write_demo,
)
from upsampling.errors import UserError
from upsampling.files import read_json
from upsampling.tracks.store import safe_file_name

# Of each song of the fixture and each of its stems: see `sound_print`.
SONGS = (
    [
        [1963.774, 0.7303866, 0.5123873, 1975.358, 0.5454805, 0.5215245],
        [2013.191, -0.6901378, -0.3494988, 2013.191, -0.6901378, -0.3494988],
        [1805.264, -0.1690806, 0.7728423, 1869.341, 0.4919608, 1.390838],
        [2890.241, 1.048146, 1.027139, 2975.329, 0.3140599, 1.179797],
    ],
    [
        [2367.019, -1.567062, -1.540726, 2189.733, -1.134734, -1.821253],
        [2668.74, -1.027135, -0.3695809, 2668.74, -1.027135, -0.3695809],
        [2817.293, -0.9707068, 1.317393, 2532.582, -1.589513, 2.023627],
        [2656.344, -0.7703668, 0.5992867, 2797.716, -0.8470407, 0.7102422],
    ],
    [
        [2435.361, -0.08302211, 1.373193, 2426.819, -0.1768628, 1.046648],
        [2992.821, 0.3567382, -0.08409261, 2992.821, 0.3567382, -0.08409261],
        [2518.945, 0.1644338, -0.5207574, 2471.457, 0.09138246, 0.04982227],
        [1828.154, 0.1368778, -1.279126, 1839.875, 0.5563432, -0.3282219],
    ],
)
SETTINGS = {"seed": 1, "train": 2, "valid": 0, "test": 1, "seconds": 4, "test_seconds": 5.5}
SHORT = DemoSongs(1, train=1, valid=1, test=1, seconds=4.0, test_seconds=4.5)


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*.wav"))
    }


def test_mixture_is_the_exact_sum_of_the_stems(songs):
    assert songs.shape[:2] == (3, 5)
    assert songs.dtype == np.int16
    assert np.array_equal(songs[:, 0], songs[:, 1:].astype(np.int64).sum(axis=1))


def test_the_peak_uses_the_range_and_nothing_clips(songs):
    peaks = np.abs(songs.astype(int)).max(axis=(1, 2, 3))
    assert np.all(np.abs(peaks - PEAK * 32767) <= len(STEMS))


def test_no_source_is_silent_for_most_of_a_song(songs):
    frames = songs.reshape(3, 5, -1, SAMPLERATE * 2)
    silent = (frames == 0).all(axis=3).mean(axis=2)
    assert silent.max() < 0.5
    level = 20 * np.log10(np.sqrt((songs / 32768.0) ** 2).mean(axis=(2, 3)))
    assert level.min() > -45


def test_silent_parts_are_digital_zeros(songs):
    vocals = songs[:, 4, :SAMPLERATE]
    assert not vocals.any()
    assert songs[:, 0, :SAMPLERATE].any(axis=(1, 2)).all()


def test_seed_role_and_index_decide_every_byte():
    first = make_song(5, "test", 1, 4.0)
    assert np.array_equal(first, make_song(5, "test", 1, 4.0))
    for other in ((6, "test", 1), (5, "train", 1), (5, "test", 2)):
        assert not np.array_equal(first, make_song(*other, 4.0))


def test_written_songs_depend_on_neither_workers_nor_earlier_songs(tmp_path):
    write_demo(tmp_path / "a", SHORT)
    write_demo(tmp_path / "b", replace(SHORT, valid=0, test=2))
    before = digests(tmp_path / "a")
    assert len(before) == 15
    write_demo(tmp_path / "b", SHORT, workers=2)
    assert digests(tmp_path / "b") == before
    names = {path.parent.name for path in (tmp_path / "a" / "train").rglob("mixture.wav")}
    assert set(demo_names("valid", 1)) < names
    times = [path.stat().st_mtime_ns for path in sorted((tmp_path / "a").rglob("*.wav"))]
    write_demo(tmp_path / "a", replace(SHORT, real_track=True))
    assert times == [path.stat().st_mtime_ns for path in sorted((tmp_path / "a").rglob("*.wav"))]
    assert read_json(tmp_path / "a" / "demo.json")["settings"] == {
        "revision": 1, "seed": 1, "train": 1, "valid": 1, "test": 1,
        "seconds": 4.0, "test_seconds": 4.5,
    }  # fmt: skip


def test_names_are_unique_across_roles_and_safe():
    names = [name for role in ("train", "valid", "test") for name in demo_names(role, 300)]
    assert len({safe_file_name(name).lower() for name in names}) == 900
    assert all(name.count(" - ") == 1 and name.replace(" - ", "").replace(" ", "").isalpha()
               for name in names)  # fmt: skip


def test_a_damaged_song_is_written_again_and_others_are_kept(tmp_path):
    songs = DemoSongs(seed=3, train=1, valid=1, test=1, seconds=12, test_seconds=12)
    write_demo(tmp_path, songs)
    files = sorted(tmp_path.rglob("*.wav"))
    assert len(files) == 15
    content = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    damaged = files[7]
    damaged.write_bytes(content[damaged][0][:-2] + b"ab")
    write_demo(tmp_path, songs)
    for path in files:
        data, time = content[path]
        assert path.read_bytes() == data
        assert (path.stat().st_mtime_ns == time) == (path.parent != damaged.parent)


def test_the_real_track_is_copied_once(tmp_path):
    name = copy_real_track(tmp_path)
    (path,) = (tmp_path / "test").iterdir()
    assert path.name == f"{name}.stem.mp4"
    content, time = path.read_bytes(), path.stat().st_mtime_ns
    copy_real_track(tmp_path)
    assert path.stat().st_mtime_ns == time
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    copy_real_track(tmp_path)
    assert path.read_bytes() == content


def test_songs_are_those_that_published_numbers_stand_on(songs):
    """Other songs are other data: all scores and measures of the documentation would change."""
    for song, prints in zip(songs, SONGS, strict=True):
        for stem, expected in zip(song[1:], prints, strict=True):
            assert_print(stem.T, expected)


def test_names_are_drawn_from_both_lists_in_turn():
    """Every third song is of one role: artists 7 apart, titles 5 apart, from song to song."""
    assert demo_names("train", 2) == [
        "Paper Lanterns - Evening Tram",
        "Echo Bakery - Telephone Wires",
    ]
    assert demo_names("valid", 2) == [
        "The Slow Trains - Northern Line Home",
        "Oskar Lindqvale - Second Hand Shoes",
    ]
    assert demo_names("test", 2) == [
        "Jonah Pellworth - Letters To June",
        "Copper Kites - Good News From Home",
    ]


def test_values_are_kept_as_written():
    songs = read_settings(DemoSongs, SETTINGS, "--demo")
    assert songs == DemoSongs(1, train=2, valid=0, test=1, seconds=4, test_seconds=5.5)
    assert not songs.real_track


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seconds": 3.9}, r"--demo\.seconds: 3\.9 is too small; write a value of at least 4\.0"),
        ({"test": 0}, r"--demo\.test: 0 is too small"),
        ({"seed": -1}, r"--demo\.seed: -1 is too small"),
        ({"sed": 1}, r"--demo\.sed: unknown key 'sed' .*did you mean 'seed'"),
    ],
)
def test_mistakes_are_named(change, message):
    with pytest.raises(UserError, match=message):
        read_settings(DemoSongs, SETTINGS | change, "--demo")
