"""Small training runs, in this process and in others."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.config.model import DemucsLikeSettings
from upsampling.config.training import TrainingSettings
from upsampling.files import write_json
from upsampling.tracks.store import MANIFEST, Track, TrackStore, manifest
from upsampling.training.identity import Run

ROOT = Path(__file__).parents[2]
RATE = 8000
MODEL = {
    "channels": 4,
    "depth": 3,
    "context_kernel_size": 3,
    "operator": "nearest",
    "options": {"kernel_size": 6},
}
TRAINING = {
    "epochs": 3,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "segment_seconds": 0.25,
    "stride_seconds": 0.25,
    "shift_seconds": 0.25,
    "examples_per_epoch": 40,
}
RESULTS = ("best.safetensors", "last.safetensors", "history.csv", "spec.json")


def write_store(root: Path) -> Path:
    """A store of five short tracks: each source is noise of its own colour."""
    root.mkdir(parents=True)
    rng = np.random.default_rng(0)
    tracks = []
    for number, split in enumerate(["train", "train", "train", "valid", "valid"]):
        samples = 3 * RATE + 100 * number
        sources = np.empty((4, samples, 2))
        for source in range(4):
            noise = rng.standard_normal((samples + 64, 2))
            shape = np.hanning(2 ** (source + 1) + 2)
            coloured = [np.convolve(channel, shape, "same")[:samples] for channel in noise.T]
            sources[source] = np.stack(coloured, axis=1)
        sources *= 3000 / sources.std()
        stems = np.concatenate([sources.sum(axis=0, keepdims=True), sources])
        np.save(root / f"t{number}.npy", stems.clip(-32768, 32767).astype(np.int16))
        size = (root / f"t{number}.npy").stat().st_size
        track = Track(
            f"track {number}", f"t{number}.npy", split, samples, size, "0", "own", 1.0, "test"
        )
        tracks.append(track)
    write_json(root / MANIFEST, manifest(RATE, tracks))
    return root


def make_run(store: Path, checkpoints: Path, model: Any = None, **changes: Any) -> Run:
    """A `Run` of the small model; `changes` are of its training settings or its own fields."""
    own = {
        key: changes.pop(key) for key in ("max_minutes", "micro_batch", "seed") if key in changes
    }
    return Run(
        model=DemucsLikeSettings(**(MODEL | (model or {}))),
        training=TrainingSettings(**(TRAINING | changes)),
        store=TrackStore.open(store),
        checkpoints=checkpoints,
        **({"seed": 0} | own),
    )


def arguments(store: Path, folder: Path, *options: str, **changes: Any) -> list[str]:
    """scripts/train.py and its arguments; results go to `folder`/model."""
    return [
        "scripts/train.py",
        *("--name", "small"),
        *("--model", json.dumps(MODEL)),
        *("--training", json.dumps(TRAINING | changes)),
        *("--seed", "0"),
        *("--store", str(store)),
        *("--checkpoints", str(folder / "checkpoints")),
        *("--output", str(folder / "model")),
        *options,
    ]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, one thread each, without what a launcher may have set."""
    launcher = ("SLURM_", "MASTER_", "RANK", "WORLD_SIZE", "LOCAL_RANK")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(launcher)}
    return kept | {"OMP_NUM_THREADS": "1"} | more


def start(command: list[str], **more: str) -> subprocess.Popen[str]:
    """Start a Python program; its messages are in its standard error."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(**more),
        stderr=subprocess.PIPE,
        text=True,
    )


def train(command: list[str], status: int = 0, **more: str) -> str:
    """Run a Python program to its end, which must have that status; return its messages."""
    process = start(command, **more)
    _, messages = process.communicate(timeout=300)
    assert process.returncode == status, messages
    return messages


def free_port() -> str:
    """A port of this host that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def results(folder: Path) -> dict[str, bytes]:
    """The bytes of everything in a trained model's folder that two equal runs share."""
    return {name: (folder / "model" / name).read_bytes() for name in RESULTS}
