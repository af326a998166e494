"""The data set of a scale agrees with the registries that implement its choices."""

from upsampling.config.data import DATASETS, DataSettings
from upsampling.config.declared import choices, fields_of
from upsampling.tracks.download import ARCHIVES


def test_choices_are_those_that_are_implemented():
    assert set(choices(fields_of(DataSettings)["dataset"])) == set(DATASETS)


def test_published_data_sets_can_be_downloaded():
    assert set(DATASETS) - {"demo", "own"} == set(ARCHIVES)


def test_options_are_those_that_decide_about_the_tracks():
    plain = DataSettings("own", "songs")
    assert plain.track_options(None) == []
    named = DataSettings("own", "songs", validation=("a", "b"), beyond_full_scale="scale")
    options = ["--samplerate", "8000", "--validation", '["a", "b"]', "--beyond-full-scale", "scale"]
    assert named.track_options(8000) == options
    assert named.preparation(8000) == {
        "dataset": "own",
        "demo": {},
        "samplerate": 8000,
        "validation": ["a", "b"],
        "beyond_full_scale": "scale",
    }
