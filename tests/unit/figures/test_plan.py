"""Which figures beyond the paper's a configuration asks for."""

import json
from pathlib import Path

import pytest
import yaml

from upsampling.config.experiment import Experiment
from upsampling.errors import UserError
from upsampling.figures.plan import replica_title
from upsampling.figures.registry import FIGURES

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
OWN = {
    "figure6_theory",
    "figure7_theory",
    "figure8_theory",
    "replicas",
    "responses",
    "loss_gradient",
}


def figures(**changes: object) -> dict:
    section = {k: v for k, v in (CONFIG["figures"] | changes).items() if v is not None}
    experiment = Experiment(CONFIG | {"figures": section})
    return {figure.name: figure for figure in experiment.figures("results/demo")}


def test_each_is_drawn_only_if_asked_for():
    assert set(FIGURES) >= OWN
    assert set(figures()) >= OWN
    assert not OWN & set(figures(overlay=False, replicas=None, responses=None, loss_gradient=None))
    assert not OWN & set(figures(overlay=None, replicas=None, responses=None, loss_gradient=None))


def test_the_papers_figures_stay_as_they_are():
    with_theory, without = figures(), figures(overlay=False)
    for name, figure in without.items():
        assert with_theory[name] == figure
    assert with_theory["figure6_theory"].panels == with_theory["figure6"].panels


def test_another_layer_is_another_row_of_the_replicas():
    following = [*CONFIG["figures"]["replicas"]["following"], {"operator": "kaiser_sinc"}]
    drawn = figures(replicas=CONFIG["figures"]["replicas"] | {"following": following})["replicas"]
    assert drawn.spec["rows"] == ["zero insertion", "transposed", "linear alone", "kaiser sinc"]
    assert "offsets_4" in drawn.panels
    assert replica_title({"operator": "stretch", "options": {"kernel_size": 8}}) == "stretch"


def test_a_variant_is_a_panel_of_the_responses():
    own = {"operator": "sinc", "options": {"zeros": 8}, "title": "mine"}
    experiment = Experiment(CONFIG | {"variants": CONFIG["variants"] | {"own": own}})
    drawn = {figure.name: figure for figure in experiment.figures("results/demo")}["responses"]
    assert drawn.panels == [*CONFIG["variants"], "own"]
    assert drawn.spec["panels"][-1] == {"name": "own", "title": "mine"}
    operators = json.loads(experiment.probe("responses"))["operators"]
    assert operators["own"] == {"operator": "sinc", "options": {"zeros": 8}, "bias": True}
    assert operators["istft_head"]["operator"] == "istft_head"
    assert not operators["modified_subpixel"]["bias"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"overlay": "yes"}, "figures.overlay"),
        ({"replicas": {"layers": 2}}, "figures.replicas: the key"),
        ({"loss_gradient": CONFIG["figures"]["loss_gradient"] | {"target": "musik"}}, "'music'"),
    ],
)
def test_mistakes_name_the_key(changes, message):
    with pytest.raises(UserError, match=message):
        figures(**changes)
