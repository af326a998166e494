"""The six variants of Table 1 in a small size, and steps of training on either device."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import training_runs as small

from upsampling.tracks.segments import Dataset
from upsampling.training.distributed import Group
from upsampling.training.prefetch import batches
from upsampling.training.train_step import TrainStep

MODIFIED = {"bias": False, "first_relu": False}
VARIANTS: dict[str, dict[str, Any]] = {
    "transposed": {"operator": "transposed", "options": {"kernel_size": 8}},
    "nearest": {"operator": "nearest", "options": {"kernel_size": 10}},
    "linear": {"operator": "linear", "options": {"kernel_size": 10}},
    "subpixel": {"operator": "subpixel", "options": {"kernel_size": 3}},
    "modified_transposed": {"operator": "transposed", "options": {"kernel_size": 8}, **MODIFIED},
    "modified_subpixel": {"operator": "subpixel", "options": {"kernel_size": 3}, **MODIFIED},
}
# Wide enough to learn within 20 steps.
WIDER = {"channels": 16, "depth": 4}


@contextlib.contextmanager
def reference_kernels() -> Iterator[None]:
    """On the CPU, PyTorch's own kernels instead of oneDNN's: another opinion on rounding."""
    backend: Any = torch.backends.mkldnn
    before, backend.enabled = backend.enabled, False
    try:
        yield
    finally:
        backend.enabled = before


def make_steps(
    store: Path, model: dict[str, Any], group: Group, steps: int = 20, **changes: Any
) -> tuple[np.ndarray, TrainStep]:
    """The losses [steps] of a model's first steps on `group`'s device, and its state after them.

    `model` and `changes` are those of `training_runs.make_run`.
    """
    run = small.make_run(store, store / "none", model=model, **changes)
    train_step = TrainStep(run, group)
    size = run.training.batch_size
    firsts = range(0, size * steps, size)
    settings = replace(run.training, examples_per_epoch=size * steps)
    samples = train_step.model.input_length(round(settings.segment_seconds * small.RATE))
    dataset = Dataset(run.store, "train", settings, run.seed, samples)
    shares = [range(first, first + size) for first in firsts]
    losses = [train_step.step(batch) for batch in batches(dataset, 1, shares, group.device)]
    return torch.stack(losses).cpu().numpy(), train_step
