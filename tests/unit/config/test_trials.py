"""Each model and operator that a job will build is tried before any job."""

import json

from configurations import CONFIG, changed

from upsampling.config.experiment import Experiment
from upsampling.config.trials import models, operators


def test_each_variant_has_its_model_and_those_of_its_initialisations():
    experiment = Experiment(CONFIG)
    entries = list(models(experiment))
    assert len(entries) == 4 * len(experiment.variants)
    trained = [entry for entry in entries if entry["trained"]]
    assert [entry["where"] for entry in trained] == [f"variants.{n}" for n in experiment.scored]
    for name, entry in zip(experiment.scored, trained, strict=True):
        assert entry["model"] == json.loads(experiment.model(name))


def test_operators_are_those_of_models_and_of_figures():
    experiment = Experiment(CONFIG)
    entries = list(operators(experiment))
    places = {entry["where"] for entry in entries}
    figures = experiment.settings.figures
    assert places >= {*figures.stacks, *figures.following, "variants.nearest"}
    model = experiment.model_settings("transposed")
    widths = [e["channels"] for e in entries if e["where"] == "variants.transposed"]
    channels = model.channels
    assert widths == [(channels, 8), (channels * model.growth, channels), (1, 1)]
    linear = {entry["where"] for entry in entries if entry.get("linear")}
    assert linear == set(figures.following)


def test_an_operator_from_a_file_has_its_fingerprint(tmp_path):
    file = tmp_path / "own.py"
    file.write_text("class Own:\n    gain = 1\n")
    config = changed("variants/own", {"operator": f"{file}:Own"})
    first = [e for e in operators(Experiment(config)) if e["where"] == "variants.own"]
    assert len(first) == 3
    assert all(entry["code"] for entry in first)
    file.write_text("class Own:\n    gain = 2\n")
    second = [e for e in operators(Experiment(config)) if e["where"] == "variants.own"]
    assert all(a["code"] != b["code"] for a, b in zip(first, second, strict=True))
