"""The benchmark programs run and fill their reports."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_training_step_is_measured_for_every_operator_and_path(tmp_path):
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
