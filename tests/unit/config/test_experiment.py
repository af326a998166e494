"""config.yaml holds the paper's numbers; mistakes in it are told in one line."""

import copy
import json

import pytest
import yaml
from configurations import CONFIG, ENABLED, ROOT, changed

from upsampling.config.experiment import Experiment
from upsampling.config.operators import OPTIONS
from upsampling.errors import UserError
from upsampling.figures.plan import plan
from upsampling.figures.registry import FIGURES
from upsampling.gallery.settings import gallery_content
from upsampling.tables import plan as tables


def test_every_figure_of_the_paper_is_drawn():
    planned = set(plan(Experiment(CONFIG)))
    beyond = {"initialisation", "track_differences", "artifact_changes", "init_statistics"}
    beyond |= {"artifact_history"}
    beyond |= {"operator_spectra", "replicas", "loss_gradient", "figure1_trained"}
    beyond |= {f"figure{n}_theory" for n in (6, 7, 8)}
    assert planned == {f"figure{n}" for n in range(1, 11)} | beyond
    assert planned <= set(FIGURES)


def test_config_has_what_the_paper_states():
    experiment = Experiment(CONFIG | {"scale": "paper"})
    training = experiment.settings.training
    assert (training.loss, training.epochs, training.batch_size) == ("l1", 600, 32)  # Sec. 6
    assert training.learning_rate == 2e-4
    modified = yaml.safe_load(experiment.training("modified_subpixel"))
    assert modified["learning_rate"] == 1e-4
    model = experiment.model_settings("transposed")
    assert (model.channels, model.depth, model.kernel_size, model.stride) == (100, 6, 8, 4)
    assert experiment.data.dataset == "musdb18"
    rows = [experiment.variants[name].printed for name in experiment.trained]
    printed = [row.sdr for row in rows]
    assert printed == [5.35, 5.17, 4.62, 5.38, 5.37, 5.38]  # Table 1
    assert [row.epoch_seconds for row in rows] == [319, 423, 430, 311, 326, 315]
    assert [row.parameters for row in rows] == ["703M", "716M", "716M", "729M", "703M", "729M"]
    quoted = [row.printed for row in experiment.settings.literature]
    assert [row.sdr for row in quoted] == [3.23, 5.34, 5.36, 5.65]
    assert [row.parameters for row in quoted] == ["10M", "648M", "8.9M", "3.7M"]


@pytest.mark.parametrize("scale", ["demo", "preview", "paper"])
def test_every_scale_resolves(scale):
    experiment = Experiment(CONFIG | {"scale": scale})
    assert len(experiment.trained) == 6
    for variant in experiment.trained:
        assert '"channels":100' in experiment.initialisation(variant)["model"]


def test_a_scale_changes_variants():
    config = changed("variants/nearest/scales", {"demo": {"training": {"learning_rate": 0.5}}})
    rates = {scale: Experiment(config | {"scale": scale}).training_settings("nearest").learning_rate
             for scale in ("demo", "paper")}  # fmt: skip
    assert rates == {"demo": 0.5, "paper": 2e-4}


MISTAKES = [
    ("variants/nearest/scales", {"dmo": {}}, ["variants.nearest.scales.dmo", "'demo'"]),
    ("variants/nearest/scales", {"demo": {"trian": 1}}, ["variants.nearest.scales.demo.trian"]),
    (
        "variants/nearest/operator",
        "neares",
        ["variants.nearest.operator", "did you mean 'nearest'"],
    ),
    ("variants/nearest/opertor", "linear", ["unknown key 'opertor'", "did you mean 'operator'"]),
    ("model/stride", -4, ["-4", "at least 2"]),
    ("training/learning_rate", "1e-4", ["'1e-4' is text", "write 0.0001"]),
    ("training/learning_rate", "2e-7", ["'2e-7' is text", "write 2.0e-07"]),
    ("variants/linear/options/definition", "half", ["'half'", "half_pixel, align_corners"]),
    ("variants/linear/options/lenght", 3, ["variants.linear.options.lenght", "kernel_size"]),
    ("variants/Upper case", {"operator": "nearest"}, ["'Upper case' is not allowed", "lower-case"]),
    ("variants/own", {"operator": "none.py:Own"}, ["variants.own.operator", "none.py cannot be"]),
    ("figures/figure1/panels", ["nearst"], ["there is no variant 'nearst'", "'nearest'"]),
    ("figures/replicas/following/0/operator", "lin", ["figures.replicas.following.0.operator"]),
    ("figures/figure6/left/operator", "lin", ["figures.figure6.left.operator", "'linear'"]),
    ("scale", "papr", ["'papr'", "demo, preview, paper"]),
    ("seeds", [], ["seeds"]),
    (
        "variants/melgan/initialisation",
        {"channels": 8},
        ["variants.melgan.initialisation.channels", "no effect", "leave it out"],
    ),
    ("variants/melgan/train", True, ["variants.melgan", "train: false"]),
    ("evaluation/aggregation", "medain", ["'medain'", "did you mean 'median'"]),
    ("evaluation/metrics", ["SIR"], ["evaluation: metrics", "list SDR, and any of ISR"]),
    ("literature/0/scores", "no/such", ["literature", "there is no folder 'no/such'"]),
    ("gallery/tracks", -1, ["gallery.tracks", "at least 0"]),
    ("gallery/signals", ["constant"], ["gallery.signals: 'constant'", "silence, ones"]),
    ("scales/demo/data/train", 0, ["scales.demo.data.train", "at least 1"]),
]


@pytest.mark.parametrize(("path", "value", "expected"), MISTAKES)
def test_a_mistake_is_one_line_with_key_value_and_fix(path, value, expected):
    with pytest.raises(UserError) as caught:
        gallery_content(Experiment(changed(path, value)))
    message = str(caught.value)
    assert "\n" not in message
    for part in expected:
        assert part in message


def test_code_of_a_custom_operator_is_part_of_its_model(tmp_path):
    file = tmp_path / "own.py"
    entry = changed("variants/own", {"operator": f"{file}:Own"})
    file.write_text("class Own:\n    gain = 1\n")
    first = Experiment(entry).model("own")
    file.write_text("# A remark.\nclass Own:\n\n    gain = 1  # unity\n")
    assert Experiment(entry).model("own") == first
    file.write_text("class Own:\n    gain = 20\n")
    assert Experiment(entry).model("own") != first
    assert Experiment(entry).stack("figure6", "left") == Experiment(CONFIG).stack("figure6", "left")


def test_another_aggregation_scores_nothing_again():
    before, after = Experiment(CONFIG), Experiment(changed("evaluation/aggregation", "mean"))
    assert before.scoring == after.scoring
    aggregations = [e.settings.evaluation.aggregation for e in (before, after)]
    assert aggregations == ["median", "mean"]
    assert tables.table1_description(before) != tables.table1_description(after)


def test_published_scores_may_be_one_folder_or_one_per_seed(tmp_path):
    """The files that tables read decide about reruns; their sizes and times about a check."""
    first, second = tmp_path / "1", tmp_path / "2"
    for folder, text in ((first, "12"), (second, "3456")):
        (folder / "test").mkdir(parents=True)
        (folder / "test" / "a.json").write_text(text)
    one = Experiment(changed("literature/0/scores", str(first)))
    two = Experiment(changed("literature/0/scores", [str(second), str(first)]))
    assert one.published_files == [str(first / "test" / "a.json")]
    assert two.published_files == [str(second / "test" / "a.json"), *one.published_files]
    entries = [(entry["where"], entry["folder"]) for entry in two.published]
    assert entries == [("literature.0.scores", str(second)), ("literature.0.scores", str(first))]
    assert [entry["files"][0][1] for entry in two.published] == [4, 2]
    before = two.published
    (first / "test" / "a.json").write_text("99")
    after = Experiment(changed("literature/0/scores", [str(second), str(first)])).published
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_published_scores_have_no_sdr_of_whole_tracks(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    config = changed("literature/0/scores", str(tmp_path))
    config["evaluation"] = config["evaluation"] | {"aggregation": "whole_track"}
    with pytest.raises(UserError, match=r"evaluation\.aggregation: published scores"):
        Experiment(config)


def test_order_of_keys_and_labels_do_not_change_a_job():
    reordered = copy.deepcopy(CONFIG)
    reordered["model"] = dict(reversed(reordered["model"].items()))
    reordered["variants"]["linear"]["table_label"] = "another label"
    before, after = Experiment(CONFIG), Experiment(reordered)
    assert before.model("linear") == after.model("linear")
    assert before.training("linear") == after.training("linear")


def test_every_operator_has_a_variant():
    variants = CONFIG["variants"].values()
    named = {variant["operator"] for variant in variants if "operator" in variant}
    last = {variant.get("model", {}).get("last", {}).get("operator") for variant in variants}
    assert named | last >= set(OPTIONS)


@pytest.mark.parametrize(
    ("last", "parts"),
    [
        ({"operator": "istft_hed"}, ["last.operator", "did you mean 'istft_head'"]),
        ({"operator": "istft_head", "options": {"nfft": 8}}, ["last.options", "'n_fft'"]),
        ({"options": {}}, ["last", "'operator' is missing"]),
        ({"operator": "none.py:Own"}, ["variants.subpixel.model.last.operator", "none.py cannot"]),
    ],
)
def test_a_mistake_in_the_last_operator_names_its_key(last, parts):
    with pytest.raises(UserError) as caught:
        Experiment(changed("variants/subpixel/model", {"last": last}))
    for part in parts:
        assert part in str(caught.value)


def test_null_as_last_is_the_same_operator_in_all_blocks():
    experiment = Experiment(changed("variants/subpixel/model", {"last": None}))
    assert experiment.model_settings("subpixel").outermost[0] == "subpixel"


def test_code_of_a_custom_last_operator_is_part_of_its_model(tmp_path):
    file = tmp_path / "own.py"
    file.write_text("class Own:\n    gain = 1\n")
    config = changed("variants/subpixel/model", {"last": {"operator": f"{file}:Own"}})
    first = Experiment(config).model("subpixel")
    file.write_text("class Own:\n    gain = 2\n")
    assert Experiment(config).model("subpixel") != first


def test_without_trained_variants_no_figure_compares_them():
    config = copy.deepcopy(CONFIG)
    for variant in config["variants"].values():
        variant["train"] = False
    planned = set(plan(Experiment(config)))
    without = {"track_differences", "figure1_trained", "artifact_history"}
    assert planned == set(plan(Experiment(CONFIG))) - without


def test_a_variant_that_is_not_enabled_is_checked_and_left_out():
    assert set(Experiment(CONFIG).variants) == set(ENABLED) < set(CONFIG["variants"])
    for name in set(CONFIG["variants"]) - set(ENABLED):
        assert name in Experiment(changed(f"variants/{name}/enabled", True)).scored
    with pytest.raises(UserError, match=r"transposed_mse\.training\.loss: unknown value 'l3'"):
        Experiment(changed("variants/transposed_mse/training/loss", "l3"))
    with pytest.raises(UserError, match="variants: none is enabled"):
        Experiment(CONFIG | {"variants": {"mse": CONFIG["variants"]["transposed_mse"]}})


def test_one_line_enables_all_variants_of_a_study():
    text = (ROOT / "config.yaml").read_text()
    for anchor, count in (("overlap", 4), ("losses", 8)):
        line = f"<<: &{anchor} {{enabled: false, "
        assert text.count(line) == 1
        config = yaml.safe_load(text.replace(line, f"<<: &{anchor} {{"))
        assert len(Experiment(config).trained) == len(Experiment(CONFIG).trained) + count


def test_a_variants_sum_of_losses_replaces_that_of_the_section():
    config = changed("training/loss", {"l1": 1, "mse": 1})
    config["variants"]["nearest"]["training"] = {"loss": {"features": 2}}
    experiment = Experiment(config)
    assert experiment.training_settings("nearest").loss == {"features": 2}
    assert experiment.training_settings("transposed").loss == {"l1": 1, "mse": 1}


def test_segments_too_short_for_a_loss_name_the_variant():
    config = changed("scales/demo/training/segment_seconds", 0.01)
    config["variants"]["nearest"]["training"] = {"loss": {"l1": 1, "features": 2}}
    message = "variants.nearest.training.segment_seconds: 0.01 s are too short at 44100 Hz"
    with pytest.raises(UserError, match=message):
        Experiment(config)


def test_operators_can_be_compared_in_one_architecture_of_a_users(tmp_path):
    path = tmp_path / "net.py"
    path.write_text("class Net:\n    pass\n")
    config = copy.deepcopy(CONFIG)
    config["model"] = {"architecture": f"{path}:Net"}
    for scale in config["scales"].values():
        scale.pop("model", None)
    config["variants"] = {"nearest": {"operator": "nearest"}, "linear": {"operator": "linear"}}
    for figure in ("figure1", "figure9"):
        config["figures"][figure] = {"panels": ["nearest"]}
    experiment = Experiment(config)
    model = json.loads(experiment.initialisation("nearest")["model"])
    assert (model["architecture"], model["operator"]) == (f"{path}:Net", "nearest")
    assert model.keys().isdisjoint({"channels", "rescale"})
    config["variants"]["nearest"]["initialisation"] = {"channels": 8}
    with pytest.raises(UserError, match=r"nearest\.initialisation\.channels: it has no effect"):
        Experiment(config)
