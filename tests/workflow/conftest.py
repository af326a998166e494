"""A copy of the project with a tiny configuration, run once from nothing to all results."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import copy_checkout

STAND_IN = Path(__file__).parent / "stand_in"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

TINY: dict[str, Any] = {
    "variants": {
        "melgan": {
            "operator": "transposed",
            "model": {"architecture": "melgan", "channels": 2, "mels": 8},
            "train": False,
        },
        "nearest": {"operator": "nearest", "printed": {"sdr": 5.17, "parameters": "716M"}},
        "transposed": {
            "operator": "transposed",
            "figure_title": '<script>alert(1)</script> "it\'s"',
            "table_label": "<b>50 % & more_</b> | $x$",
        },
    },
    "figures": {
        "figure1": {"panels": ["melgan", "nearest", "transposed"]},
        "figure9": {"panels": ["nearest"]},
    },
    "initialisation": {"channels": 4, "seconds": 2},
    "probes": {"signals": ["silence", "music"]},
    "evaluation": {"engine": "exact", "excerpt_seconds": 1},
    "audits": {
        "transposed_trained": {
            "network": "results/{scale}/models/transposed/seed0",
            "repair": "silence",
            "seconds": 0.5,
        }
    },
    "data": {"train": 3, "valid": 1, "test": 1, "seconds": 5, "test_seconds": 4},
    "model": {"channels": 3, "depth": 2},
    "init_statistics": {"seeds": 3, "seconds": 0.5, "channels": 2, "depth": 2},
    "training": {"epochs": 2, "batch_size": 2, "segment_seconds": 0.5, "examples_per_epoch": 8},
}


@dataclass
class Project:
    """A working copy and the commands of its user."""

    root: Path

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run snakemake in the copy; the output holds both of its streams."""
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=self.root,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert not check or done.returncode == 0, done.stdout[-4000:]
        return done

    def planned(self, *arguments: str) -> dict[str, int]:
        """Jobs that a run would execute, by rule; without the target rule itself."""
        output = self.snakemake("-n", *arguments, "--quiet", "rules").stdout
        jobs = {}
        if "Job stats:" in output:
            lines = output.split("Job stats:")[1].split("total")[0].splitlines()
            rows = [re.fullmatch(r"(\w+)\s+(\d+)", line.strip()) for line in lines]
            jobs = {row[1]: int(row[2]) for row in rows if row}
        else:
            assert "Nothing to be done" in output, output
        jobs.pop("all", None)
        return jobs

    @property
    def config(self) -> dict[str, Any]:
        return yaml.safe_load((self.root / "config.yaml").read_text())

    @config.setter
    def config(self, values: dict[str, Any]) -> None:
        (self.root / "config.yaml").write_text(yaml.safe_dump(values, sort_keys=False))

    def results(self, path: str = "") -> Path:
        return self.root / "results" / "demo" / path


def copy_project(target: Path) -> Project:
    """Copy the checkout and make its config tiny."""
    project = Project(copy_checkout(target))
    config = project.config
    config["variants"] = TINY["variants"]
    config["audits"] = TINY["audits"]
    config["figures"] |= TINY["figures"]
    for section in ("initialisation", "probes", "evaluation"):
        config[section] |= TINY[section]
    for section in ("data", "model", "training", "init_statistics"):
        config["scales"]["demo"][section] |= TINY[section]
    project.config = config
    return project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny project after one complete run."""
    made = copy_project(tmp_path_factory.mktemp("project"))
    made.snakemake("--cores", "2", "--quiet", "rules")
    return made


@pytest.fixture
def restored(project: Project):
    """The tiny project, whose files the test may edit: code and config are put back after it,
    and results that only the edited project has are removed, with Snakemake's records of them.
    """
    kept = {
        path: (path.read_bytes(), path.stat())
        for folder in ("scripts", "rules", "envs", "schemas")
        for path in (project.root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    config = project.root / "config.yaml"
    kept[config] = (config.read_bytes(), config.stat())
    folders = (project.results(), project.root / ".snakemake" / "metadata")
    made = {path for folder in folders for path in folder.rglob("*")}
    yield project
    for path, (content, stat) in kept.items():
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    for path in {path for folder in folders for path in folder.rglob("*")} - made:
        if not path.is_dir():
            path.unlink()


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium of the machine's own."""
    found = [path for name in BROWSERS if (path := shutil.which(name))]
    if not found:
        pytest.skip("no Chromium is on PATH (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0])
        yield browser
        browser.close()
