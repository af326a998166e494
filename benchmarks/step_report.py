"""The Markdown report of training_step.py."""

import os
import platform
import statistics
from pathlib import Path

import torch

# Ratios of the epoch times that Table 1 prints: 423, 430 and 311 s against 319 s.
PRINTED = {"nearest": "1.33", "linear": "1.35", "subpixel": "0.97"}
INTRODUCTION = """\
# Cost of a training step

Written by `make bench`: forward pass, L1 loss, backward pass and Adam of the Demucs-like model on
{batch} segments of {seconds:g} s, in multiples of the same step with transposed convolutions. Both
are timed in alternation on one input; listed are the median of the ratios and, in parentheses,
their quartiles. `plain` interpolates, then convolves, as the paper's models do; `auto`, the
default, computes the same by polyphase convolutions where that is cheaper.

torch {torch}, {processor}, {cores} cores.
"""
NOT_INSTALLED = """\
Not measured, as the package is not installed:
`pip install --no-deps --target FOLDER demucs==4.1.0 julius einops`, then
`PYTHONPATH=FOLDER make bench`.
"""
# Measurements by width.
Widths = dict[int, dict]


def markdown(results: dict[int, Widths], batch: int, seconds: float) -> str:
    """The Markdown text of all `results`, by number of threads and width."""
    text = INTRODUCTION.format(
        batch=batch,
        seconds=seconds,
        torch=torch.__version__,
        processor=processor(),
        cores=os.cpu_count(),
    )
    for threads, widths in results.items():
        narrow = {width: entry for width, entry in widths.items() if entry["rows"]}
        text += f"\n## {threads} thread{'s' if threads > 1 else ''}\n\n{operators(narrow)}"
        text += f"\nShares of a step's time in percent (torch.profiler):\n\n{shares(widths)}"
        text += (
            "\nThe first version of Demucs, against the package `demucs` configured as such:\n\n"
        )
        text += demucs(widths)
    return text


def operators(widths: Widths) -> str:
    """Each operator against the transposed one."""
    base = [statistics.median(row["base_ms"] for row in width["rows"]) for width in widths.values()]
    rows = [["transposed", "", "1", *(f"1 ({ms:.0f} ms)" for ms in base)]]
    for entries in zip(*(width["rows"] for width in widths.values()), strict=True):
        operator = entries[0]["operator"]
        implementation = entries[0].get("implementation", "")
        rows.append([operator, implementation, PRINTED[operator], *map(ratio, entries)])
    return table(["operator", "implementation", "Table 1", *map("width {}".format, widths)], rows)


def shares(widths: Widths) -> str:
    """The parts of each model's step."""
    rows, parts = [], ["all"]
    for width, entry in widths.items():
        for name, spent in entry["shares"].items():
            parts = list(spent)
            rows.append([str(width), name, *(f"{100 * part:.0f}" for part in spent.values())])
    return table(["width", "operator", *parts], rows)


def demucs(widths: Widths) -> str:
    """The published model in this pipeline against the package `demucs`."""
    if not all(width["demucs"] for width in widths.values()):
        return NOT_INSTALLED
    rows = [
        [entries[0]["operator"], *map(ratio, entries)]
        for entries in zip(*(width["demucs"] for width in widths.values()), strict=True)
    ]
    worst = max(width["difference"] for width in widths.values())
    note = (
        f"\nWith equal weights, outputs of the two transposed models differ by at most {worst:g}.\n"
    )
    return table(["operator here", *map("width {}".format, widths)], rows) + note


def ratio(entry: dict) -> str:
    return f"{entry['ratio']:.2f} ({entry['low']:.2f}-{entry['high']:.2f})"


def table(head: list[str], rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, ["---"] * len(head), *rows])


def processor() -> str:
    """The processor's name, or the machine type where /proc has none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
