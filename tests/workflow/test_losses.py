"""Variants that differ in their loss: trained, measured and compared."""

import numpy as np
import pandas as pd

MODEL = {"channels": 3, "depth": 3}
LOSSES = {"alone": "l1", "strided": "features", "dense": "features_dense"}


def test_losses_are_compared_in_a_table_and_a_figure(restored):
    before, config = restored.config, restored.config
    config["variants"] |= {
        name: {"operator": "transposed", "model": MODEL, "training": {"loss": loss}}
        for name, loss in LOSSES.items()
    }
    restored.config = config
    assert restored.planned()["loss_lines"] == 1
    files = ("tables/loss_lines.csv", "tables/loss_lines.md", "figures/loss_lines.pdf")
    targets = [f"results/demo/{path}" for path in files]
    restored.snakemake(*targets, "--cores", "2", "--quiet", "rules")
    table = pd.read_csv(restored.results("tables/loss_lines.csv"), keep_default_na=False)
    assert table["variant"].tolist() == list(LOSSES)
    assert table["control"].tolist() == ["", "dense", ""]
    numbers = table[["gradient_db", "silence_dbfs", "music_db"]].to_numpy(float)
    assert np.isfinite(numbers).all()
    gradients = table.set_index("loss")["gradient_db"]
    assert gradients["features"] > 5 > abs(gradients["features_dense"])
    assert "strided less its control, dense" in restored.results("tables/loss_lines.md").read_text()
    # The tables that all variants share, as other tests expect them.
    restored.config = before
    restored.snakemake("--cores", "2", "--quiet", "rules")
    assert restored.planned() == {}
