"""Results of one trained variant and one other, as the gallery reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from upsampling.files import save_arrays, write_wav
from upsampling.gallery.clips import Files

RATE = 44100
NASTY = "<script>alert(1)</script> \"quoted\" 'too' </title> {{ 7*7 }} & co"


def tone(frequency: float, level: float, seconds: float = 2.0, constant: float = 0.0) -> np.ndarray:
    """A sine of RMS `level` in dBFS on a constant."""
    time = np.arange(round(seconds * RATE)) / RATE
    return constant + 10 ** (level / 20) * np.sqrt(2) * np.sin(2 * np.pi * frequency * time + 0.3)


def files_of(folder: Path) -> Files:
    """The files below a results folder."""
    return Files(
        initialised=str(folder / "initialisation" / "{variant}.npz"),
        probes=str(folder / "probes" / "{variant}" / "seed{seed}" / "{signal}_{stage}.npz"),
        excerpts=str(folder / "audio" / "{variant}" / "seed{seed}" / "{track}_{source}.wav"),
        artifacts=folder / "tables" / "artifacts.csv",
        table1=folder / "tables" / "table1.csv",
    )


def write_results(folder: Path) -> Files:
    """Outputs, excerpts and tables of the variants `first`, trained, and `second`."""
    noise = np.random.default_rng(0).uniform(-1, 1, RATE)
    arrays = {"input": noise, "output": noise / 8, "input_samplerate": RATE}
    for name in ("first", "second"):
        save_arrays(folder / "initialisation" / f"{name}.npz", arrays)
    silent = {"input": 0 * noise, "input_samplerate": RATE}
    outputs = {"initialised": tone(11025, -30, 1.0), "trained": 0 * noise}
    for stage, output in outputs.items():
        path = folder / "probes" / "first" / "seed0" / f"silence_{stage}.npz"
        save_arrays(path, silent | {"output": output})
    path = folder / "probes" / "second" / "seed0" / "silence_initialised.npz"
    save_arrays(path, silent | {"output": outputs["initialised"]})
    for track in ("B_side", "A_side"):
        for source in ("mixture", "drums", "vocals"):
            path = folder / "audio" / "first" / "seed0" / f"{track}_{source}.wav"
            write_wav(path, np.stack([noise, noise], 1) / 4, RATE)
    (folder / "tables").mkdir()
    rows = [
        ("first", 0, "initialised", "silence", "level", None, -30.0, "dBFS"),
        ("first", 0, "trained", "silence", "level", None, -200.0, "dBFS"),
        ("first", 0, "initialised", "silence", "some_new_one", 11025.0, 1.23456789, "dB"),
        ("first", 0, "initialised", "silence", "comb_prominence_mean", 689.0625, 4.0, "dB"),
        ("first", 0, "initialised", "silence", "comb_prominence_mean", 11025.0, 6.0, "dB"),
        ("second", 3, "initialised", None, "imbalance", None, 0.5, None),
        ("gone", 0, "trained", "silence", "level", None, -1.0, "dBFS"),
    ]
    columns = ["variant", "seed", "stage", "probe", "measure", "frequency_hz", "value", "unit"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "tables" / "artifacts.csv", index=False)
    table = pd.DataFrame(
        [("first", 3.25, None, 1234), (None, 5.3, None, None)],
        columns=["variant", "sdr", "sdr_spread", "parameters"],
    )
    table.to_csv(folder / "tables" / "table1.csv", index=False)
    return files_of(folder)


def variant(name: str, trained: bool, title: str = "") -> dict[str, Any]:
    """A variant of the page's content."""
    return {
        "name": name,
        "title": title or name,
        "label": title or name,
        "operator": "transposed",
        "options": {"kernel_size": 8},
        "trained": trained,
        "scored": trained,
        "width": 4,
        "floor": -150.0,
    }


def content(**changes: Any) -> dict[str, Any]:
    """The page's content, as `gallery_content` describes it; `changes` are gallery settings."""
    settings = {"probe_seconds": 1, "tracks": 1, "excerpt_seconds": 0.5, "megabytes": 24}
    return {
        "scale": "demo",
        "data_set": "synthetic <songs>",
        "real_data": False,
        "epochs": 1,
        "channels": 12,
        "settings": settings | changes,
        "seeds": [0],
        "signals": ["silence"],
        "initialisation_signal": "white_noise",
        "variants": [variant("first", True, NASTY), variant("second", False)],
        "audits": [],
    }
