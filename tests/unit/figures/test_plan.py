"""The figures that a configuration asks for."""

import json

import pytest
from configurations import CONFIG, ENABLED

from upsampling.config.experiment import Experiment
from upsampling.config.model import Last
from upsampling.errors import UserError
from upsampling.figures.plan import before_after, grid, plan, replica_title
from upsampling.figures.registry import FIGURES
from upsampling.model_check import operators

BEYOND_THE_PAPER = {
    "figure6_theory",
    "figure7_theory",
    "figure8_theory",
    "replicas",
    "operator_spectra",
    "loss_gradient",
}


def experiment(**changes: object) -> Experiment:
    section = {k: v for k, v in (CONFIG["figures"] | changes).items() if v is not None}
    return Experiment(CONFIG | {"figures": section})


def figures(**changes: object) -> dict:
    return plan(experiment(**changes))


def test_every_figure_can_be_drawn():
    assert set(figures()) <= set(FIGURES)
    for figure in figures().values():
        assert len(set(figure.panels)) == len(figure.panels) > 0


def test_each_is_drawn_only_if_asked_for():
    assert set(figures()) >= BEYOND_THE_PAPER
    for no in (False, None):
        without = figures(overlay=no, replicas=None, operator_spectra=None, loss_gradient=None)
        assert not BEYOND_THE_PAPER & set(without)


def test_the_papers_figures_stay_as_they_are():
    with_theory, without = figures(), figures(overlay=False)
    for name, figure in without.items():
        assert with_theory[name] == figure
    assert with_theory["figure6_theory"].panels == with_theory["figure6"].panels


def test_figure1_has_the_papers_panels_and_floors():
    figure = figures()["figure1"]
    assert figure.panels == tuple("abcd")
    assert [panel["title"] for panel in figure.settings["panels"]] == [
        *("MelGAN", "Transposed CNN", "Nearest neighbor interpolation", "Subpixel CNN"),
    ]
    assert [panel["floor"] for panel in figure.settings["panels"]] == [-200, -150, -150, -150]


def test_a_panel_names_a_width_that_is_not_the_papers():
    panels = grid(experiment(), ["transposed", "sinc"], ["one", "two"]).settings["panels"]
    titles = [panel["title"] for panel in panels]
    assert titles == ["Transposed CNN", "Sinc, 24 zeros\n(8 channels)"]


def test_another_layer_is_another_row_of_the_replicas():
    following = [*CONFIG["figures"]["replicas"]["following"], {"operator": "kaiser_sinc"}]
    figure = figures(replicas=CONFIG["figures"]["replicas"] | {"following": following})["replicas"]
    assert figure.settings["rows"] == [
        *("zero insertion", "transposed", "linear alone", "kaiser sinc"),
    ]
    assert "offsets_4" in figure.panels
    assert replica_title(Last("stretch", {"kernel_size": 8})) == "stretch"


def test_a_variant_is_a_panel_of_the_operator_spectra():
    mine = {"operator": "sinc", "options": {"zeros": 8}, "figure_title": "mine"}
    changed = Experiment(CONFIG | {"variants": CONFIG["variants"] | {"own": mine}})
    figure = plan(changed)["operator_spectra"]
    assert figure.panels == (*ENABLED, "own")
    assert figure.settings["panels"][-1] == {"name": "own", "title": "mine"}
    operators = json.loads(changed.theory("operator_spectra"))["operators"]
    assert operators["own"] == {"operator": "sinc", "options": {"zeros": 8}, "bias": True}
    assert operators["istft_head"]["operator"] == "istft_head"
    assert not operators["modified_subpixel"]["bias"]


def test_the_reference_of_differences_is_the_first_trained_variant():
    settings = figures()["track_differences"].settings
    assert settings["reference"] == "transposed"
    assert list(settings["titles"]) == [
        name for name in ENABLED if CONFIG["variants"][name].get("train", True)
    ]


def test_a_repaired_variant_is_compared_and_has_no_history():
    repaired = {"first": {"repair": {"of": "transposed"}}}
    figure = plan(Experiment(CONFIG | {"variants": repaired | CONFIG["variants"]}))
    differences = figure["track_differences"].settings
    assert differences["reference"] == "transposed"
    assert differences["titles"]["first"] == "Transposed CNN, repaired"
    history = figure["artifact_history"].settings["rows"]
    assert [row["name"] for row in history] == Experiment(CONFIG).trained


def test_before_after_has_a_row_per_probe():
    settings = before_after(experiment(), "subpixel", "3").settings
    assert settings["title"] == "Subpixel CNN, seed 3"
    assert [row["name"] for row in settings["rows"]] == CONFIG["probes"]["signals"]
    assert settings["rows"][2]["title"] == "white noise"
    # The demo's depth.
    assert settings["strides"] == [4] * 5


def test_the_trained_upsamplers_of_figure1_are_compared_before_and_after_training():
    figure = figures()["figure1_trained"]
    assert [row["name"] for row in figure.settings["rows"]] == ["transposed", "nearest", "subpixel"]
    assert figure.settings["title"] == "white noise, demo scale, seed 0"
    assert figure.settings["strides"] == [4] * 5
    assert "subpixel_mean" in figure.panels
    assert "figure1_trained" not in figures(figure1={"panels": ["melgan"]})
    quiet = CONFIG["probes"] | {"signals": ["silence"]}
    assert "figure1_trained" not in plan(Experiment(CONFIG | {"probes": quiet}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"overlay": "yes"}, r"figures\.overlay"),
        ({"replicas": {"layers": 2}}, r"figures\.replicas: the key 'following' is missing"),
        ({"loss_gradient": CONFIG["figures"]["loss_gradient"] | {"target": "musik"}}, "'music'"),
    ],
)
def test_mistakes_name_the_key(changes, message):
    with pytest.raises(UserError, match=message):
        figures(**changes)


def test_an_architecture_without_an_operator_has_no_operators_spectra(tmp_path):
    path = tmp_path / "net.py"
    path.write_text("class Net:\n    pass\n")
    net = {"model": {"architecture": f"{path}:Net"}, "train": False}
    one = Experiment(CONFIG | {"variants": CONFIG["variants"] | {"net": net}})
    planned = plan(one)
    assert "net" in planned["initialisation"].panels
    assert "net" not in planned["operator_spectra"].panels
    assert set(planned["operator_spectra"].panels) == set(one.variants) - {"net"}
    spectra = json.loads(one.theory("operator_spectra"))
    assert set(spectra["operators"]) == set(planned["operator_spectra"].panels)
    assert not [entry for entry in operators(one) if entry["where"] == "variants.net"]
    config = CONFIG | {"variants": {"net": net}}
    config["figures"] = config["figures"] | {"figure1": {"panels": ["net"]}}
    config["figures"] |= {"figure9": {"panels": ["net"]}}
    assert "operator_spectra" not in plan(Experiment(config))
