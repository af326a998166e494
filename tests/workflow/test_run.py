"""The files of a complete run: the contract of results/."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile
from safetensors.numpy import load_file

from upsampling.supplement.document import compile_pdf

RUNS = ["nearest", "transposed"]


def test_figures_are_there_as_pdf_png_and_arrays(project):
    for number in range(1, 11):
        for kind, magic in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
            content = project.results(f"figures/figure{number}.{kind}").read_bytes()
            assert content.startswith(magic)
    sides = [f"{side}_{layer}" for side in ("left", "right") for layer in ("signal", 1, 2, 3)]
    panels = {1: "abc", 9: "a", 6: sides, 7: sides, 8: sides}
    for number, names in panels.items():
        for name in names:
            path = project.results(f"figures/arrays/figure{number}_{name}.npz")
            with np.load(path, allow_pickle=False) as arrays:
                assert set(arrays) == {"decibels", "frequencies", "times", "samplerate"}
                assert arrays["decibels"].shape == (
                    len(arrays["frequencies"]),
                    len(arrays["times"]),
                )
                assert np.isfinite(arrays["decibels"]).all()
    for row in "1234":
        with np.load(project.results(f"figures/arrays/figure5_{row}.npz")) as arrays:
            assert arrays["samples"].size in (8 + 9 * 6, 8 + 9 * 4)


def test_what_theory_predicts_is_drawn_beside_it(project):
    stacks = ("figure6_theory", "figure7_theory", "figure8_theory")
    for name in (*stacks, "operator_spectra", "replicas", "loss_gradient"):
        assert project.results(f"figures/{name}.pdf").read_bytes().startswith(b"%PDF")
        assert project.results(f"figures/{name}.png").read_bytes().startswith(b"\x89PNG")
    with np.load(project.results("figures/arrays/figure8_theory_left_3.npz")) as arrays:
        assert arrays["lines"].tolist() == [4000, 8000, 12000, 16000]
        assert {"measured", "predicted", "frequencies"} <= set(arrays)
    for variant in ("melgan", *RUNS):
        assert project.results(f"figures/arrays/operator_spectra_{variant}.npz").exists()


def test_each_variant_has_a_panel_of_its_own(project):
    for variant in ("melgan", *RUNS):
        assert project.results(f"figures/variants/{variant}.png").exists()
        assert project.results(f"figures/arrays/initialisation_{variant}.npz").exists()


def test_trained_models_carry_their_settings(project):
    for variant in RUNS:
        folder = project.results(f"models/{variant}/seed0")
        spec = json.loads((folder / "spec.json").read_text())
        assert spec["model"]["operator"] == variant
        weights = load_file(folder / "best.safetensors")
        assert sum(w.size for w in weights.values()) == spec["parameters"]
        assert len(pd.read_csv(folder / "history.csv")) == 2
        assert (pd.read_csv(folder / "timing.csv")["seconds"] > 0).all()


def test_artifacts_are_followed_through_training(project):
    for variant in RUNS:
        history = pd.read_csv(project.results(f"models/{variant}/seed0/artifact_history.csv"))
        assert sorted(set(history["epoch"])) == [0, 1, 2]
        assert np.isfinite(history["value"]).all()
    table = pd.read_csv(project.results("tables/artifact_history.csv"))
    assert table["variant"].tolist() == [name for name in RUNS for _ in range(3)]
    assert table["epoch"].tolist() == [0, 1, 2] * 2
    imbalance = table.groupby("variant")["largest_imbalance"]
    assert imbalance.max()["nearest"] == 0
    assert imbalance.min()["transposed"] > 0
    assert "epoch 2" in project.results("tables/artifact_history.md").read_text()
    for kind in ("pdf", "png"):
        assert project.results(f"figures/artifact_history.{kind}").exists()
    with np.load(project.results("figures/arrays/artifact_history_all.npz")) as arrays:
        assert arrays["epochs"].tolist() == [0, 1, 2]
        shown = arrays["silence_dbfs"]
    np.testing.assert_array_equal(shown.ravel(), table["silence_dbfs"])
    page = project.results("report/gallery.html").read_text()
    assert "Artifacts through training" in page


def test_table1_has_every_row_and_finite_numbers(project):
    table = pd.read_csv(project.results("tables/table1.csv"))
    assert list(table["variant"].dropna()) == RUNS
    own = table[table["variant"].isin(RUNS)]
    for column in ("sdr", "sdr_bass", "sdr_drums", "sdr_other", "sdr_vocals", "sdr_real_track"):
        assert own[column].between(-30, 30).all(), column
    assert (own["seeds"] == 1).all()
    assert (own["parameters_paper"] > own["parameters"]).all()
    assert own["printed_sdr"].tolist()[0] == 5.17
    literature = table[table["variant"].isna()]
    assert literature["printed_sdr"].tolist() == [3.23, 5.34, 5.36, 5.65]
    assert literature["sdr"].isna().all()


def test_rows_are_compared_on_the_same_tracks(project):
    pairs = pd.read_csv(project.results("tables/comparisons.csv"))
    assert pairs[["first", "second", "tracks"]].to_numpy().tolist() == [[*RUNS, 1]]
    table = pd.read_csv(project.results("tables/table1.csv")).set_index("variant")["sdr"]
    assert pairs["difference"][0] == pytest.approx(table[RUNS[0]] - table[RUNS[1]], abs=1e-12)
    tracks = pd.read_csv(project.results("tables/track_scores.csv"))
    assert len(tracks) == 2 * 4
    for kind in ("pdf", "png"):
        assert project.results(f"figures/track_differences.{kind}").exists()
    with np.load(project.results("figures/arrays/track_differences_all.npz")) as arrays:
        assert arrays["differences"].shape == (1, 1)


def test_tables_state_the_scale_and_escape_labels(project):
    texts = {
        kind: project.results(f"tables/table1.{kind}").read_text() for kind in ("md", "tex", "html")
    }
    for text in texts.values():
        assert "demo scale" in text
        assert "not comparable with the paper" in text
    assert "<b>" not in texts["html"]
    assert r"50 \% \& more\_" in texts["tex"]


def test_the_supplement_includes_every_figure_and_latex_table(project):
    text = project.results("supplement/supplement.tex").read_text()
    folder = project.results("supplement")
    included = {(folder / name).resolve() for name in re.findall(r"graphics\{(.+)\}", text)}
    assert included == {path.resolve() for path in project.results("figures").rglob("*.pdf")}
    tables = {(folder / name).resolve() for name in re.findall(r"\\input\{(.+)\}", text)}
    assert tables == {path.resolve() for path in project.results("tables").glob("*.tex")}
    # A title of the configuration.
    assert r"\textless{}script\textgreater{}alert(1)" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_supplement_compiles_to_the_same_bytes(project, tmp_path):
    made = project.results("supplement/supplement.pdf")
    compile_pdf(made.with_suffix(".tex"), tmp_path / "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == made.read_bytes()


def test_scores_are_kept_per_frame_and_readable_by_museval(project):
    for variant in RUNS:
        folder = project.results(f"scores/{variant}/seed0")
        documents = [path for path in folder.glob("*.json")]
        assert len(documents) == 2
        for path in documents:
            targets = json.loads(path.read_text())["targets"]
            assert {t["name"] for t in targets} == {"bass", "drums", "other", "vocals"}
            metrics = targets[0]["frames"][0]["metrics"]
            assert set(metrics) == {"SDR", "SIR", "SAR", "ISR"}
            assert all(np.isfinite(value) for value in metrics.values())


def test_audio_can_be_listened_to(project):
    folder = project.results("audio/nearest/seed0")
    for name in ("silence", "music"):
        for stage in ("initialised", "trained"):
            samples, rate = soundfile.read(folder / f"{name}_{stage}.wav")
            assert rate == 44100
            assert len(samples) == 3 * rate
    for name in ("initialisation/nearest_output", "stacks/figure6_left_layer_3"):
        samples, rate = soundfile.read(project.results(f"audio/{name}.wav"))
        assert abs(samples).max() == pytest.approx(0.5)
    assert rate == 32000
    separated = [path.name for path in folder.glob("*Falcon 69_*.wav")]
    assert len(separated) == 5


def test_artifacts_are_measured_before_and_after_training(project):
    artifacts = pd.read_csv(project.results("tables/artifacts.csv"))
    assert list(artifacts.columns) == [
        "variant",
        "seed",
        "stage",
        "probe",
        "measure",
        "frequency_hz",
        "value",
        "unit",
    ]
    groups = set(zip(artifacts["variant"], artifacts["stage"], artifacts["probe"], strict=True))
    probes = ("silence", "music", "weights", "white_noise")
    assert groups == {
        (variant, stage, probe)
        for variant in ("melgan", *RUNS)
        for stage in ("initialised", "trained")
        for probe in probes
        if variant in RUNS or stage == "initialised"
    }
    assert np.isfinite(artifacts["value"]).all()
    imbalance = artifacts[artifacts["measure"] == "polyphase_imbalance"]
    assert (imbalance[imbalance["variant"] == "nearest"]["value"] == 0).all()
    assert (imbalance[imbalance["variant"] == "transposed"]["value"] > 0).all()


def test_table2_has_every_variant_and_states_the_scale(project):
    table = pd.read_csv(project.results("tables/table2.csv"))
    assert table["variant"].tolist() == [*RUNS, "melgan"]
    assert table["trained"].tolist() == [True, True, False]
    assert table.set_index("variant").loc[RUNS, "music_trained"].notna().all()
    assert np.isnan(table.set_index("variant").loc["melgan", "music_trained"])
    for kind in ("md", "tex", "html"):
        text = project.results(f"tables/table2.{kind}").read_text()
        assert "demo scale" in text
        assert "not comparable with the paper" in text


def test_distributions_hold_every_seed_and_what_theory_expects(project):
    table = pd.read_csv(project.results("tables/init_statistics.csv"))
    assert np.isfinite(table["value"]).all()
    drawn = table[table["stage"] == "initialised"]
    assert set(drawn["variant"]) == {"melgan", *RUNS}
    for _, seeds in drawn.groupby(["variant", "measure"])["seed"]:
        assert sorted(seeds) == [0, 1, 2]
    expected = table[table["stage"] == "expected"].set_index(["variant", "measure"])["value"]
    assert expected["transposed", "polyphase_imbalance"] == pytest.approx(3**0.5)
    for name in ("init_statistics", "artifact_changes"):
        for kind in ("pdf", "png"):
            assert project.results(f"figures/{name}.{kind}").exists()
        with np.load(project.results(f"figures/arrays/{name}_all.npz")) as arrays:
            assert arrays["variants"].tolist() == ["melgan", *RUNS]


def test_report_is_one_page_with_all_figures(project):
    project.snakemake("--report", "report.html")
    page = (project.root / "report.html").read_text()
    assert "figure10" in page
    assert "before and after training, seed 0" in page
