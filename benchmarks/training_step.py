"""Cost of a training step with each upsampling operator, relative to transposed convolutions.

Each operator is timed against the transposed one in alternation (A B, B A, ...), so that other
load on the machine affects both; the result is the median ratio of neighboring steps. Each width
and number of threads has its own process, because OMP_NUM_THREADS must be set before torch is
imported.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from publishing import publish, report

BASE = ("transposed", {})
# Up to this width a comparison takes seconds, not minutes. Wider models are compared with Demucs
# only, and with the most threads.
NARROW = 32
VARIANTS = [
    ("nearest", {"implementation": "plain"}),
    ("nearest", {"implementation": "auto"}),
    ("linear", {"implementation": "plain"}),
    ("linear", {"implementation": "auto"}),
    ("subpixel", {}),
]
# The published Demucs, in the form that the package can express.
PUBLISHED = {"context_kernel_size": 3, "bottleneck": "lstm_linear", "padding": "same"}


def training_step(model: Any, mixture: Any, sources: Any) -> Callable[[], None]:
    """A function that does one training step of the pipeline, without batch loading."""
    import torch
    from torch.nn import functional

    from upsampling.models.base import center_trim

    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, fused=True)

    def step() -> None:
        estimates = model(mixture)
        loss = functional.l1_loss(estimates, center_trim(sources, estimates.shape[-1]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        loss.item()
        optimizer.step()

    return step


def compare(first: Callable[[], None], second: Callable[[], None], seconds: float) -> dict:
    """Time both in alternation for about `seconds`, 7 to 41 times; milliseconds and ratio."""

    def timed(step: Callable[[], None]) -> float:
        start = time.perf_counter()
        step()
        return 1000 * (time.perf_counter() - start)

    timed(first), timed(second)  # The first steps allocate memory.
    once = timed(first) + timed(second)
    times = []
    for turn in range(min(41, max(7, round(1000 * seconds / once)))):
        if turn % 2:
            after, before = timed(second), timed(first)
        else:
            before, after = timed(first), timed(second)
        times.append((before, after))
    low, ratio, high = statistics.quantiles([after / before for before, after in times], n=4)
    base = statistics.median(before for before, _ in times)
    milliseconds = statistics.median(after for _, after in times)
    return {"ms": milliseconds, "base_ms": base, "ratio": ratio, "low": low, "high": high}


def measure(width: int, arguments: argparse.Namespace) -> dict:
    """All measurements of one width, in this process."""
    import torch
    from step_parts import shares

    from upsampling.config.model import DemucsLikeSettings
    from upsampling.models import build

    def model(operator: str, options: dict, **changes: Any) -> Any:
        settings = DemucsLikeSettings(operator=operator, options=options, channels=width, **changes)
        return build(settings)

    base = model(*BASE)
    outputs = round(44100 * arguments.seconds)
    # One length for all: operators lose different numbers of samples at the borders.
    samples = max(model(*each).input_length(outputs) for each in [BASE, *VARIANTS])
    generator = torch.Generator().manual_seed(0)
    sources = 0.1 * torch.randn(arguments.batch, 4, 2, samples, generator=generator)
    data = (sources.sum(dim=1), sources)
    reference = training_step(base, *data)
    results: dict = {"rows": [], "shares": {"transposed": shares(reference)}, "demucs": []}
    for operator, options in VARIANTS if width <= NARROW else ():
        step = training_step(model(operator, options), *data)
        row = compare(reference, step, arguments.budget)
        results["rows"].append({"operator": operator, **options, **row})
        name = " ".join([operator, *options.values()])
        report(f"  {name}: {row['ratio']:.2f}")
        results["shares"][name] = shares(step)
        del step  # A wide model and its optimizer take gigabytes.
    del reference, base
    demucs = installed_demucs(width)
    if demucs is not None:
        ours = model(*BASE, **PUBLISHED)
        results["difference"] = difference(ours, demucs)
        reference = training_step(demucs, *data)
        for operator, options in [BASE, ("nearest", {}), ("linear", {})]:
            network = ours if operator == "transposed" else model(operator, options, **PUBLISHED)
            row = compare(reference, training_step(network, *data), arguments.budget)
            report(f"  {operator} over Demucs: {row['ratio']:.2f}")
            results["demucs"].append({"operator": operator, **row})
    return results


def installed_demucs(width: int) -> Any:
    """The model of the package `demucs` as in its first version; None if it is not installed."""
    try:
        from demucs.demucs import Demucs
    except ImportError:
        return None
    sources = ["drums", "bass", "other", "vocals"]
    return Demucs(
        sources, channels=width, depth=6, lstm_layers=2, context=1, gelu=False, norm_starts=99,
        dconv_mode=0, normalize=False, resample=False, rescale=0.1,
    )  # fmt: skip


def difference(ours: Any, demucs: Any) -> float:
    """Largest difference between the outputs of both models with equal weights."""
    import torch

    with torch.no_grad():
        for weight, source in zip(ours.parameters(), demucs.parameters(), strict=True):
            weight.copy_(source)
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(1, 2, demucs.valid_length(30_000), generator=generator)
        return (ours(noise) - demucs(noise)).abs().max().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--widths", type=int, nargs="+", default=[8, 16, 32, 64],
        help=f"channels; beyond {NARROW} against Demucs alone, with the most threads (64: 11 GB)",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1.0, help="of audio per segment")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds per comparison")
    parser.add_argument("--output", type=Path, help="Markdown file; default: standard output")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure is not None:
        print(json.dumps(measure(arguments.measure, arguments)))
        return
    measurements: dict[int, dict[int, dict]] = {}
    for threads in arguments.threads:
        for width in arguments.widths:
            if width > NARROW and threads < max(arguments.threads):
                continue
            report(f"width {width}, threads {threads}")
            command = [sys.executable, *sys.argv, "--measure", str(width)]
            environment = os.environ | {"OMP_NUM_THREADS": str(threads), "KINETO_LOG_LEVEL": "99"}
            output = subprocess.run(
                command, env=environment, check=True, stdout=subprocess.PIPE, text=True
            ).stdout
            measurements.setdefault(threads, {})[width] = json.loads(output.splitlines()[-1])
    from step_report import markdown

    text = markdown(measurements, arguments.batch, arguments.seconds)
    publish(text, arguments.output)


if __name__ == "__main__":
    main()
