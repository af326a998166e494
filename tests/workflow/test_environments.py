"""One lock for every environment: what can be checked of them without a channel or a registry."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import ROOT
from .test_commands import locked

ENVS = ROOT / "envs"


def post_deploy(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script that fills a conda environment, in this environment and offline."""
    return subprocess.run(
        ["bash", str(ENVS / "upsampling.post-deploy.sh")],
        cwd=folder,
        env=os.environ
        | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PIP_NO_INDEX": "1"},
        text=True,
        capture_output=True,
    )


def test_the_conda_script_finds_all_it_would_install_here():
    """With the lock's packages installed, there is nothing left to do, and it says so."""
    done = post_deploy(ROOT)
    assert done.returncode == 0, done.stderr
    satisfied = re.findall(r"^Requirement already satisfied: (\S+)==", done.stdout, re.MULTILINE)
    assert {canonicalize_name(name) for name in satisfied} >= {
        canonicalize_name(name) for name in locked()
    }
    assert "Collecting" not in done.stdout


def test_the_conda_script_refuses_another_lock(tmp_path):
    (tmp_path / "envs").mkdir()
    text = (ENVS / "requirements.lock").read_text()
    (tmp_path / "envs" / "requirements.lock").write_text(text + "# a remark\n")
    done = post_deploy(tmp_path)
    assert done.returncode == 1
    assert "does not match envs/upsampling.post-deploy.sh" in done.stderr


def test_the_lock_names_what_its_packages_need():
    names = {canonicalize_name(name) for name in locked()}
    for name in locked():
        for text in importlib.metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                # Tools that come with every environment.
                if needed.name in ("pip", "setuptools"):
                    continue
                assert canonicalize_name(needed.name) in names, f"{name} needs {text}"


def test_conda_and_container_have_the_same_python_and_lock():
    conda = yaml.safe_load((ENVS / "upsampling.yaml").read_text())["dependencies"]
    for package in conda:
        assert re.fullmatch(r"[a-z]+=\d+(\.\d+)+", package), package
    python = next(package for package in conda if package.startswith("python="))[len("python=") :]
    container = (ENVS / "upsampling.def").read_text()
    assert f"From: python:{python}-" in container
    assert "envs/requirements.lock /opt/upsampling/requirements.lock" in container
    assert "-r /opt/upsampling/requirements.lock" in container
    assert 'container: "envs/upsampling.sif"' in (ROOT / "Snakefile").read_text()


def test_profile_names_rules_that_exist(project):
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
    rules = set(project.snakemake("--list-rules").stdout.split())
    for section in ("groups", "set-threads", "set-resources"):
        assert set(profile[section]) <= rules, section
