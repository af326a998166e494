"""The table of artifacts through training: its cells by hand, its sentences, its program."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from artifact_histories import frame, history, write
from noted import assert_noted
from table_texts import NASTY, markdown_rows

from upsampling.tables.artifact_history import artifact_history
from upsampling.tables.artifact_history_cells import HistoryRow, removal, removed_from, render
from upsampling.tables.captions import Description

NOTED = Path(__file__).with_name("noted")
SCRIPTS = Path(__file__).parents[3] / "scripts"
ROWS = [HistoryRow("kept", NASTY), HistoryRow("silent", "Silent"), HistoryRow("gone", "Gone")]
# A tone below -144 dBFS, one step of 24-bit audio, does not stand out.
RUNS = {
    ("kept", 0): history({0: -40.0, 1: -70.0, 2: -80.0}, 12.0, (0.1, 0.3, 0.2)),
    ("kept", 1): history({0: -42.0, 1: -72.0, 2: -82.0}, 14.0, (0.1, 0.5, 0.2)),
    ("silent", 0): history({0: -200.0, 1: -200.0, 2: -200.0}),
    ("silent", 1): history({0: -200.0, 1: -200.0, 2: -200.0}),
    ("gone", 0): history({0: -60.0, 1: -150.0, 2: -150.0}, 0.0, (0.0, 0.0, 0.1)),
    ("gone", 1): history({0: -60.0, 1: -100.0, 2: -150.0}, 0.0, (0.0, 0.0, 0.1)),
}
DESCRIPTION = Description(epochs=2, channels=12)


@pytest.fixture
def table() -> pd.DataFrame:
    return artifact_history({run: frame(rows) for run, rows in RUNS.items()})


def test_cells_are_means_and_spreads_over_seeds(table):
    kept, silent, gone = markdown_rows(render(table, ROWS, "demo", DESCRIPTION))
    spread = "± 1.4"
    assert kept == [
        " ".join(NASTY.split()),
        *(f"{level} {spread}" for level in ("-41.0", "-71.0", "-81.0")),
        "no",
        *(f"13.0 {spread}",) * 2,
        *("0.40 ± 0.14",) * 2,
        "2",
    ]
    assert silent[1:5] == ["none", "none", "none", "no tone"]
    assert silent[-1] == "–"
    assert gone[4] == "epochs 1–2"
    assert gone[-1] == "3"


def test_two_measurements_have_one_difference():
    table = artifact_history({("kept", 0): frame(history({0: -40.0, 2: -70.0}))})
    text = render(table, ROWS[:1], "demo", DESCRIPTION)
    assert "training changes the tone in silence by -30.0 dB; the imbalance" in text


def test_sentences_say_when_a_tone_fell_and_which_layer_keeps_it(table):
    text = render(table, ROWS, "demo", DESCRIPTION)
    assert "demo scale (2 epochs, 12 channels)" in text
    sentence = (
        "training changes the tone in silence by -40.0 dB, by -30.0 dB until epoch 1; "
        "the imbalance afterwards is largest in layer 2."
    )
    assert sentence in text
    assert "Gone: training changes the tone in silence by -90.0 dB" in text
    assert "Silent: training" not in text


def test_one_seed_has_no_spread(table):
    text = render(table[table["seed"] == 0], ROWS, "demo", DESCRIPTION)
    assert markdown_rows(text)[0][1] == "-40.0"


def test_runs_that_were_not_measured_have_dashes():
    text = render(artifact_history({}), ROWS[1:2], "demo", Description())
    assert set(markdown_rows(text)[0]) == {"Silent", "–"}


@pytest.mark.parametrize(
    ("stands", "epoch"),
    [
        ([True, True, True], None),
        ([True, False, False], 2),
        ([True, False, True], None),
        ([False, True, False], 4),
        ([False, False, False], 0),
    ],
)
def test_a_tone_is_removed_where_it_does_not_come_back(stands, epoch):
    run = pd.DataFrame({"epoch": [1, 2, 4], "silence_stands_out": stands})
    assert removed_from(run) == epoch


def test_seeds_that_differ_are_counted():
    def run(seed: int, stands: list[bool]) -> pd.DataFrame:
        return pd.DataFrame({"seed": seed, "epoch": [0, 1], "silence_stands_out": stands})

    runs = [run(0, [True, True]), run(1, [True, False]), run(2, [False, False])]
    assert removal(pd.concat(runs)) == "in 1 of 3 seeds"
    assert removal(pd.concat([run(0, [True, True]), run(1, [False, True])])) == "no"
    assert removal(pd.concat([run(0, [False, False]), run(1, [True, False])])) == "epoch 1"


def test_the_program_writes_what_is_asked_for(table, tmp_path):
    for (variant, seed), rows in RUNS.items():
        write(tmp_path / f"{variant}{seed}.csv", rows)
    command = [sys.executable, SCRIPTS / "artifact_history.py", "--seeds", "0", "1"]
    command += ["--histories", tmp_path / "{variant}{seed}.csv"]
    command += ["--rows", json.dumps([asdict(row) for row in ROWS])]
    command += ["--description", json.dumps({"epochs": 2, "channels": 12})]
    command += ["--csv", tmp_path / "all.csv", "--md", tmp_path / "all.md"]
    subprocess.run(list(map(str, command)), check=True)
    assert (tmp_path / "all.md").read_text() == render(table, ROWS, "demo", DESCRIPTION)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "all.csv"), table)


def test_the_whole_table_is_the_one_that_was_noted(table):
    text = render(table, ROWS, "demo", DESCRIPTION)
    assert_noted(NOTED / "artifact history.txt", text.splitlines())
