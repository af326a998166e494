"""Inputs of figures, figures drawn into a folder, and the arrays that they store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from upsampling.figures.registry import render
from upsampling.probes.signals import probe_signal


@torch.no_grad()
def write_stack(path: Path, layer: Callable[[], nn.Module], name: str) -> Path:
    """Outputs of three layers, each x2, for the probe `name`, drawn from one seed."""
    inputs = probe_signal(name, 3, 4000)
    arrays: dict[str, Any] = {"signal": inputs, "samplerates": [4000, 8000, 16000, 32000]}
    current = torch.from_numpy(inputs)[None, None]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for index in (1, 2, 3):
            current = layer()(current)
            arrays[f"layer_{index}"] = current[0, 0].numpy()
    np.savez(path, **arrays)
    return path


def write_probe(path: Path, output: np.ndarray, name: str = "white_noise") -> Path:
    """A model's `output` at 8 kHz for the probe `name`."""
    inputs = probe_signal(name, len(output) / 8000, 8000)
    np.savez(path, input=inputs, input_samplerate=8000, output=output.astype(np.float32))
    return path


def draw(folder: Path, name: str, inputs: list[Path], /, **settings: Any) -> dict[str, dict]:
    """Draw a figure into `folder` and return its panels' arrays."""
    pdf, png = folder / f"{name}.pdf", folder / f"{name}.png"
    pattern = str(folder / "arrays" / f"{name}_{{panel}}.npz")
    written = render(name, settings, inputs, pdf, png, pattern)
    assert all(path.stat().st_size > 0 for path in written)
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size < 2_000_000
    assert png.read_bytes().startswith(b"\x89PNG")
    return panels(folder, name)


def panels(folder: Path, name: str) -> dict[str, dict]:
    """The arrays of a drawn figure's panels."""
    arrays = {}
    for path in sorted((folder / "arrays").glob(f"{name}_*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            arrays[path.stem.removeprefix(f"{name}_")] = dict(stored)
    return arrays
