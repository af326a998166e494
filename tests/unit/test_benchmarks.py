"""The benchmark programs run and fill their reports."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_training_step_is_measured_for_every_operator_and_implementation(tmp_path):
    report = tmp_path / "benchmarks.md"
    small = ["--widths", "1", "--threads", "1", "--batch", "1", "--seconds", "0.01"]
    command = [sys.executable, "benchmarks/training_step.py", *small, "--budget", "0"]
    command += ["--output", str(report)]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.PIPE)
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in report.read_text().splitlines()
        if line.startswith("| ") and not line.startswith(("| operator", "| width", "| ---"))
    ]
    timed = {(row[0], row[1]): float(row[3].split()[0]) for row in cells if len(row) == 4}
    assert timed.keys() == {
        ("transposed", ""),
        ("nearest", "plain"),
        ("nearest", "auto"),
        ("linear", "plain"),
        ("linear", "auto"),
        ("subpixel", ""),
    }
    assert all(ratio > 0 for ratio in timed.values())
    shares = [[float(share) for share in row[2:]] for row in cells if row[0] == "1"]
    assert len(shares) == 6
    assert all(abs(sum(row) - 100) <= 0.5 * len(row) for row in shares)


def test_store_is_measured_against_decoding_and_training(tmp_path):
    report = tmp_path / "store.md"
    small = ["--songs", "3", "--length", "4", "--seconds", "0.25", "--rounds", "2"]
    command = [sys.executable, "benchmarks/store.py", *small, "--examples", "20"]
    subprocess.run(
        [*command, "--output", str(report)], cwd=ROOT, check=True, stderr=subprocess.PIPE
    )
    rows = [line.split("|") for line in report.read_text().splitlines() if line.startswith("| ")]
    rates = [float(row[2]) for row in rows[1:]]
    assert len(rates) == 3
    assert all(rate > 0 for rate in rates)
    assert rates[0] > rates[1]


def test_scoring_engines_are_compared(tmp_path):
    report = tmp_path / "scoring.md"
    command = [sys.executable, "benchmarks/scoring.py", "--seconds", "2", "--repeats", "1"]
    subprocess.run(
        [*command, "--output", str(report)], cwd=ROOT, check=True, stderr=subprocess.PIPE
    )
    lines = [line for line in report.read_text().splitlines() if line.startswith("| ")]
    cells = {line.split("|")[1].strip(): line.split("|")[2:] for line in lines[1:]}
    assert cells.keys() == {"exact, SDR alone", "exact, all four", "museval, all four"}
    assert all(float(row[0]) > 0 for row in cells.values())
    assert float(cells["exact, SDR alone"][1]) > 1
