"""The content of the page that a configuration asks for."""

import json

import pytest
from configurations import CONFIG, ENABLED

from upsampling.config.experiment import Experiment
from upsampling.errors import UserError
from upsampling.gallery.settings import gallery_content, gallery_seeds, gallery_signals


def experiment(gallery: dict, **changes) -> Experiment:
    return Experiment(CONFIG | changes | {"gallery": CONFIG["gallery"] | gallery})


def test_signals_are_all_probes_or_a_selection_in_their_order():
    assert gallery_signals(experiment({})) == CONFIG["probes"]["signals"]
    selection = ["music", "silence"]
    assert gallery_signals(experiment({"signals": selection})) == ["silence", "music"]
    with pytest.raises(UserError, match=r"gallery\.signals: 'constant' is not among probes"):
        gallery_signals(experiment({"signals": ["constant"]}))


def test_seeds_are_the_first_ones():
    assert gallery_seeds(experiment({"seeds": 2}, seeds=[5, 3, 1])) == [5, 3]
    assert gallery_seeds(experiment({"seeds": 9}, seeds=[5, 3])) == [5, 3]


def test_variants_have_their_titles_operators_and_widths():
    content = json.loads(gallery_content(experiment({})))
    variants = {variant["name"]: variant for variant in content["variants"]}
    assert list(variants) == ENABLED
    transposed = variants["transposed"]
    assert transposed["title"] == "Transposed CNN"
    assert transposed["label"].startswith("Demucs-like (Fig. 1, b)")
    assert (transposed["operator"], transposed["options"]) == ("transposed", {"kernel_size": 8})
    assert (transposed["trained"], transposed["scored"]) == (True, True)
    # Initialised at paper width, those beyond the paper at a smaller one.
    assert transposed["width"] == 100
    assert (variants["sinc"]["width"], variants["sinc"]["trained"]) == (8, False)
    assert variants["melgan"]["floor"] == -200
    assert content["real_data"] is False
    assert content["settings"]["megabytes"] == 24


def test_order_of_keys_changes_no_content():
    reordered = dict(reversed(CONFIG["gallery"].items()))
    assert gallery_content(experiment(reordered)) == gallery_content(experiment({}))


def test_data_of_the_papers_scale_are_real():
    content = json.loads(gallery_content(experiment({}, scale="paper")))
    assert content["real_data"] is True
