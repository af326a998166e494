"""The benchmark programs run and fill their reports."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_gpu_report_is_filled_on_a_cpu(tmp_path):
    report = tmp_path / "gpu.md"
    command = [sys.executable, "benchmarks/gpu.py", "--variants", "transposed", "nearest"]
    command += ["--precisions", "fp32", "bf16", "--width", "1", "--seconds", "0.02"]
    command += ["--batch", "2", "--limit", "3", "--steps", "1", "--matrix", "64"]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(
        [*command, "--output", str(report)],
        cwd=ROOT, env=environment, check=True, stderr=subprocess.PIPE,
    )  # fmt: skip
    text = report.read_text()
    assert "no GPU: " in text
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    steps = [row for row in cells if len(row) == 10 and row[1] in ("", "plain", "auto")]
    assert [row[:3] for row in steps] == [
        [*names, precision]
        for names in (("transposed", ""), ("nearest", "plain"), ("nearest", "auto"))
        for precision in ("fp32", "bf16")
    ]
    for row in steps:
        seconds, rate = float(row[3]), float(row[5])
        assert seconds > 0
        assert rate == pytest.approx(2 / seconds, rel=0.1, abs=0.1)
        assert row[6] == "3"
        # Steps of 32 examples on four devices.
        assert float(row[8]) == pytest.approx(19_200 / 32 * seconds, abs=0.5 + 0.3)
    layers = [row for row in cells if len(row) == 7 and row[3] in ("fp32", "bf16")]
    assert len(layers) == 2 * 6 * 2
    assert all(sum("**" in cell for cell in row) == 1 for row in layers)
    layouts = [row for row in cells if len(row) == 10 and row[1] in ("fp32", "bf16")]
    shares = [[float(cell) for cell in row[3:]] for row in layouts]
    assert len(shares) == 4
    assert all(abs(sum(row) - 100) <= 0.5 * len(row) for row in shares)
