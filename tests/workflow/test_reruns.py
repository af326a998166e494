"""Changes of code, settings and files rerun the jobs that depend on them, and no others."""

import csv
import os
import re
import shutil
import time

import pytest
from checkout import ROOT
from safetensors.torch import save_file

from upsampling.config.model import model_settings
from upsampling.files import load_arrays, read_json, write_json
from upsampling.models import build
from upsampling.tables.table2 import SILENT_DB

from .conftest import Project
from .test_gallery import gallery_data

PROGRAMS = sorted(
    path.name
    for path in (ROOT / "scripts").glob("*.py")
    # These belong to no target of `rule all`; check_models.py runs before any job.
    if path.name not in ("draw_documentation.py", "download.py", "check_models.py")
)
# Programs of rules without a fingerprint of their code.
UNTRACKED = ("prepare_tracks.py", "train.py")


def test_a_second_call_has_nothing_to_do(project):
    assert project.planned() == {}


def test_a_deleted_figure_alone_is_drawn_again(project):
    project.results("figures/figure8.png").unlink()
    assert project.planned() == {"draw_figure8": 1, "supplement": 1}
    project.snakemake("--cores", "1", "--quiet", "rules")
    assert project.planned() == {}


def test_touches_comments_docstrings_and_layout_rerun_nothing(restored):
    later = time.time() + 5
    for path in (restored.root / "scripts").rglob("*.py"):
        text = path.read_text()
        if text.startswith('"""'):
            text = text.replace('"""', '"""Changed. ', 1)
        path.write_text(f"# A remark.\n{text}\n\n# Another.\n")
    for path in (restored.root / "scripts").rglob("*"):
        os.utime(path, (later, later))
    os.utime(restored.root / "config.yaml")
    (restored.root / "envs" / "upsampling.yaml").write_text("# A remark.\n")
    assert restored.planned() == {}


def test_a_fresh_clone_over_the_same_results_reruns_nothing(project, tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(project.root, clone, ignore=shutil.ignore_patterns(".snakemake", "__pycache__"))
    later = time.time() + 5
    for folder in ("scripts", "rules", "envs", "report", "profiles"):
        for path in (clone / folder).rglob("*"):
            os.utime(path, (later, later))
    assert Project(clone).planned() == {}


def test_a_store_that_another_study_prepared_is_prepared_again(project):
    """With equal content, models and scores stay as they are."""
    manifest = project.root / "data/demo/store/manifest.json"
    content = manifest.read_bytes()
    settings = read_json(manifest.with_name("settings.json"))
    write_json(manifest.with_name("settings.json"), settings | {"dataset": "another"})
    assert project.planned() == {}
    done = project.snakemake(str(manifest.relative_to(project.root)), "--cores", "2")
    assert "by other settings: they are prepared again" in done.stdout
    assert manifest.read_bytes() == content
    assert read_json(manifest.with_name("settings.json")) == settings
    assert project.planned() == {}


def rules_of(program: str) -> set[str]:
    """Rules whose shell command calls a program."""
    rules = set()
    for path in (ROOT / "rules").glob("*.smk"):
        for block in re.split(r"(?m)^(?=rule |use rule )", path.read_text()):
            name = re.match(r"rule (\w+):", block)
            calls = f'"$SCRIPTS"/{program}' in block
            if name and (calls or (program == "draw_figure.py" and "SHELL_FIGURE" in block)):
                rules.add(name[1])
    return rules


def test_every_program_belongs_to_a_rule_of_its_name():
    for program in PROGRAMS:
        assert rules_of(program), program
        assert program == "draw_figure.py" or program.removesuffix(".py") in rules_of(program)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_change_of_a_program_reruns_all_jobs_of_its_rules(restored, program):
    path = restored.root / "scripts" / program
    path.write_text(path.read_text() + "\nCHANGED = True\n")
    planned = restored.planned()
    if program in UNTRACKED:
        assert planned == {}
        return
    assert "train" not in planned
    everything = restored.planned("--forceall")
    direct = rules_of(program) - {"measure_own_weights"}
    if program == "draw_figure.py":
        direct |= {name for name in everything if name.startswith("draw_")}
    for rule in direct & set(everything):
        assert planned[rule] == everything[rule], rule


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("operators/subpixel.py", {"measure_artifacts", "init_statistics", "table2", "score"}),
        ("scoring/score_files.py", {"score", "row_differences", "table1"}),
        ("tables/latex.py", {"table1", "table2", "audits_table", "gallery", "supplement"}),
        (
            "audit/verdict.py",
            {"audit_and_repair", "draw_audit", "audits_table", "gallery", "supplement"},
        ),
        ("gallery/page.css", {"gallery"}),
    ],
)
def test_a_change_of_a_module_reruns_the_rules_that_import_it(restored, module, rules):
    path = restored.root / "scripts" / "upsampling" / module
    remark = "\nCHANGED = True\n" if module.endswith(".py") else "\nb {}\n"
    path.write_text(path.read_text() + remark)
    planned = set(restored.planned())
    assert rules <= planned
    assert "train" not in planned
    if module.startswith(("tables", "gallery", "audit")):
        assert planned == rules


def test_revision_says_that_training_is_called_for(restored):
    config = restored.config
    config["training"]["revision"] += 1
    restored.config = config
    assert restored.planned()["train"] == 2


def test_another_interval_of_artifacts_does_not_retrain(restored):
    config = restored.config
    config["training"]["artifact_epochs"] = 2
    restored.config = config
    assert restored.planned() == {}


def test_order_of_keys_changes_nothing(restored):
    config = restored.config
    for section in ("model", "training", "evaluation"):
        config[section] = dict(reversed(config[section].items()))
    restored.config = config
    assert restored.planned() == {}


def test_a_label_changes_the_table_and_the_pages_alone(restored):
    config = restored.config
    config["variants"]["nearest"]["table_label"] = "Another label"
    restored.config = config
    assert restored.planned() == {"table1": 1, "gallery": 1, "supplement": 1}


def test_another_aggregation_scores_nothing_again(restored):
    config = restored.config
    config["evaluation"]["aggregation"] = "mean"
    restored.config = config
    expected = ("row_differences", "draw_track_differences", "table1", "gallery", "supplement")
    assert restored.planned() == dict.fromkeys(expected, 1)


def test_settings_of_one_variant_train_it_alone(restored):
    config = restored.config
    config["variants"]["nearest"]["training"] = {"learning_rate": 2.0e-3}
    restored.config = config
    planned = restored.planned()
    assert (planned["train"], planned["score"], planned["measure_artifacts"]) == (1, 1, 1)
    assert "render_initialised" not in planned


# Overviews of all variants: their measures, and their operators beside theory.
MEASURED = {
    "collect": 2,
    "draw_artifact_changes": 1,
    "draw_init_statistics": 1,
    "draw_operator_spectra": 1,
    "gallery": 1,
    "supplement": 1,
    "theory": 1,
    # Whose statements on tones are about these measures.
    "table1": 1,
    "table2": 1,
}


def test_a_new_variant_makes_exactly_its_own_jobs(restored):
    config = restored.config
    config["variants"]["subpixel"] = {"operator": "subpixel"}
    restored.config = config
    assert (
        restored.planned()
        == {
            "render_initialised": 1,
            "draw_variant": 1,
            "draw_initialisation": 1,
            "train": 1,
            "score": 1,
            "measure_artifacts": 1,
            "draw_before_after": 1,
            "row_differences": 1,
            "draw_track_differences": 1,
            "artifact_history": 1,
            "draw_artifact_history": 1,
            "init_statistics": 1,
        }
        | MEASURED
    )


AUDIT = dict.fromkeys(("audit", "draw_audit", "audits_table", "gallery", "supplement"), 1)


def test_a_new_audit_makes_its_own_files_and_the_overviews_alone(restored):
    results = restored.results()
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    config = restored.config
    entry = {"network": "examples/audit/small_vocoder.py:network", "seconds": 0.5}
    config["audits"]["vocoder"] = entry
    restored.config = config
    assert restored.planned() == AUDIT
    restored.snakemake("--cores", "1", "--quiet", "rules")
    changed = {
        str(path.relative_to(results))
        for path in results.rglob("*")
        if path.is_file() and before.get(path) != path.stat().st_mtime_ns
    }
    own = [name for name in changed if "vocoder" in name]
    assert {"audits/vocoder/report.json", "audits/vocoder/page.html"} <= set(own)
    assert "figures/audits/vocoder.png" in own
    overviews = {name for name in changed if "vocoder" not in name and ".checksums" not in name}
    tables = {f"tables/audits.{suffix}" for suffix in ("csv", "md", "tex", "html")}
    # Without LaTeX, the supplement has no PDF.
    others = {"benchmarks/gallery.tsv", "supplement/supplement.pdf"}
    assert overviews - others == tables | {"report/gallery.html", "supplement/supplement.tex"}
    rows = (results / "tables/audits.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["audit", "transposed_trained", "vocoder"]
    page = (results / "report/gallery.html").read_text()
    assert '<a href="../audits/vocoder/page.html">vocoder</a>' in page
    config["audits"]["vocoder"] = entry | {"title": "Small vocoder"}
    restored.config = config
    assert restored.planned() == {rule: 1 for rule in AUDIT if rule != "audit"}
    del config["audits"]["vocoder"]
    restored.config = config
    restored.snakemake("--cores", "1", "--quiet", "rules")


def test_a_new_variant_that_is_not_trained_is_measured_too(restored):
    config = restored.config
    config["variants"]["icnr"] = {"operator": "subpixel_icnr", "train": False}
    restored.config = config
    assert (
        restored.planned()
        == {
            "render_initialised": 1,
            "draw_variant": 1,
            "draw_initialisation": 1,
            "measure_untrained": 1,
            "init_statistics": 1,
        }
        | MEASURED
    )


def test_more_initialisations_train_nothing(restored):
    config = restored.config
    config["scales"]["demo"]["init_statistics"]["seeds"] += 1
    restored.config = config
    planned = restored.planned()
    assert planned["init_statistics"] == 3
    assert not {"train", "measure_artifacts", "render_initialised"} & set(planned)


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
    config["variants"]["own"] = {"operator": "own.py:Hold", "figure_title": "Held"}
    restored.config = config
    restored.snakemake("--cores", "2", "--quiet", "rules")
    assert "Held" in restored.results("tables/table1.md").read_text()
    assert restored.results("figures/variants/own.png").exists()
    assert "figures/variants/own.pdf" in restored.results("supplement/supplement.tex").read_text()
    data = gallery_data(restored.results("report/gallery.html"))
    place = [one["title"] for one in data["variants"]].index("Held")
    assert set(data["clips"]["runs"]["own"]["0"]) == {"silence", "music"}
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


# An architecture that needs no operator.
PLAIN = """
from torch import nn

from upsampling.models.base import AudioModel


class Plain(AudioModel):
    samplerate = 44100
    settling = 64

    def __init__(self):
        super().__init__()
        self.encoder = nn.Conv1d(1, 2, 4, 4)
        self.outer = nn.ConvTranspose1d(2, 1, 8, 4, padding=2)

    def input_length(self, samples):
        return samples + -samples % 4

    def forward(self, waveform):
        return self.outer(self.encoder(waveform))

    def find_upsamplers(self):
        return [(self.outer, 4, 2)]
"""


def test_architectures_of_a_user_with_and_without_an_operator_are_in_all_results(restored):
    """Of weights trained elsewhere, random phases before and equal ones after, all is known."""
    _, net = re.findall(r"(?s)```python\n(.*?)```", (ROOT / "README.md").read_text())
    # The tiny project's half a second is too short for spectra at 16000 Hz.
    (restored.root / "net.py").write_text(net.replace("samplerate = 16000", "samplerate = 44100"))
    model: dict[str, object] = {"architecture": f"{restored.root}/net.py:Net"}
    trained = build(model_settings(model | {"operator": "subpixel"}, "model"), 4)
    for layer in (trained.inner, trained.outer):
        for parameter in layer.convolution.parameters():
            parameter.data = parameter.data[::4].repeat_interleave(4, dim=0)
    save_file(trained.state_dict(), restored.root / "net.safetensors")
    model["weights"] = str(restored.root / "net.safetensors")
    config = restored.config
    config["variants"]["net"] = {"operator": "subpixel", "model": model, "train": False}
    (restored.root / "plain.py").write_text(PLAIN)
    plain = {"model": {"architecture": f"{restored.root}/plain.py:Plain"}, "train": False}
    config["variants"]["plain"] = plain
    restored.config = config
    restored.snakemake("--cores", "2", "--quiet", "rules")
    variants = gallery_data(restored.results("report/gallery.html"))["variants"]
    tones = {variant["name"]: variant["tones"] for variant in variants}
    assert tones["net"] == tones["plain"] == [11025, 22050]
    spectra = load_arrays(restored.results("theory/operator_spectra.npz"))
    assert "net_measured" in spectra
    assert "plain_measured" not in spectra
    with open(restored.results("tables/table2.csv")) as file:
        row = {row["variant"]: row for row in csv.DictReader(file)}["net"]
    assert float(row["imbalance_initialised"]) > 0.1
    assert float(row["imbalance_trained"]) == 0
    assert float(row["silence_level_initialised"]) > -100
    assert float(row["silence_level_trained"]) <= SILENT_DB
    assert {row["music_initialised"], row["music_trained"]}.isdisjoint({"", "nan"})
    del config["variants"]["net"], config["variants"]["plain"]
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
