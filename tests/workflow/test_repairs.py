"""A repaired variant: a second row of Tables 1 and 2, without training."""

import numpy as np
import pandas as pd

# The rounding of 24-bit audio.
AUDIO_DB = -144.0


def test_a_repair_is_a_row_of_both_tables(restored):
    before, config = restored.config, restored.config
    config["variants"]["mended"] = {
        "table_label": "Mended",
        "figure_title": "mended",
        "repair": {"of": "transposed", "aim": "silence"},
    }
    restored.config = config
    planned = restored.planned()
    assert "train" not in planned
    added = ("repair", "score", "measure_artifacts", "draw_before_after", "table1", "table2")
    assert {name: planned[name] for name in added} == dict.fromkeys(added, 1)
    restored.snakemake("--cores", "2", "--quiet", "rules")
    scores = pd.read_csv(restored.results("tables/table1.csv")).set_index("variant")
    assert np.isfinite(scores.loc["mended", ["sdr", "sdr_bass", "sdr_vocals"]].astype(float)).all()
    assert scores.loc["mended", "sdr"] != scores.loc["transposed", "sdr"]
    assert scores.loc["mended", "parameters"] == scores.loc["transposed", "parameters"]
    assert np.isnan(scores.loc["mended", "epoch_seconds"])
    source = "the trained model 'transposed', repaired for silence, without training"
    assert scores.loc["mended", "source"] == source
    text = restored.results("tables/table1.md").read_text()
    assert f"Mended: {source}." in text
    artifacts = pd.read_csv(restored.results("tables/table2.csv")).set_index("variant")
    before_training, after = (artifacts[f"silence_level_{s}"] for s in ("initialised", "trained"))
    assert before_training["mended"] == before_training["transposed"]
    assert after["mended"] < AUDIO_DB < after["transposed"]
    comparisons = pd.read_csv(restored.results("tables/comparisons.csv"))
    assert "mended" in set(comparisons["first"]) | set(comparisons["second"])
    assert "Mended" in restored.results("report/gallery.html").read_text()
    assert "mended, seed 0" in restored.results("supplement/supplement.tex").read_text()
    restored.config = before
    restored.snakemake("--cores", "2", "--quiet", "rules")
    assert restored.planned() == {}
