"""Settings of a data set become options of prepare_tracks.py and the store's settings."""

import json
from pathlib import Path

import pytest

from upsampling.config.data import DATASETS, DataSettings
from upsampling.config.declared import choices, fields_of
from upsampling.tracks.download import ARCHIVES


def test_choices_are_described():
    assert set(choices(fields_of(DataSettings)["dataset"])) == set(DATASETS)


def test_published_data_sets_can_be_downloaded():
    assert set(DATASETS) - {"demo", "own"} == set(ARCHIVES)


def test_folders_are_found_below_home_and_the_store_in_the_root():
    located = DataSettings("own", "~/songs").located()
    assert located.root == str(Path.home() / "songs")
    assert located.store == str(Path.home() / "songs" / "store")
    assert DataSettings("own", "songs", "~/store").located().store == str(Path.home() / "store")


def test_demo_songs_are_those_of_the_demo_alone():
    assert json.loads(DataSettings("musdb18", "data").demo_songs) == {}
    songs = json.loads(DataSettings("demo", "data", train=3).demo_songs)
    assert songs["train"] == 3
    assert songs["real_track"] is True


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({}, []),
        ({"validation": 0.1}, ["--validation", "0.1"]),
        ({"validation": ("A - B", "C")}, ["--validation", '["A - B", "C"]']),
        ({"beyond_full_scale": "scale"}, ["--beyond-full-scale", "scale"]),
    ],
)
def test_options_name_what_differs_from_the_defaults(changes, options):
    data = DataSettings("own", "songs", **changes)
    assert data.track_options(None) == options
    assert data.track_options(22050) == ["--samplerate", "22050", *options]
    recorded = data.preparation(22050)
    assert recorded["samplerate"] == 22050
    assert recorded["validation"] == (
        list(data.validation) if isinstance(data.validation, tuple) else data.validation
    )
    assert recorded["beyond_full_scale"] == data.beyond_full_scale
    assert json.loads(json.dumps(recorded)) == recorded
