"""The table of lines of losses: its cells and sentences by hand, its program."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loss_runs import GRADIENTS, RATE, ROWS, artifacts
from noted import assert_noted
from scipy import stats
from table_texts import NASTY, markdown_rows

from upsampling.tables.captions import Description
from upsampling.tables.loss_lines import differences, loss_lines
from upsampling.tables.loss_lines_cells import cell, interval, render, sentence

NOTED = Path(__file__).with_name("noted")
SCRIPTS = Path(__file__).parents[3] / "scripts"
DESCRIPTION = Description(epochs=4, channels=12)


@pytest.fixture
def table() -> pd.DataFrame:
    return loss_lines(artifacts(), GRADIENTS, ROWS, RATE)


def test_cells_are_means_and_spreads_over_seeds(table):
    rows = markdown_rows(render(table, ROWS, "demo", DESCRIPTION))
    assert rows[0][:2] == [" ".join(NASTY.split()), "l1"]
    assert rows[1] == ["Strided", "features", "24.0", "-41.0 ± 1.0", "59.0 ± 1.0", "201.0 ± 1.0"]
    assert rows[2][2:4] == ["0.0", "-60.0 ± 0.0"]


def test_differences_beyond_chance_are_named(table):
    """In silence and noise they are 20, 18 and 19 dB, in music none."""
    text = render(table, ROWS, "demo", DESCRIPTION)
    assert "demo scale (4 epochs, 12 channels)" in text
    start = "Strided less its control, Dense: tones in silence 19.0 ± 1.0 dB, lines in white noise "
    assert f"{start}19.0 ± 1.0 dB, lines in music 0.0 ± 0.0 dB (pairs of equal seeds, 3)" in text
    assert "They end up in the output: tones in silence, lines in white noise (95 %" in text
    assert text.count("less its control") == 1


def test_none_is_told_and_one_seed_tells_nothing(table):
    same = table.copy()
    for name in ("silence_dbfs", "noise_db"):
        values = same[same["variant"] == "dense"][name].to_numpy() + np.array([0.5, -0.5, 0.1])
        same.loc[same["variant"] == "strided", name] = values
    text = render(same, ROWS, "demo", DESCRIPTION)
    assert "No line of the loss is found in the output (95 %" in text
    one = render(table[table["seed"] == 0], ROWS, "demo", DESCRIPTION)
    assert "tones in silence 20.0 dB" in one
    assert "One seed does not tell" in one
    assert "lines in music" not in sentence(ROWS[1], "Dense", differences(
        table.assign(music_db=np.nan), ROWS[1]))  # fmt: skip


def test_rounding_errors_and_exact_zeros_are_none():
    assert cell(pd.Series([-145.0, -200.0]), "silence_dbfs") == "none"
    assert cell(pd.Series([-144.0]), "silence_dbfs") == "none"
    assert cell(pd.Series([-143.0]), "silence_dbfs") == "-143.0"
    assert cell(pd.Series([-200.0, -200.0]), "silence_dbfs") == "none"
    assert cell(pd.Series([-200.0, -100.0]), "silence_dbfs") == "-150.0 ± 70.7"
    assert cell(pd.Series([], dtype=float), "noise_db") == "–"


def test_the_interval_is_that_of_a_t_test():
    values = pd.Series([20.0, 18.0, 19.5, np.nan])
    expected = stats.ttest_1samp(values.dropna(), 0).confidence_interval(0.95)
    assert interval(values) == pytest.approx((expected.low, expected.high))
    assert interval(values[:1]) == (-np.inf, np.inf)


def test_the_program_writes_what_is_asked_for(table, tmp_path):
    artifacts().to_csv(tmp_path / "artifacts.csv", index=False)
    arrays = {f"{name}_prominence": np.array(value) for name, value in GRADIENTS.items()}
    np.savez(tmp_path / "gradients.npz", **arrays)
    command = [sys.executable, SCRIPTS / "loss_lines.py", "--artifacts", tmp_path / "artifacts.csv"]
    command += ["--gradients", tmp_path / "gradients.npz"]
    command += ["--rows", json.dumps([asdict(row) for row in ROWS])]
    command += ["--description", json.dumps({"epochs": 4, "channels": 12})]
    command += ["--csv", tmp_path / "lines.csv", "--md", tmp_path / "lines.md"]
    subprocess.run(list(map(str, command)), check=True)
    assert (tmp_path / "lines.md").read_text() == render(table, ROWS, "demo", DESCRIPTION)
    written = pd.read_csv(tmp_path / "lines.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(written, table)


def test_the_whole_table_is_the_one_that_was_noted(table):
    text = render(table, ROWS, "demo", DESCRIPTION)
    assert_noted(NOTED / "loss lines.txt", text.splitlines())
