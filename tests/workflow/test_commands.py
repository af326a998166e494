"""The commands of a user, and their messages for mistakes."""

import hashlib
import importlib.metadata
import os
import re
import resource
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from checkout import ROOT
from packaging.requirements import Requirement

from .conftest import STAND_IN


def test_slurm_profile_plans_the_paper_in_five_seconds(project, monkeypatch):
    monkeypatch.setenv("PATH", f"{STAND_IN}{os.pathsep}{os.environ['PATH']}")
    first = project.snakemake("-n", "--profile", "slurm").stdout
    assert "Checking the changed configuration." in first
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    jobs = project.planned("--profile", "slurm")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Processor time: other tests run beside this one.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    output = project.snakemake("-n", "--profile", "slurm").stdout
    assert "Checking the changed" not in output
    assert jobs["download"] == 1
    assert jobs["train"] == 2
    assert jobs["score"] == 2
    training = output.split("rule train:")[1].split("rule ")[0]
    assert "results/paper/" in training
    assert "gres=gpu:v100:4" in training
    assert "runtime=1440" in training
    assert not (project.root / "results" / "paper").exists()


def test_without_conda_one_line_says_what_to_do(project):
    if shutil.which("conda"):
        pytest.skip("conda is installed here")
    done = project.snakemake("-n", "--profile", "slurm", check=False)
    assert done.returncode != 0
    last = done.stdout.strip().splitlines()[-1]
    assert "conda is not on PATH" in last
    assert "--software-deployment-method env-modules" in last
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("operator: nearest", "operator: neares"),
        ("learning_rate: 0.0002", "learning_rate: 1e-4"),
        ("  stride: 4", "  stride: -4"),
        ("seeds:", "seedz:"),
    ],
)
def test_a_wrong_config_ends_in_one_line(restored, change, expected):
    file = restored.root / "config.yaml"
    text = file.read_text()
    assert change in text
    file.write_text(text.replace(change, expected, 1))
    done = restored.snakemake("-n", check=False)
    assert done.returncode != 0
    error = [line for line in done.stdout.splitlines() if line.startswith("error:")]
    assert len(error) == 1
    assert expected.split(":")[0].strip() in error[0]
    assert "Traceback" not in done.stdout


# It passes its trial, and is killed in one program, as for want of memory.
KILLED = """
import signal, sys
from torch import nn

class Killed(nn.ConvTranspose1d):
    def __init__(self, in_channels, out_channels, stride, *, bias=True):
        super().__init__(in_channels, out_channels, stride, stride, bias=bias)

    def forward(self, features):
        if sys.argv[0].endswith("render_initialised.py"):
            signal.raise_signal(signal.SIGKILL)
        return super().forward(features)
"""


def test_a_job_that_is_killed_is_named_without_an_empty_log(restored):
    (restored.root / "killed.py").write_text(KILLED)
    config = restored.config
    config["variants"]["killed"] = {"operator": "killed.py:Killed", "train": False}
    restored.config = config
    target = restored.results("initialisation/killed.npz").relative_to(restored.root)
    done = restored.snakemake(str(target), "--cores", "1", check=False)
    assert done.returncode == 1
    assert "Killed" in done.stdout
    last = done.stdout[done.stdout.index("Failed for good") :]
    assert "  render_initialised (variant killed): nothing in its log; see above" in last


def test_workflow_is_clean(project):
    assert "good condition" in project.snakemake("--lint").stdout


def locked(python: str = "{}.{}".format(*sys.version_info[:2])) -> dict[str, str]:
    """Version of each package that the lock names for a version of Python."""
    return pinned((ROOT / "envs" / "requirements.lock").read_text(), python)


def pinned(lock: str, python: str) -> dict[str, str]:
    """Version of each package in the text of a lock whose marker is true for a Python."""
    lines = [line for line in lock.splitlines() if not line.startswith("#")]
    return {
        package.name: str(package.specifier).removeprefix("==")
        for package in map(Requirement, lines)
        if package.marker is None or package.marker.evaluate({"python_version": python})
    }


def test_lock_has_exact_versions_of_everything_asked_for():
    asked = (ROOT / "envs" / "requirements.in").read_text().splitlines()
    names = [re.split("==", line)[0] for line in asked if line and not line.startswith("#")]
    versions = {name.lower(): version for name, version in locked().items()}
    for name in names:
        assert re.fullmatch(r"[0-9][0-9a-z.]*", versions[name.lower()]), name
    for line in asked:
        if "==" in line:
            name, version = line.split("==")
            assert versions[name.lower()] == version


def test_installed_versions_are_the_locked_ones():
    for name, version in locked().items():
        assert importlib.metadata.version(name).split("+")[0] == version, name


def test_conda_environment_installs_the_same_lock():
    script = (ROOT / "envs" / "upsampling.post-deploy.sh").read_text()
    checksum = hashlib.sha256((ROOT / "envs" / "requirements.lock").read_bytes()).hexdigest()
    assert f"lock_sha256={checksum}\n" in script
    assert 'pip install --no-input --disable-pip-version-check -r "$lock"' in script
    environment = yaml.safe_load((ROOT / "envs" / "upsampling.yaml").read_text())
    assert environment["channels"][-1] == "nodefaults"
    assert all("=" in package for package in environment["dependencies"])
    python = next(p for p in environment["dependencies"] if p.startswith("python="))
    assert python.startswith("python=3.11.")
    assert not list(Path(ROOT / "envs").glob("*.pin.txt"))
