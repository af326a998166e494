"""The Markdown report of gpu.py."""

import argparse
import platform
from typing import Any

import torch
from step_report import processor, table

# Seconds of an epoch on four V100, as Table 1 prints them.
PRINTED = {
    "transposed": 319,
    "nearest": 423,
    "linear": 430,
    "subpixel": 311,
}
GOALS = {"nearest": 1.05, "linear": 1.15}
# MUSDB18 has 86 songs to train on; at 3.9 minutes each and one second from one segment of ten to
# the next, an epoch is about 19,200 examples. The paper's batches have 32 of them.
EXAMPLES, BATCH = 19_200, 32
TEXT = """\
# Training on a GPU

Written by `make gpu-bench`: training steps of the Demucs-like models at width {width} on {batch}
segments of {seconds:g} s, by default the share of one of four GPUs in a batch of 32.

{machine}.

## Steps

Seconds and memory of a step on {batch} examples, and the largest batch that fits (of at most
{limit}). `plain` interpolates, then convolves; `auto` computes the same at the low rate where
`costs` finds it cheaper. Epoch: {epoch_steps} steps of MUSDB18 on four such GPUs, reckoned from
the step; their exchange of gradients is not in it. Printed: Table 1, four V100.

{rows}
Relative to transposed convolutions in the same precision:

{ratios}
## Layout and shares

Channels last, relative to the usual layout; shares of a step in percent, by torch.profiler.

{layouts}
## Loader

One thread makes {per_second:.1f} examples per second. A step of `nearest` in fp32 takes
{alone:.3f} s on examples that lie on the device, {fed:.3f} s where the loader feeds it.

## Cost of moving a number

Multiply-adds in the time of copying one number, by matrices of {matrix} x {matrix}: {costs}.
`polyphase_maps.MOVE` has {code_cost} for this device. Milliseconds of each upsampler, forward and
backward, by each way to compute it; `auto` takes the one in bold.

{layers}"""


def markdown(results: dict[str, Any], arguments: argparse.Namespace) -> str:
    """The Markdown text of the results of `gpu.measure`."""
    costs = ", ".join(f"{cost:.0f} in {name}" for name, cost in results["costs"].items())
    return TEXT.format(
        **vars(arguments),
        **results["loader"],
        machine=results["machine"],
        code_cost=results["code_cost"],
        costs=costs,
        epoch_steps=EXAMPLES // BATCH,
        rows=step_rows(results["rows"], arguments.batch),
        ratios=ratio_rows(results["rows"]),
        layouts=layout_rows(results["layouts"]),
        layers=layer_rows(results["layers"]),
    )


def step_rows(rows: list[dict[str, Any]], batch: int) -> str:
    """Training steps of `batch` examples: time, memory, rate, and seconds of an epoch."""
    head = ["variant", "implementation", "precision", "s / step", "GB", "examples / s"]
    head += ["largest batch", "examples / s with it", "epoch, s", "printed, s"]
    cells = []
    for row in rows:
        seconds = row.get("seconds")
        epoch = EXAMPLES // BATCH * seconds if seconds else None
        cells.append(
            [
                row["variant"],
                row["implementation"],
                row["precision"],
                number(seconds, "{:.3f}"),
                number(row.get("gigabytes"), "{:.1f}"),
                number(batch / seconds if seconds else None, "{:.1f}"),
                str(row["largest"]),
                number(row.get("most_per_second"), "{:.1f}"),
                number(epoch, "{:.0f}"),
                number(PRINTED.get(row["variant"]), "{}"),
            ]
        )
    return table(head, cells)


def ratio_rows(rows: list[dict[str, Any]]) -> str:
    """The interpolating variants over `transposed`."""
    bases = {r["precision"]: r.get("seconds") for r in rows if r["variant"] == "transposed"}
    head = ["variant", "implementation", *bases, "goal of `auto`", "printed"]
    cells = []
    for name in GOALS:
        for implementation in ("plain", "auto"):
            ratios = [
                number(r["seconds"] / bases[r["precision"]], "{:.2f}")
                if r.get("seconds") and bases[r["precision"]]
                else ""
                for r in rows
                if (r["variant"], r["implementation"]) == (name, implementation)
            ]
            if not ratios:
                continue
            printed = PRINTED[name] / PRINTED["transposed"]
            cells.append([name, implementation, *ratios, f"{GOALS[name]}", f"{printed:.2f}"])
    return table(head, cells)


def layout_rows(rows: list[dict[str, Any]]) -> str:
    """Steps with channels last relative to those without, and shares of their time in percent."""
    parts = list(rows[0]["shares"])
    head = ["variant", "precision", "channels last", *parts]
    cells = [
        [
            row["variant"],
            row["precision"],
            f"{row['channels_last'] / row['seconds']:.2f}",
            *(f"{100 * row['shares'][part]:.0f}" for part in parts),
        ]
        for row in rows
    ]
    return table(head, cells)


def layer_rows(rows: list[dict[str, Any]]) -> str:
    ways = ["plain", "convolution", "matrices"]
    head = ["operator", "channels", "input samples", "precision", *ways]
    cells = []
    for row in rows:
        times = {way: number(row["times"].get(way), "{:.2f}") for way in ways}
        times[row["auto"]] = f"**{times[row['auto']]}**"
        shape = [row["operator"], row["channels"], str(row["time"]), row["precision"]]
        cells.append([*shape, *times.values()])
    return table(head, cells)


def number(value: float | None, template: str) -> str:
    """A number in its template; nothing where it was not measured."""
    return "" if value is None else template.format(value)


def machine(device: torch.device) -> str:
    """The device and the versions of its software, in a line."""
    if device.type == "cpu":
        return f"no GPU: {processor()}, torch {torch.__version__}"
    properties = torch.cuda.get_device_properties(device)
    return (
        f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB, "
        f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}, "
        f"torch {torch.__version__}, Python {platform.python_version()}"
    )
