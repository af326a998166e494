"""A training step at the paper's width on this machine's GPU, and an epoch of MUSDB18 from it.

Times are those of the pipeline's own training step, loader and settings, with random music. Needs
torch, NumPy and safetensors alone. Without a GPU it measures the CPU, at sizes that fit it.
"""

import argparse
import dataclasses
import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from publishing import publish, report

MODIFIED = {"bias": False, "first_relu": False}
VARIANTS: dict[str, dict[str, Any]] = {
    "transposed": {"operator": "transposed"},
    "nearest": {"operator": "nearest"},
    "linear": {"operator": "linear"},
    "subpixel": {"operator": "subpixel"},
    "modified_transposed": {"operator": "transposed", **MODIFIED},
    "modified_subpixel": {"operator": "subpixel", **MODIFIED},
}
IMPLEMENTATIONS = {"nearest": ("plain", "auto"), "linear": ("plain", "auto")}
# TF32 and channels_last, and the autocast precision, of each column.
PRECISIONS = {"fp32": ("fp32", False), "TF32": ("fp32", True), "bf16": ("bf16", False)}


def write_noise(root: Path, seconds: float, tracks: int = 8) -> Any:
    """Write a store of stereo noise at 44.1 kHz, each track's mixture and four sources."""
    import numpy as np

    from upsampling.files import sha256, write_json
    from upsampling.tracks.store import MANIFEST, Track, TrackStore, manifest

    rng = np.random.default_rng(0)
    samples, entries = round(44100 * seconds), []
    for number in range(tracks + 1):
        path = root / f"{number}.npy"
        np.save(path, rng.integers(-3000, 3000, (5, samples, 2), dtype=np.int16))
        split = "train" if number < tracks else "valid"
        content = (path.name, split, samples, path.stat().st_size, sha256(path))
        entries.append(Track(f"noise {number}", *content, "own", 1.0, "benchmark"))
    write_json(root / MANIFEST, manifest(44100, entries))
    return TrackStore.open(root)


class Bench:
    """Measures training steps on `group`'s device, with examples of `store`."""

    def __init__(self, arguments: argparse.Namespace, group: Any, store: Any) -> None:
        self.arguments, self.group, self.store = arguments, group, store
        self.device = group.device

    def train_step(self, variant: str, implementation: str) -> Any:
        """The training step of a variant of Table 1."""
        from upsampling.config.model import DemucsLikeSettings
        from upsampling.config.training import TrainingSettings
        from upsampling.training.identity import Run
        from upsampling.training.train_step import TrainStep

        self.free()
        options = {"implementation": implementation} if implementation else {}
        model = DemucsLikeSettings(
            channels=self.arguments.width, options=options, **VARIANTS[variant]
        )
        training = TrainingSettings(
            segment_seconds=self.arguments.seconds, batch_size=self.arguments.batch
        )
        return TrainStep(Run(model, training, 0, self.store, self.store.root), self.group)

    def configure(self, train_step: Any, precision: str, channels_last: bool = False) -> None:
        """Let `train_step` compute in a precision and layout of memory from now on."""
        from upsampling.training.device import allow_tf32

        autocast, tf32 = PRECISIONS[precision]
        train_step.settings = dataclasses.replace(
            train_step.settings, precision=autocast, channels_last=channels_last
        )
        allow_tf32(tf32)

    def noise(self, train_step: Any, batch: int) -> Any:
        """Sources of a batch on the device, `[batch, sources, audio_channels, time]`."""
        import torch

        model, rate = train_step.model, self.store.samplerate
        samples = model.input_length(round(self.arguments.seconds * rate))
        return 0.1 * torch.randn(batch, len(model.sources), 2, samples, device=self.device)

    def free(self) -> None:
        """Give memory that is not in use back to the device."""
        gc.collect()
        if self.device.type == "cuda":
            import torch

            torch.cuda.empty_cache()

    def step_seconds(self, train_step: Any, batch: int) -> float:
        from gpu_layers import seconds_of

        sources = self.noise(train_step, batch)
        return seconds_of(lambda: train_step.step(sources), self.device, self.arguments.steps)

    def fits(self, train_step: Any, batch: int) -> bool:
        """True if a step on a batch fits the device's memory."""
        import torch

        try:
            train_step.step(self.noise(train_step, batch))
            torch.get_device_module(self.device).synchronize()
            return True
        except torch.OutOfMemoryError:
            return False
        finally:
            train_step.optimizer.zero_grad(set_to_none=True)
            self.free()

    def largest(self, train_step: Any) -> int:
        """The largest batch that fits, 0 if none does, or `--limit` if it is larger."""
        limit = self.arguments.limit
        fitting, refused = 0, 1
        while refused <= limit and self.fits(train_step, refused):
            fitting, refused = refused, 2 * refused
        if fitting == 0:
            return 0
        refused = min(refused, limit + 1)
        while refused - fitting > 1:
            middle = (fitting + refused) // 2
            if self.fits(train_step, middle):
                fitting = middle
            else:
                refused = middle
        return fitting

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each variant, implementation and precision: seconds, memory, largest batch."""
        import torch

        batch = self.arguments.batch
        for variant in self.arguments.variants:
            for implementation in IMPLEMENTATIONS.get(variant, ("",)):
                train_step = self.train_step(variant, implementation)
                for precision in self.arguments.precisions:
                    self.configure(train_step, precision)
                    row: dict[str, Any] = {
                        "variant": variant,
                        "implementation": implementation,
                        "precision": precision,
                        "largest": self.largest(train_step),
                    }
                    if row["largest"] >= batch:
                        if self.device.type == "cuda":
                            torch.cuda.reset_peak_memory_stats()
                        row["seconds"] = self.step_seconds(train_step, batch)
                        if self.device.type == "cuda":
                            row["gigabytes"] = torch.cuda.max_memory_reserved() / 1e9
                    if row["largest"]:
                        most = self.step_seconds(train_step, row["largest"])
                        row["most_per_second"] = row["largest"] / most
                    report(f"  {row}")
                    yield row
                del train_step

    def layouts(self) -> Iterator[dict[str, Any]]:
        """Seconds with channels last and without, and the shares of a step without."""
        from step_parts import spent

        batch, steps = self.arguments.batch, 3
        for variant in ("transposed", "nearest"):
            train_step = self.train_step(variant, "")
            for precision in self.arguments.precisions:
                self.configure(train_step, precision, channels_last=True)
                last = self.step_seconds(train_step, batch)
                self.configure(train_step, precision)
                usual = self.step_seconds(train_step, batch)
                sources = self.noise(train_step, batch)
                parts = spent(lambda s=sources, t=train_step: t.step(s), self.device.type, steps)
                shares = {part: time / steps / usual for part, time in parts.items()}
                if self.device.type == "cpu":
                    # The profiler slows a CPU down; it has no idle time.
                    shares = {part: time / sum(parts.values()) for part, time in parts.items()}
                shares["idle"] = max(0.0, 1 - sum(shares.values()))
                timing = {"variant": variant, "precision": precision}
                yield timing | {"seconds": usual, "channels_last": last, "shares": shares}
            del train_step

    def loader(self) -> dict[str, float]:
        """Examples per second of the loader alone, and seconds of a step that it feeds."""
        import time

        import torch

        from upsampling.tracks.segments import Dataset
        from upsampling.training.prefetch import batches

        batch, steps = self.arguments.batch, 2 + self.arguments.steps
        train_step = self.train_step("nearest", "")
        samples = self.noise(train_step, 1).shape[-1]
        settings = dataclasses.replace(train_step.settings, examples_per_epoch=batch * steps)
        dataset = Dataset(self.store, "train", settings, 0, samples)
        start = time.perf_counter()
        for number in range(batch * steps):
            dataset.example(1, number)
        rate = batch * steps / (time.perf_counter() - start)
        synchronize = torch.get_device_module(self.device).synchronize
        ranges = [range(first, first + batch) for first in range(0, batch * steps, batch)]
        for number, sources in enumerate(batches(dataset, 2, ranges, self.device)):
            train_step.step(sources)
            if number == 1:
                synchronize()
                start = time.perf_counter()
        synchronize()
        fed = (time.perf_counter() - start) / self.arguments.steps
        alone = self.step_seconds(train_step, batch)
        return {"per_second": rate, "fed": fed, "alone": alone}


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All measurements, on this machine's GPU or CPU."""
    from gpu_layers import layer_times, move_costs
    from gpu_report import machine

    from upsampling.operators.polyphase_maps import copy_cost
    from upsampling.training.device import find_device
    from upsampling.training.distributed import Group

    device = find_device()
    bench = Bench(arguments, Group(device), write_noise(folder, 6 * arguments.seconds + 2))
    report(machine(device))
    results: dict[str, Any] = {"machine": machine(device), "code_cost": copy_cost(device)}
    results["costs"] = move_costs(device, arguments.precisions, arguments.matrix, arguments.steps)
    results["rows"] = list(bench.rows())
    results["layouts"] = list(bench.layouts())
    results["loader"] = bench.loader()
    bench.free()
    results["layers"] = [
        row
        for operator in ("nearest", "linear")
        for row in layer_times(operator, arguments, device)
    ]
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=[*VARIANTS])
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=[*PRECISIONS])
    parser.add_argument("--width", type=int, default=100, help="channels of the first layer")
    parser.add_argument("--seconds", type=float, default=10.0, help="of audio per segment")
    parser.add_argument("--batch", type=int, default=8, help="share of one of four GPUs")
    parser.add_argument("--limit", type=int, default=256, help="largest batch that is tried")
    parser.add_argument("--steps", type=int, default=5, help="timed at once, three times")
    parser.add_argument("--matrix", type=int, default=8192, help="size of the products and copies")
    parser.add_argument("--output", type=Path, help="Markdown file; default: standard output")
    arguments = parser.parse_args()
    os.environ["KINETO_LOG_LEVEL"] = "99"  # The profiler's own messages.
    with tempfile.TemporaryDirectory() as folder:
        results = measure(arguments, Path(folder))
    from gpu_report import markdown

    publish(markdown(results, arguments), arguments.output)


if __name__ == "__main__":
    main()
