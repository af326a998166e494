"""Reports and arrays of audits, as the command writes them, of known networks and recordings."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from planted_combs import RATE, comb, noise, write

from upsampling.audit.command import main

NETWORKS = """
from audited_networks import hifi_gan, seeded

def vocoder():
    return seeded(lambda: hifi_gan((4, 5)))
"""


def audit_network(folder: Path, *options: str) -> tuple[Path, Path]:
    """Report and arrays of a vocoder with strides 4 and 5 at 24 kHz, and random weights."""
    (folder / "nets.py").write_text(NETWORKS)
    names = [f"{folder}/nets.py:vocoder", "--samplerate=24000", "--seconds=0.5"]
    return _audit(folder, "network", [*names, *options])


def audit_recordings(folder: Path) -> tuple[Path, Path]:
    """Report and arrays of noise alone, and of noise with a comb of 86.13 Hz."""
    write(folder / "noise.wav", noise(7.0))
    write(folder / "tones.wav", noise(7.0, rms=0.01) + comb(7.0, RATE / 512, -60))
    return _audit(folder, "recording", [str(folder / "noise.wav"), str(folder / "tones.wav")])


def _audit(folder: Path, kind: str, arguments: Sequence[str]) -> tuple[Path, Path]:
    report, arrays = folder / f"{kind}.json", folder / f"{kind}.npz"
    assert main([kind, *arguments, "--json", str(report), "--arrays", str(arrays)]) == 0
    return report, arrays


def content(path: Path) -> dict[str, Any]:
    """A report as data."""
    return json.loads(path.read_text())
