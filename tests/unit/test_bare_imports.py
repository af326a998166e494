"""Training and separation run where only torch, NumPy, safetensors and pytest are installed."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import training_runs as small

INSTALLED = ("torch", "numpy", "safetensors", "pytest")
MODULES = (
    "upsampling.training.loop",
    "upsampling.training.launch",
    "upsampling.training.checkpoints",
    "upsampling.models",
    "upsampling.operators",
    "upsampling.tracks.store",
    "upsampling.tracks.segments",
    "upsampling.scoring.separation",
    "upsampling.scoring.bsseval",
)
HIDE = """
import json, sys
from importlib.machinery import PathFinder

hidden = set(json.loads(sys.argv.pop(1)))

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
"""
TRAIN = """
import sys
from pathlib import Path
import numpy as np
import training_runs as small
from upsampling.scoring.bsseval import evaluate
from upsampling.scoring.separation import separate
from upsampling.training.checkpoints import load_model

folder = Path(sys.argv[1])
store = small.write_store(folder / "store")
trainer = small.train_here(store, folder, epochs=1)
tracks = trainer.run.store
track = tracks.tracks("valid")[0]
estimates = separate(
    load_model(folder / "model"), tracks.mixture(track),
    segment_seconds=1.0, overlap=0.25, samplerate=small.RATE,
)
references = tracks.references(track)
scores = evaluate(
    references.swapaxes(1, 2), estimates.swapaxes(1, 2), small.RATE, metrics=["SDR"]
)
assert np.isfinite(scores["SDR"]).all()
"""


def required(names: tuple[str, ...]) -> set[str]:
    """Names of distributions, and of all that they require, extras aside."""
    closure: set[str] = set()
    waiting = [*names]
    while waiting:
        name = re.split(r"[^\w.-]", waiting.pop(), maxsplit=1)[0].lower().replace("_", "-")
        if name not in closure:
            closure.add(name)
            try:
                waiting += [text for text in requires(name) or [] if "extra ==" not in text]
            except PackageNotFoundError:
                continue
    return closure


def run_bare(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program for which any other package is not installed."""
    allowed = required(INSTALLED)
    hidden = [
        package
        for package, distributions in packages_distributions().items()
        if not allowed & {name.lower().replace("_", "-") for name in distributions}
    ]
    assert {"pandas", "tqdm", "jsonschema", "yaml", "scipy", "soundfile"} <= {*hidden}
    folders = (small.ROOT / "scripts", small.ROOT / "tests" / "support")
    return subprocess.run(
        [sys.executable, "-c", HIDE + program, json.dumps(hidden), *arguments],
        env=small.environment(PYTHONPATH=":".join(map(str, folders))),
        capture_output=True,
        text=True,
    )


def test_modules_are_imported():
    done = run_bare("".join(f"import {module}\n" for module in MODULES))
    assert done.returncode == 0, done.stderr


def test_a_model_is_trained_separates_and_is_scored(tmp_path):
    done = run_bare(TRAIN, str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_other_packages_are_indeed_missing():
    done = run_bare("import upsampling.scoring.score_files")
    assert done.returncode == 1
    assert "No module named 'pandas'" in done.stderr
