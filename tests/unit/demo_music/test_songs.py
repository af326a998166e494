"""Whole songs: exact mixtures, levels, and equal bytes for equal seeds."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from sound_prints import assert_print

from upsampling.demo_music.settings import DemoSongs
from upsampling.demo_music.songs import (
    PEAK,
    SAMPLERATE,
    STEMS,
    copy_real_track,
    demo_names,
    demo_validation_names,
    make_song,
    write_demo,
)
from upsampling.files import read_json
from upsampling.tracks.store import safe_file_name

# Of each song of the fixture and each of its stems: see `sound_print`.
SONGS = (
    [
        [1963.77, 0.730387, 0.512387, 1975.36, 0.545481, 0.521525],
        [2013.19, -0.690138, -0.349499, 2013.19, -0.690138, -0.349499],
        [1805.26, -0.169081, 0.772842, 1869.34, 0.491961, 1.39084],
        [2890.24, 1.04815, 1.02714, 2975.33, 0.31406, 1.1798],
    ],
    [
        [2367.02, -1.56706, -1.54073, 2189.73, -1.13473, -1.82125],
        [2668.74, -1.02713, -0.369581, 2668.74, -1.02713, -0.369581],
        [2817.29, -0.970707, 1.31739, 2532.58, -1.58951, 2.02363],
        [2656.34, -0.770367, 0.599287, 2797.72, -0.847041, 0.710242],
    ],
    [
        [2435.36, -0.0830221, 1.37319, 2426.82, -0.176863, 1.04665],
        [2992.82, 0.356738, -0.0840926, 2992.82, 0.356738, -0.0840926],
        [2518.94, 0.164434, -0.520757, 2471.46, 0.0913825, 0.0498223],
        [1828.15, 0.136878, -1.27913, 1839.87, 0.556343, -0.328222],
    ],
)
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
    assert set(demo_validation_names(1)) < names
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
