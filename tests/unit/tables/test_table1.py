"""Table 1 at full precision: aggregates by hand, groups of equal rows, and its programs."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from table1_example import (
    COMPARISONS,
    COUNTS,
    DESCRIPTION,
    MEASURED,
    ROWS,
    SCORES,
    example_table,
    scores,
    three_rows,
)

from upsampling.errors import UserError
from upsampling.measures.artifact_rows import ROW_COLUMNS
from upsampling.scoring import published, significance
from upsampling.tables import statements, table1, table1_cells

SCRIPTS = Path(__file__).parents[3] / "scripts"
EXACT = 1e-12


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return example_table()


def test_aggregates_spread_and_real_track(table):
    row = table.iloc[0]
    by_seed = [np.mean([1.0, 2.0, 3.0, 4.005]), np.mean([1.5, 2.5, 3.5, 4.505])]
    assert row["sdr"] == pytest.approx(np.mean(by_seed), abs=EXACT)
    assert row["sdr_spread"] == pytest.approx(math.sqrt(0.125), abs=EXACT)
    by_source = [row[f"sdr_{source}"] for source in published.SOURCES]
    assert by_source == pytest.approx([1.25, 2.25, 3.25, 4.255])
    assert row["sdr_real_track"] == 3.0
    assert (row["tracks"], row["seeds"]) == (2, 2)
    assert row["epoch_seconds"] == 12.34
    assert (row["parameters"], row["parameters_paper"]) == (4212345, 737265008)
    assert table["variant"].tolist() == ["transposed", "mine", "", ""]
    assert math.isnan(table["sdr_spread"][1])


def test_real_tracks_alone_are_the_test_set():
    everything = scores(1.0, 2.0, 3.0, 4.0).assign(origin="real")
    rows = table1.read_rows([{"variant": "v", "label": "v"}])
    row = table1.table1(rows, {"v": {0: everything}}, {}, {}).iloc[0]
    assert row["sdr"] == 2.5
    assert math.isnan(row["sdr_real_track"])


def test_columns_have_their_types_whatever_is_missing():
    rows = table1.read_rows([{"label": "quoted"}])
    empty = table1.table1(rows, {}, {}, {})
    assert list(empty.columns) == table1.TABLE1_COLUMNS
    for frame in (empty, example_table()):
        assert {str(frame[name].dtype) for name in ("seeds", "tracks", "parameters")} == {"Int64"}
        assert {str(frame[name].dtype) for name in ("sdr", "printed_sdr", "epoch_seconds")} == {
            "float64"
        }


@pytest.mark.parametrize(
    ("differing", "group", "best"),
    [
        ("xy xz yz", ["c", "a", "b"], [False, True, False]),
        ("xz", ["b", "a", "ab"], [False] * 3),
        ("xz yz", ["b", "a", "a"], [False] * 3),
        ("xy xz", ["b", "a", "b"], [False, True, False]),
        ("", ["a", "a", "a"], [False] * 3),
    ],
)
def test_groups_share_a_letter_and_the_best_differs_from_all(differing, group, best):
    table = three_rows(differing=differing)
    assert table["group"].tolist() == group
    assert table["best"].tolist() == best


def test_aggregation_changes_the_numbers():
    rows = table1.read_rows(ROWS)
    means = table1.table1(rows, *MEASURED, "mean")["sdr"]
    assert means[0] == pytest.approx(2.75125 - 7 / 3, abs=EXACT)
    assert table1.table1(rows, *MEASURED, "whole_track")["sdr"].isna().all()


def test_files_are_read_by_variant_and_seed(tmp_path):
    rows = table1.read_rows([{"variant": "a", "label": "a"}, {"label": "quoted"}])
    for seed in (0, 3):
        (tmp_path / f"a_{seed}.csv").write_text(f"epoch,seconds\n1,{seed + 0.5}\n")
        (tmp_path / f"a_{seed}.json").write_text(json.dumps({"parameters": seed, "other": 1}))
    pattern = str(tmp_path / "{variant}_{seed}.csv")
    timings = table1.read_runs(rows, [0, 3], pattern, table1.read_timing)
    assert {seed: series.tolist() for seed, series in timings["a"].items()} == {0: [0.5], 3: [3.5]}
    assert table1.read_runs(rows, [0], None, table1.read_timing) == {}
    pattern = str(tmp_path / "{variant}_{seed}.json")
    assert table1.read_parameters(rows, [3, 0], [pattern, None]) == {"a": {"parameters": 3}}


def test_mistakes_are_named(tmp_path):
    with pytest.raises(UserError, match=r"table row 1\.lable: unknown key 'lable' .*'label'"):
        table1.read_rows([{"lable": "x"}])
    with pytest.raises(UserError, match="no scores are given for variant 'untrained'"):
        table1.table1([table1.ScoreRow("x", "untrained")], {}, {}, {})
    with pytest.raises(UserError, match="two rows are called 'x'"):
        table1.read_rows([{"label": "x"}, {"label": "x"}])
    rows = table1.read_rows([{"variant": "a", "label": "a"}])
    contents = [{"parameters": count} for count in ("many", 1.5, -1, True)]
    for content in (*contents, {}, [], None, "x"):
        (tmp_path / "a.json").write_text(json.dumps(content))
        with pytest.raises(UserError, match=r"a\.json has "):
            table1.read_parameters(rows, [0], [str(tmp_path / "{variant}.json")])
    (tmp_path / "timing.csv").write_text("epoch\n1\n")
    with pytest.raises(UserError, match=r"timing\.csv cannot be read as a table: .*seconds"):
        table1.read_timing(tmp_path / "timing.csv")


def write_scores(folder: Path) -> list[str]:
    """Options of both programs for the example's first seeds."""
    for variant, seeds in SCORES.items():
        seeds[0].to_csv(folder / f"{variant}0.csv", index=False, na_rep="nan")
    (folder / "rows.json").write_text(json.dumps(ROWS))
    pattern = str(folder / "{variant}{seed}.csv")
    return ["--rows", str(folder / "rows.json"), "--seeds", "0", "--scores", pattern]


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_writes_all_formats(tmp_path):
    arguments = write_scores(tmp_path)
    for variant in SCORES:
        pd.Series([12.34], name="seconds").to_csv(tmp_path / f"{variant}0_timing.csv")
        (tmp_path / f"{variant}0.json").write_text(json.dumps(COUNTS | {"seed": 0}))
    COMPARISONS.to_csv(tmp_path / "comparisons.csv", index=False, na_rep="nan")
    arguments += ["--timing", str(tmp_path / "{variant}{seed}_timing.csv")]
    arguments += ["--identity", str(tmp_path / "{variant}{seed}.json")]
    arguments += ["--comparisons", str(tmp_path / "comparisons.csv"), "--scale", "demo"]
    description = {"data_set": "synthetic <songs>", "test_tracks": 2, "epochs": 5, "channels": 8}
    arguments += ["--description", json.dumps(description)]
    first = {variant: {0: seeds[0]} for variant, seeds in SCORES.items()}
    timings = {variant: {0: pd.Series([12.34])} for variant in first}
    counts = dict.fromkeys(first, COUNTS)
    table = table1.table1(table1.read_rows(ROWS), first, timings, counts, comparisons=COMPARISONS)
    rows = [*ROWS[:1], ROWS[1] | {"family": "nearest"}, *ROWS[2:]]
    rows[0] = rows[0] | {"family": "transposed"}
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    levels = [
        (variant, 0, stage, "silence", "tone_level", 11025.0, -50.0, "dBFS")
        for variant in ("transposed", "mine")
        for stage in ("initialised", "trained")
    ]
    artifacts = pd.DataFrame(levels, columns=ROW_COLUMNS)
    artifacts.to_csv(tmp_path / "artifacts.csv", index=False)
    arguments += ["--artifacts", str(tmp_path / "artifacts.csv")]
    footnote = statements.footnote(table1.read_rows(rows), table, COMPARISONS, artifacts)
    assert "in this run: 2 of 3." in footnote
    texts = table1_cells.render(table, "demo", DESCRIPTION, footnote)
    for name in texts:
        arguments += [f"--{name.replace('_', '-')}", str(tmp_path / "tables" / f"table1.{name}")]
    done = run("table1.py", *arguments)
    assert done.returncode == 0, done.stderr
    for suffix, text in texts.items():
        assert (tmp_path / "tables" / f"table1.{suffix}").read_text() == text
    arguments[arguments.index("--rows") + 1] = "missing.json"
    failed = run("table1.py", *arguments)
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert failed.stderr.startswith("error: neither JSON nor a file of it: missing.json")


def test_the_program_of_differences_writes_pairs_and_tracks(tmp_path):
    arguments = write_scores(tmp_path)
    arguments += ["--comparisons", str(tmp_path / "c.csv"), "--tracks", str(tmp_path / "t.csv")]
    done = run("row_differences.py", *arguments)
    assert done.returncode == 0, done.stderr
    pairs = significance.read_comparisons(tmp_path / "c.csv")
    assert pairs[["first", "second", "tracks"]].to_numpy().tolist() == [["transposed", "mine", 2]]
    assert pairs["difference"][0] == pytest.approx(2.50125 + 3.75 / 4, abs=EXACT)
    tracks = pd.read_csv(tmp_path / "t.csv")
    assert len(tracks) == 2 * 2 * 4
    mine = tracks[(tracks["row"] == "mine") & (tracks["track"] == "A")]
    assert mine.set_index("source")["value"]["bass"] == 0.125
    failed = run("row_differences.py", *arguments, "--aggregation", "x")
    assert failed.stderr.startswith("error: evaluation.aggregation: unknown aggregation 'x'")
