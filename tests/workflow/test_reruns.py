"""What a change makes anew, and what it leaves alone."""

import os
import time

from .test_gallery import gallery_data


def test_a_second_call_has_nothing_to_do(project):
    assert project.planned() == {}


def test_a_deleted_figure_alone_is_drawn_again(project):
    project.results("figures/figure8.png").unlink()
    assert project.planned() == {"draw_figure8": 1}
    project.snakemake("--cores", "1", "--quiet", "rules")
    assert project.planned() == {}


def test_a_touch_reruns_nothing(restored):
    for name in ("scripts/train.py", "scripts/probe.py", "scripts/upsampling/training/loop.py"):
        os.utime(restored.root / name, (time.time() + 5, time.time() + 5))
    os.utime(restored.root / "config.yaml")
    assert restored.planned() == {}


def test_a_change_of_the_training_code_trains_nothing(restored):
    for name in ("scripts/train.py", "scripts/upsampling/training/loop.py", "envs/upsampling.yaml"):
        path = restored.root / name
        path.write_text(path.read_text() + "\n# a remark\n")
        os.utime(path, (time.time() + 5, time.time() + 5))
    assert "train" not in restored.planned()


def test_revision_says_that_training_is_called_for(restored):
    config = restored.config
    config["training"]["revision"] += 1
    restored.config = config
    assert restored.planned()["train"] == 2


def test_order_of_keys_changes_nothing(restored):
    config = restored.config
    for section in ("model", "training", "evaluation"):
        config[section] = dict(reversed(config[section].items()))
    restored.config = config
    assert restored.planned() == {}


def test_a_label_changes_the_table_and_the_gallery_alone(restored):
    config = restored.config
    config["variants"]["nearest"]["label"] = "Another label"
    restored.config = config
    assert restored.planned() == {"table1": 1, "gallery": 1}


def test_another_aggregation_scores_nothing_again(restored):
    config = restored.config
    config["evaluation"]["aggregation"] = "mean"
    restored.config = config
    expected = {"compare": 1, "draw_track_differences": 1, "table1": 1, "gallery": 1}
    assert restored.planned() == expected


def test_settings_of_one_variant_train_it_alone(restored):
    config = restored.config
    config["variants"]["nearest"]["training"] = {"learning_rate": 1.0e-3}
    restored.config = config
    planned = restored.planned()
    assert (planned["train"], planned["score"], planned["survey"]) == (1, 1, 1)
    assert "probe_initialised" not in planned


# Overviews of what is measured of all variants, and of what theory says of their operators.
MEASURED = {
    "collect_artifacts": 1,
    "collect_distribution": 1,
    "draw_artifact_changes": 1,
    "draw_distribution": 1,
    "draw_responses": 1,
    "gallery": 1,
    "probe_theory": 1,
    "table2": 1,
}


def test_a_new_variant_makes_exactly_its_own_jobs(restored):
    config = restored.config
    config["variants"]["subpixel"] = {"operator": "subpixel"}
    restored.config = config
    assert (
        restored.planned()
        == {
            "probe_initialised": 1,
            "draw_variant": 1,
            "draw_initialisation": 1,
            "train": 1,
            "score": 1,
            "survey": 1,
            "draw_before_after": 1,
            "compare": 1,
            "draw_track_differences": 1,
            "table1": 1,
            "measure_distribution": 1,
        }
        | MEASURED
    )


def test_a_new_variant_that_is_not_trained_is_measured_too(restored):
    config = restored.config
    config["variants"]["icnr"] = {"operator": "subpixel_icnr", "train": False}
    restored.config = config
    assert (
        restored.planned()
        == {
            "probe_initialised": 1,
            "draw_variant": 1,
            "draw_initialisation": 1,
            "survey_initialised": 1,
        }
        | MEASURED
    )


def test_more_initialisations_train_and_survey_nothing_anew(restored):
    config = restored.config
    config["scales"]["demo"]["distribution"]["seeds"] += 1
    restored.config = config
    planned = restored.planned()
    assert planned["measure_distribution"] == 2
    assert not {"train", "survey", "probe_initialised"} & set(planned)


OWN = """
from torch import nn


class Hold(nn.Module):
    def __init__(self, in_channels, out_channels, stride, *, bias=True):
        super().__init__()
        self.stride = stride
        self.mix = nn.Conv1d(in_channels, out_channels, 1, bias=bias)

    def forward(self, signal):
        return self.mix(signal).repeat_interleave(self.stride, dim=-1)
"""


def test_an_operator_of_ones_own_goes_all_the_way(restored):
    (restored.root / "own.py").write_text(OWN)
    config = restored.config
    config["variants"]["own"] = {"operator": "own.py:Hold", "title": "Held"}
    restored.config = config
    restored.snakemake("--cores", "2", "--quiet", "rules")
    assert "Held" in restored.results("tables/table1.md").read_text()
    assert restored.results("figures/variants/own.png").exists()
    data = gallery_data(restored.results("report/gallery.html"))
    place = [one["title"] for one in data["variants"]].index("Held")
    assert set(data["takes"]["runs"]["own"]["0"]) == {"silence", "music"}
    assert "Falcon 69" in str(data["excerpts"]["runs"]["own"]["0"])
    rows = [row for row in data["artifacts"]["rows"] if row[0] == place]
    assert {data["artifacts"]["probes"][row[2]]["name"] for row in rows} >= {"silence", "music"}
    assert all(None not in row[5:] for row in rows if row[2] < 2)
    (restored.root / "own.py").write_text("# a remark\n" + OWN)
    assert restored.planned() == {}
    (restored.root / "own.py").write_text(OWN.replace("signal).rep", "signal).neg().rep"))
    assert restored.planned()["train"] == 1
    del config["variants"]["own"]
    restored.config = config
    restored.snakemake("--cores", "2", "--quiet", "rules")


def test_training_is_not_repeated_when_its_results_are_lost(project):
    best = project.results("models/nearest/seed0/best.safetensors")
    before = best.read_bytes()
    best.unlink()
    target = str(best.relative_to(project.root))
    done = project.snakemake(target, "--cores", "1", "--quiet", "rules")
    assert "resumed after epoch 2" in done.stdout
    assert best.read_bytes() == before
    project.snakemake("--cores", "2", "--quiet", "rules")
