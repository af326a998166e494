"""The schema, the registries and the dataclasses agree; mistakes are told in one line."""

import copy
import dataclasses
import inspect
from pathlib import Path

import pytest
import yaml
from upsampling.config.schema import SCHEMA

from upsampling.config.experiment import DATASETS, Experiment
from upsampling.config.model import ARCHITECTURES, DemucsLikeSettings, MelganSettings
from upsampling.config.training import TrainingSettings
from upsampling.errors import UserError
from upsampling.figures.registry import FIGURES
from upsampling.gallery.settings import GallerySettings, gallery_spec
from upsampling.operators import OPERATORS
from upsampling.probes.signals import SIGNALS
from upsampling.scoring.aggregation import AGGREGATIONS
from upsampling.scoring.bsseval import ENGINES, METRICS
from upsampling.scoring.scoring_job import EvaluationSettings

ROOT = Path(__file__).parents[2]
DEFINITIONS = yaml.safe_load(SCHEMA.read_text())["$defs"]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def names(settings: type) -> set[str]:
    return {field.name for field in dataclasses.fields(settings)}


def test_operators_agree():
    assert set(DEFINITIONS["operator"]["anyOf"][0]["enum"]) == set(OPERATORS)
    branches = DEFINITIONS["known_options"]["allOf"]
    assert {b["if"]["properties"]["operator"]["const"] for b in branches} == set(OPERATORS)


@pytest.mark.parametrize("operator", OPERATORS)
def test_options_agree(operator):
    allowed = set(DEFINITIONS[operator]["properties"])
    parameters = inspect.signature(OPERATORS[operator]).parameters
    assert allowed == set(parameters) - {"in_channels", "out_channels", "stride", "bias"}


def test_settings_agree():
    given = set(DEFINITIONS["model"]["properties"])
    fields = names(DemucsLikeSettings) | names(MelganSettings)
    # Set by the variant's own keys, by the data, or by the package.
    derived = {"operator", "options", "operator_code", "sources", "audio_channels", "samplerate"}
    assert given == fields - derived
    assert set(DEFINITIONS["model"]["properties"]["architecture"]["enum"]) == set(ARCHITECTURES)
    assert set(DEFINITIONS["training"]["properties"]) == names(TrainingSettings)
    evaluation = DEFINITIONS["evaluation"]["properties"]
    assert set(evaluation) - {"aggregation"} == names(EvaluationSettings)
    assert set(evaluation["engine"]["enum"]) == set(ENGINES)
    assert evaluation["metrics"]["items"]["enum"] == list(METRICS)
    assert evaluation["aggregation"]["enum"] == list(AGGREGATIONS)
    assert set(DEFINITIONS["gallery"]["properties"]) == names(GallerySettings)
    assert set(DEFINITIONS["signal"]["enum"]) == set(SIGNALS)
    assert set(DEFINITIONS["data"]["properties"]["dataset"]["enum"]) == set(DATASETS)


def test_every_figure_of_the_paper_is_drawn():
    drawn = {figure.name for figure in Experiment(CONFIG).figures("results")}
    own = {"initialisation", "track_differences", "artifact_changes", "distribution"}
    own |= {"responses", "replicas", "loss_gradient"} | {f"figure{n}_theory" for n in (6, 7, 8)}
    assert drawn == {f"figure{n}" for n in range(1, 11)} | own
    assert drawn <= set(FIGURES)


def test_config_has_what_the_paper_states():
    experiment = Experiment(CONFIG | {"scale": "paper"})
    training = TrainingSettings(**experiment.config["training"])
    assert (training.loss, training.epochs, training.batch_size) == ("l1", 600, 32)  # Sec. 6
    assert training.learning_rate == 2e-4
    modified = yaml.safe_load(experiment.training("modified_subpixel"))
    assert modified["learning_rate"] == 1e-4
    model = experiment.config["model"]
    assert [model[key] for key in ("channels", "depth", "length", "stride")] == [100, 6, 8, 4]
    assert experiment.data["dataset"] == "musdb18"
    printed = [CONFIG["variants"][name]["paper"]["sdr"] for name in experiment.trained]
    assert printed == [5.35, 5.17, 4.62, 5.38, 5.37, 5.38]  # Table 1
    seconds = [CONFIG["variants"][name]["paper"]["epoch_seconds"] for name in experiment.trained]
    assert seconds == [319, 423, 430, 311, 326, 315]
    assert [row["paper"]["sdr"] for row in CONFIG["literature"]] == [3.23, 5.34, 5.36, 5.65]


@pytest.mark.parametrize("scale", ["demo", "preview", "paper"])
def test_every_scale_resolves(scale):
    experiment = Experiment(CONFIG | {"scale": scale})
    assert len(experiment.trained) == 6
    for variant in experiment.trained:
        assert '"channels":100' in experiment.initialisation(variant)["model"]


def changed(path: str, value: object) -> dict:
    config = copy.deepcopy(CONFIG)
    *parents, last = path.split("/")
    place = config
    for name in parents:
        place = place[int(name) if isinstance(place, list) else name]
    place[last] = value
    return config


MISTAKES = [
    ("variants/nearest/operator", "neares", ["neares", "did you mean 'nearest'"]),
    ("variants/nearest/opertor", "linear", ["unknown key 'opertor'", "did you mean 'operator'"]),
    ("model/stride", -4, ["-4", "at least 2"]),
    ("training/learning_rate", "1e-4", ["'1e-4' is text", "write 0.0001"]),
    ("training/learning_rate", "2e-7", ["'2e-7' is text", "write 2.0e-07"]),
    ("variants/linear/options/definition", "half", ["'half'", "half_pixel, align_corners"]),
    ("variants/linear/options/lenght", 3, ["unknown key 'lenght'", "'length'"]),
    ("variants/Upper case", {"operator": "nearest"}, ["'Upper case' is not allowed", "lower-case"]),
    ("variants/own", {"operator": "none.py:Own"}, ["variants.own.operator", "none.py cannot be"]),
    ("figures/figure1/panels", ["nearst"], ["there is no variant 'nearst'", "'nearest'"]),
    ("scale", "papr", ["'papr'", "demo, preview, paper"]),
    ("seeds", [], ["seeds"]),
    ("variants/melgan/train", True, ["variants.melgan", "train: false"]),
    ("evaluation/aggregation", "medain", ["'medain'", "did you mean 'median'"]),
    ("evaluation/metrics", ["SIR"], ["evaluation.metrics", "list SDR, and any of ISR"]),
    ("literature/0/scores", "no/such", ["literature", "there is no folder 'no/such'"]),
    ("gallery/tracks", -1, ["gallery.tracks", "at least 0"]),
    ("gallery/signals", ["constant"], ["gallery.signals: 'constant'", "silence, ones"]),
    ("scales/demo/data/train", 0, ["scales.demo.data.train", "at least 1"]),
]


@pytest.mark.parametrize(("path", "value", "expected"), MISTAKES)
def test_a_mistake_is_one_line_with_key_value_and_fix(path, value, expected):
    with pytest.raises(UserError) as caught:
        gallery_spec(Experiment(changed(path, value)))
    message = str(caught.value)
    assert "\n" not in message
    for part in expected:
        assert part in message


def test_code_of_a_custom_operator_ignores_its_comments(tmp_path):
    file = tmp_path / "own.py"
    entry = changed("variants/own", {"operator": f"{file}:Own"})
    file.write_text("class Own:\n    gain = 1\n")
    first = Experiment(entry).model("own")
    file.write_text("# A remark.\nclass Own:\n\n    gain = 1  # unity\n")
    assert Experiment(entry).model("own") == first
    file.write_text("class Own:\n    gain = 2\n")
    assert Experiment(entry).model("own") != first


def test_another_aggregation_scores_nothing_again():
    before, after = Experiment(CONFIG), Experiment(changed("evaluation/aggregation", "mean"))
    assert before.scoring == after.scoring
    assert (before.aggregation, after.aggregation) == ("median", "mean")
    assert before.description() != after.description()


def test_published_scores_may_be_one_folder_or_one_per_seed(tmp_path):
    (tmp_path / "a").mkdir()
    one = Experiment(changed("literature/0/scores", str(tmp_path / "a")))
    two = Experiment(changed("literature/0/scores", [str(tmp_path), str(tmp_path / "a")]))
    assert one.published == [str(tmp_path / "a")]
    assert two.published == [str(tmp_path), str(tmp_path / "a")]


def test_order_of_keys_and_labels_do_not_change_a_job():
    reordered = copy.deepcopy(CONFIG)
    reordered["model"] = dict(reversed(reordered["model"].items()))
    reordered["variants"]["linear"]["label"] = "another label"
    before, after = Experiment(CONFIG), Experiment(reordered)
    assert before.model("linear") == after.model("linear")
    assert before.training("linear") == after.training("linear")
