"""Variants that are repairs of others: their models, names, and mistakes in one line."""

import copy
import json

import pytest
from configurations import CONFIG

from upsampling.config.experiment import Experiment
from upsampling.config.operators import OPTIONS
from upsampling.errors import UserError

ENTRY = {"repair": {"of": "transposed"}}


def with_variants(**entries: dict) -> dict:
    config = copy.deepcopy(CONFIG)
    for name, entry in entries.items():
        config["variants"][name] = config["variants"].get(name, {}) | entry
    return config


def test_a_repair_has_the_model_of_its_original():
    experiment = Experiment(with_variants(mended={"repair": {"of": "modified_subpixel"}}))
    assert experiment.repaired["mended"].aim == "silence"
    assert "mended" in experiment.scored
    assert "mended" not in experiment.trained
    assert "mended" not in experiment.untrained
    assert experiment.stages("mended") == ["initialised", "trained"]
    assert experiment.model("mended") == experiment.model("modified_subpixel")
    assert json.loads(experiment.model("mended"))["operator"] == "subpixel"
    assert experiment.training("mended") == experiment.training("modified_subpixel")
    titles = experiment.figure_title("mended"), experiment.table_label("mended")
    assert titles == (
        "Modified subpixel CNN, repaired",
        "Modified (Fig. 9, b): subpixel CNN, repaired",
    )


def test_a_repair_may_have_names_of_its_own():
    mended = ENTRY | {"figure_title": "A", "table_label": "B"}
    experiment = Experiment(with_variants(mended=mended))
    assert (experiment.figure_title("mended"), experiment.table_label("mended")) == ("A", "B")


def test_a_repair_changes_nothing_about_the_other_variants():
    before, after = Experiment(CONFIG), Experiment(with_variants(mended=ENTRY))
    assert before.trained == after.trained
    for name in before.variants:
        assert before.model(name) == after.model(name)
        assert before.training(name) == after.training(name)
    assert before.theory("training_losses") == after.theory("training_losses")


def test_one_line_enables_the_repair_of_the_configuration():
    entry = CONFIG["variants"]["transposed_repaired"]
    assert entry["enabled"] is False
    assert Experiment(CONFIG).repaired == {}
    experiment = Experiment(with_variants(transposed_repaired={"enabled": True}))
    assert {name: one.of for name, one in experiment.repaired.items()} == {
        "transposed_repaired": "transposed"
    }


def test_a_repair_that_is_not_enabled_needs_no_original():
    config = with_variants(transposed={"train": False})
    assert "transposed_repaired" not in Experiment(config).variants


MISTAKES = [
    ({"repair": {"of": "transpsed"}}, ["mended.repair.of", "no variant 'transpsed'", "did you"]),
    ({"repair": {"of": "mended"}}, ["mended.repair.of: 'mended' is a repair itself"]),
    ({"repair": {"of": "repaired"}}, ["'repaired' is a repair itself", "repairs, 'transposed'"]),
    ({"repair": {"of": "melgan"}}, ["'melgan' is not trained here", "choose from transposed"]),
    ({"repair": {"of": "transposed_mse"}}, ["'transposed_mse' is left out", "enabled: false"]),
    ({"repair": {"of": "transposed", "aim": "silent"}}, ["repair.aim", "did you mean 'silence'"]),
    ({"repair": {"aim": "silence"}}, ["variants.mended.repair", "'of' is missing"]),
    ({"repair": "silence"}, ["variants.mended.repair"]),
    (ENTRY | {"operator": "transposed"}, ["variants.mended.operator", "that of 'transposed'"]),
    (ENTRY | {"model": {"channels": 3}}, ["variants.mended.model", "leave it out"]),
    (ENTRY | {"training": {"epochs": 3}}, ["variants.mended.training", "leave it out"]),
    (ENTRY | {"train": False}, ["variants.mended.train", "leave it out"]),
    (ENTRY | {"printed": {"sdr": 5.35}}, ["variants.mended.printed", "leave it out"]),
    (ENTRY | {"table_label": "Demucs-like: linear interpolation"}, ["that of variants.linear"]),
    (ENTRY, ["variants.mended.table_label", "that of variants.repaired, too"]),
]


@pytest.mark.parametrize(("entry", "expected"), MISTAKES)
def test_a_mistake_is_one_line_with_key_value_and_fix(entry, expected):
    with pytest.raises(UserError) as caught:
        Experiment(with_variants(repaired=ENTRY, mended=entry))
    message = str(caught.value)
    assert "\n" not in message
    for part in expected:
        assert part in message


@pytest.mark.parametrize("operator", sorted(set(OPTIONS) - {"istft_head"}))
def test_models_without_learned_filters_per_phase_are_refused(operator):
    config = with_variants(first={"operator": operator}, mended={"repair": {"of": "first"}})
    if operator.startswith(("transposed", "subpixel")):
        assert "mended" in Experiment(config).scored
        return
    with pytest.raises(UserError, match=rf"'first' \({operator}\) have no learned filters"):
        Experiment(config)
    config["variants"]["first"]["model"] = {"last": {"operator": "subpixel"}}
    assert "mended" in Experiment(config).scored
