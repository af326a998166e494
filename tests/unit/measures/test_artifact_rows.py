"""Tidy rows: columns in order, finite values, measurements under their head."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from table2_example import example_artifacts

from upsampling.errors import UserError
from upsampling.measures.artifact_rows import ROW_COLUMNS, WEIGHTS, read_rows, tidy, write_rows
from upsampling.measures.from_waveform import Measurement

COLLECT = Path(__file__).parents[3] / "scripts" / "collect.py"
HEAD = {"variant": "nearest", "seed": 3, "stage": "trained", "probe": WEIGHTS}
LEVEL = Measurement(measure="level", frequency_hz=None, value=-20.25, unit="dBFS")
DROOP = Measurement(measure="droop", frequency_hz=11025.0, value=-2.9, unit="dB")


def test_rows_are_written_with_their_columns_in_order(tmp_path: Path) -> None:
    write_rows(tidy([LEVEL, DROOP], HEAD), tmp_path / "measures.csv")
    with open(tmp_path / "measures.csv", newline="") as file:
        header, first, second = csv.reader(file)
    assert header == ROW_COLUMNS
    assert first == ["nearest", "3", "trained", "weights", "level", "", "-20.25", "dBFS"]
    assert second == ["nearest", "3", "trained", "weights", "droop", "11025.0", "-2.9", "dB"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    rows = tidy([DROOP, LEVEL | {"value": value}], HEAD)
    with pytest.raises(ValueError, match=r"not finite.*level"):
        write_rows(rows, tmp_path / "measures.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "reason"),
    [("nearest,3,trained,weights,level,,loud,dBFS", "loud"), ("", "No columns")],
)
def test_rows_that_hold_no_numbers_are_not_collected(tmp_path: Path, line: str, reason: str):
    path = tmp_path / "measures.csv"
    path.write_text(f"{','.join(ROW_COLUMNS)}\n{line}\n" if line else "")
    command = [sys.executable, COLLECT, path, "--output", tmp_path / "all.csv"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(rf"error: {path} cannot be read as a table: .*({reason}).*\n", done.stderr)
    assert not (tmp_path / "all.csv").exists()


def test_a_broken_table_is_told_in_one_line(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"other\.csv cannot be read as a table: .*variant"):
        read_rows(tmp_path / "other.csv")
    example = example_artifacts()
    example.to_csv(tmp_path / "artifacts.csv", index=False)
    assert len(read_rows(tmp_path / "artifacts.csv")) == len(example)
