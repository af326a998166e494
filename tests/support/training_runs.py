"""Small training runs, in this process and in others."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from upsampling.config.model import DemucsLikeSettings
from upsampling.config.training import TrainingSettings
from upsampling.files import sha256, write_json
from upsampling.tracks.store import MANIFEST, Track, TrackStore, manifest
from upsampling.training import loop
from upsampling.training.distributed import Group
from upsampling.training.identity import Run

ROOT = Path(__file__).parents[2]
CPU = Group(torch.device("cpu"))
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
RUN_FIELDS = ("max_minutes", "micro_batch", "seed")
RESULTS = (
    "best.safetensors",
    "last.safetensors",
    "history.csv",
    "artifact_history.csv",
    "spec.json",
)


def write_store(root: Path) -> Path:
    """Write a store of five short tracks, whose sources are noise of four colors."""
    root.mkdir(parents=True)
    rng = np.random.default_rng(0)
    tracks = []
    for number, split in enumerate(["train", "train", "train", "valid", "valid"]):
        samples = 3 * RATE + 100 * number
        sources = np.empty((4, samples, 2))
        for source in range(4):
            noise = rng.standard_normal((samples + 64, 2))
            shape = np.hanning(2 ** (source + 1) + 2)
            colored = [np.convolve(channel, shape, "same")[:samples] for channel in noise.T]
            sources[source] = np.stack(colored, axis=1)
        sources *= 3000 / sources.std()
        stems = np.concatenate([sources.sum(axis=0, keepdims=True), sources])
        np.save(root / f"t{number}.npy", stems.clip(-32768, 32767).astype(np.int16))
        path = root / f"t{number}.npy"
        size, digest = path.stat().st_size, sha256(path)
        tracks.append(
            Track(
                f"track {number}",
                f"t{number}.npy",
                split,
                samples,
                size,
                digest,
                "own",
                1.0,
                "test",
            )
        )
    write_json(root / MANIFEST, manifest(RATE, tracks))
    return root


def make_run(store: Path, checkpoints: Path, model: Any = None, **changes: Any) -> Run:
    """A `Run` of the small model; `changes` are of its training settings, or of RUN_FIELDS."""
    fields = {key: changes.pop(key) for key in RUN_FIELDS if key in changes}
    return Run(
        model=DemucsLikeSettings(**(MODEL | (model or {}))),
        training=TrainingSettings(**(TRAINING | changes)),
        store=TrackStore.open(store),
        checkpoints=checkpoints,
        **({"seed": 0} | fields),
    )


def train_here(store: Path, folder: Path, **changes: Any) -> loop.Trainer:
    """Train in this process on the CPU, with checkpoints and model below `folder`."""
    trainer = loop.Trainer(make_run(store, folder / "checkpoints", **changes), CPU)
    trainer.train()
    trainer.export(folder / "model")
    return trainer


def arguments(store: Path, folder: Path, *options: str, **changes: Any) -> list[str]:
    """scripts/train.py and its arguments; results go to `folder`/model."""
    return [
        "scripts/train.py",
        *("--name", "small"),
        *("--model-settings", json.dumps(MODEL)),
        *("--training", json.dumps(TRAINING | changes)),
        *("--seed", "0"),
        *("--store", str(store)),
        *("--checkpoints", str(folder / "checkpoints")),
        *("--output", str(folder / "model")),
        *options,
    ]


def environment(**more: str) -> dict[str, str]:
    """This process's environment with one thread, without the variables of launchers."""
    launcher = ("SLURM_", "MASTER_", "RANK", "WORLD_SIZE", "LOCAL_RANK")
    others = {key: value for key, value in os.environ.items() if not key.startswith(launcher)}
    return others | {"OMP_NUM_THREADS": "1"} | more


def start(command: list[str], **more: str) -> subprocess.Popen[str]:
    """Start a Python program; its messages go to its standard error."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(**more),
        stderr=subprocess.PIPE,
        text=True,
    )


def train(command: list[str], status: int = 0, **more: str) -> str:
    """Run a Python program, which must exit with `status`; return its messages."""
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
    """The files of a trained model that are the same for two equal runs, as bytes."""
    return {name: (folder / "model" / name).read_bytes() for name in RESULTS}
