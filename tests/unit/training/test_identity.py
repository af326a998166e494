"""Two runs are the same if the settings that decide their results are."""

import copy
from dataclasses import asdict

import pytest
import training_runs as small

from upsampling.config.mapping import whole
from upsampling.config.model import DemucsLikeSettings, Last, OwnSettings
from upsampling.config.training import TrainingSettings
from upsampling.training.identity import difference


def identity(model=None, **training):
    """An identity as a checkpoint holds it."""
    model = model or DemucsLikeSettings(channels=8)
    sections = {"model": asdict(model), "training": asdict(TrainingSettings(**training))}
    del sections["training"]["artifact_epochs"]
    return whole(sections | {"seed": 0, "data": "1234"})


def without(stored, *keys):
    """`stored` as a version that did not have the keys `section.key` wrote it."""
    stored = copy.deepcopy(stored)
    for key in keys:
        *sections, name = key.split(".")
        section = stored
        for part in sections:
            section = section[part]
        del section[name]
    return stored


def test_processes_micro_batches_and_time_limits_do_not_decide_a_run(store, tmp_path):
    run = small.make_run(store, tmp_path)
    other = small.make_run(store, tmp_path / "x", micro_batch=3, max_minutes=5)
    assert difference(run.identity, other.identity) == ""
    assert "seed 1 -> 0" in difference(
        small.make_run(store, tmp_path, seed=1).identity, run.identity
    )


def test_what_is_recorded_does_not_decide_a_run(store, tmp_path):
    run = small.make_run(store, tmp_path)
    other = small.make_run(store, tmp_path, artifact_epochs=7)
    assert run.identity == other.identity
    # A checkpoint of an earlier version is of the same run.
    assert whole(asdict(run.training)).keys() - run.identity["training"].keys() == {
        "artifact_epochs"
    }
    assert difference(run.identity, other.identity) == ""


def test_tracks_decide_a_run(store, tmp_path):
    run = small.make_run(store, tmp_path)
    fewer = small.make_run(store, tmp_path)
    fewer.store._tracks = fewer.store._tracks[1:]
    assert difference(run.identity, fewer.identity).startswith("data ")


def test_differences_are_named_with_both_values():
    changed = identity(DemucsLikeSettings(channels=9), loss="mse", epochs=3)
    text = "model.channels 8 -> 9, training.loss 'l1' -> 'mse'"
    assert difference(identity(), changed) == text
    assert difference(identity(epochs=3), identity(epochs=900)) == ""


@pytest.mark.parametrize(
    "keys",
    [("training.precision",), ("model.rescale", "model.last"), ("model.architecture",)],
)
def test_a_missing_setting_has_its_default(keys):
    current = identity()
    assert difference(without(current, *keys), current) == ""


def test_a_missing_setting_that_is_no_longer_its_default_differs():
    stored = without(identity(), "training.precision", "model.padding")
    changed = identity(DemucsLikeSettings(channels=8, padding="same"), precision="bf16")
    text = "model.padding 'valid' -> 'same', training.precision 'fp32' -> 'bf16'"
    assert difference(stored, changed) == text


def test_defaults_of_nested_and_own_settings_are_filled_in_too():
    nested = identity(DemucsLikeSettings(last=Last("istft_head")))
    assert difference(without(nested, "model.last.options"), nested) == ""
    network = identity(OwnSettings("net.py:Net", arguments={"width": 3}))
    assert difference(without(network, "model.weights", "model.options"), network) == ""


def test_a_setting_that_no_longer_exists_differs():
    stored = identity()
    stored["training"]["momentum"] = 0.9
    assert difference(stored, identity()) == "training.momentum 0.9 -> None"


@pytest.mark.parametrize("stored", [{}, {"model": 3}, {"model": {"architecture": "x"}}])
def test_content_that_is_no_identity_differs(stored):
    assert "seed None -> 0" in difference(stored, identity())
