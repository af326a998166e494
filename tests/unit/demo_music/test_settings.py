"""The program's demo settings are checked like those of config.yaml."""

import pytest

from upsampling.config.declared import read_settings
from upsampling.demo_music.settings import DemoSongs
from upsampling.errors import UserError

SONGS = {"seed": 1, "train": 2, "valid": 0, "test": 1, "seconds": 4, "test_seconds": 5.5}


def test_values_are_kept_as_written():
    songs = read_settings(DemoSongs, SONGS, "--demo")
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
        read_settings(DemoSongs, SONGS | change, "--demo")
