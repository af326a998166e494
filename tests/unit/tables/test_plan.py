"""Rows and captions that a configuration asks for."""

import copy
import json

import pytest
from configurations import CONFIG, ENABLED

from upsampling.config.experiment import Experiment
from upsampling.tables import plan
from upsampling.tables.table1 import read_rows

# Table 1 of the paper: its own six rows in the order of the config, then four of the literature.
TRAINED = [
    *("transposed", "nearest", "linear", "subpixel", "modified_transposed", "modified_subpixel"),
]


def experiment(**changes) -> Experiment:
    return Experiment(CONFIG | changes)


def test_table1_has_the_papers_rows():
    rows = json.loads(plan.table1_rows(experiment()))
    assert [row.get("variant") for row in rows] == [*TRAINED, None, None, None, None]
    assert rows[0]["printed"] == {"sdr": 5.35, "epoch_seconds": 319, "parameters": "703M"}
    assert [row["printed"]["sdr"] for row in rows[6:]] == [3.23, 5.34, 5.36, 5.65]
    assert rows[7]["note"].startswith("With randomized equivariant stabilization")
    assert len(read_rows(rows)) == 10


def places(**variants) -> dict[str, tuple[str, str]]:
    """Family and original of each trained variant, with `variants` beside those of the config."""
    rows = json.loads(plan.table1_rows(experiment(variants=CONFIG["variants"] | variants)))
    return {row["variant"]: (row["family"], row["original"]) for row in rows if "variant" in row}


def test_variants_are_placed_among_the_upsamplers_that_the_paper_compares():
    assert places() == {
        "transposed": ("transposed", ""),
        "nearest": ("nearest", ""),
        "linear": ("interpolation", ""),
        "subpixel": ("subpixel", ""),
        "modified_transposed": ("transposed", "transposed"),
        "modified_subpixel": ("subpixel", "subpixel"),
    }
    no_bias = {"model": {"bias": False}}
    added = places(
        my_sinc={"operator": "sinc"},
        wavelet={"operator": "haar_wavelet"},
        wide={"operator": "transposed", "model": {"channels": 8}},
        longer={"operator": "transposed", "training": {"epochs": 5}},
        quicker={"operator": "nearest", "scales": {"demo": {"training": {"epochs": 1}}}},
        # Options that are written and those that are defaults are the same.
        defaults={"operator": "subpixel"} | no_bias,
        another={"operator": "subpixel", "options": {"kernel_size": 5}} | no_bias,
    )
    assert {name: added[name] for name in added if name not in places()} == {
        "my_sinc": ("interpolation", ""),
        "wavelet": ("", ""),
        "wide": ("", ""),
        "longer": ("", ""),
        "quicker": ("", ""),
        "defaults": ("subpixel", "subpixel"),
        "another": ("subpixel", ""),
    }


def test_compared_rows_do_not_depend_on_labels(tmp_path):
    rows = json.loads(plan.scored_rows(experiment()))
    assert rows == [{"variant": name, "label": name} for name in TRAINED]
    changed = {
        name: dict(entry, table_label=f"Other {name}") for name, entry in CONFIG["variants"].items()
    }
    assert plan.scored_rows(experiment(variants=changed)) == plan.scored_rows(experiment())
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "A - B.json").touch()
    quoted = CONFIG["literature"][0] | {"scores": str(tmp_path / "scores")}
    rows = json.loads(plan.scored_rows(experiment(literature=[quoted])))
    assert rows[-1] == {"label": quoted["table_label"], "scores": [quoted["scores"]]}


def test_table2_has_trained_variants_first():
    rows = json.loads(plan.table2_rows(experiment()))
    assert [row["variant"] for row in rows[:6]] == TRAINED
    assert [row["variant"] for row in rows if not row["trained"]] == [
        name for name in ENABLED if name not in TRAINED
    ]
    assert [row["trained"] for row in rows] == [True] * 6 + [False] * (len(rows) - 6)
    titles = {row["variant"]: row["label"] for row in rows}
    assert titles["melgan"] == "MelGAN"


def test_descriptions_are_those_of_the_scale():
    demo = json.loads(plan.table1_description(experiment()))
    assert demo == {
        "data_set": "synthetic songs and one real recording",
        "aggregation": "median",
        "epochs": 4,
        "channels": 12,
    }
    paper = json.loads(plan.table2_description(experiment(scale="paper")))
    assert paper == {"epochs": 600, "channels": 100}


def test_without_trained_variants_no_width_is_named():
    variants = {"nearest": {"operator": "nearest", "train": False}}
    figures = {**CONFIG["figures"]}
    for name in ("figure1", "figure9"):
        figures[name] = {"panels": ["nearest"]}
    summary = plan.training_summary(experiment(variants=variants, figures=figures))
    assert summary["channels"] is None


def enabled(prefixes: tuple[str, ...], **changes) -> Experiment:
    """The configuration with the variants of these names enabled."""
    config = copy.deepcopy(CONFIG)
    for name, entry in config["variants"].items():
        if name.startswith(prefixes):
            entry["enabled"] = True
    for name, entry in changes.items():
        config["variants"][name] |= entry
    return Experiment(config)


def test_a_repaired_variant_has_rows_but_no_training():
    repaired = enabled(("transposed_repaired",))
    rows = {row.get("variant"): row for row in json.loads(plan.table1_rows(repaired))}
    row = rows["transposed_repaired"]
    assert row["label"] == "Demucs-like (Fig. 1, b): transposed CNN (full-overlap), repaired"
    assert row["source"].startswith("the trained model 'transposed', repaired for silence")
    assert (row["family"], row["original"], row["printed"]) == ("", "", None)
    assert not {"trained", "source"} & set(rows["transposed"])
    # The modified model is still compared with the trained one.
    assert rows["modified_transposed"]["original"] == "transposed"
    [own] = [r for r in read_rows(list(rows.values())) if r.variant == "transposed_repaired"]
    assert not own.trained
    scored = [one["variant"] for one in json.loads(plan.scored_rows(repaired))]
    assert scored == [*TRAINED, "transposed_repaired"]
    after = {one["variant"]: one["trained"] for one in json.loads(plan.table2_rows(repaired))}
    assert after["transposed_repaired"]
    assert plan.history_rows(repaired) == plan.history_rows(experiment())


def test_a_repair_is_no_loss_to_compare():
    names = ("transposed_mse", "transposed_repaired")
    assert [row["variant"] for row in plan.loss_rows(enabled(names))] == [
        "transposed",
        "transposed_mse",
    ]


def test_losses_are_compared_where_nothing_else_differs():
    assert plan.loss_rows(experiment()) == []
    rows = plan.loss_rows(enabled(("transposed_", "nearest_")))
    expected = {"": "l1", "_mse": "mse", "_stft": "l1 + 0.0001 stft", "_features": "features",
                "_features_dense": "features_dense"}  # fmt: skip
    assert {row["variant"]: row["loss"] for row in rows} == {
        f"{group}{suffix}": loss for group in ("transposed", "nearest")
        for suffix, loss in expected.items()
    }  # fmt: skip
    for row in rows:
        assert row["group"] == row["variant"].split("_")[0]
        controlled = row["loss"] == "features"
        assert row["control"] == (f"{row['group']}_features_dense" if controlled else "")


def test_models_that_differ_otherwise_are_not_compared():
    others = {"training": {"loss": "features", "learning_rate": 0.1}}
    rows = plan.loss_rows(enabled(("transposed_features",), transposed_features=others))
    assert [row["variant"] for row in rows] == ["transposed", "transposed_features_dense"]
    again = plan.loss_rows(
        enabled(("transposed_features",), transposed={"training": {"learning_rate": 0.1}})
    )
    assert {row["group"] for row in again} == {"transposed_features"}


@pytest.mark.parametrize(
    ("terms", "control"),
    [
        ({"l1": 1, "features": 0.5}, {"l1": 1, "features_dense": 0.5}),
        ({"l1": 1}, {}),
        ({"features": 1, "features_dense": 1}, {}),
    ],
)
def test_the_control_of_a_sum_has_its_weights(terms, control):
    assert plan.dense(terms) == control


def test_audits_have_rows_with_their_titles_in_order():
    audits = {
        "b_vocoder": {"recordings": [__file__]},
        "a": {"recordings": [__file__], "title": "Songs"},
    }
    assert json.loads(plan.audit_rows(experiment(audits=audits))) == [
        {"audit": "b_vocoder", "title": "b vocoder"},
        {"audit": "a", "title": "Songs"},
    ]
