"""One lock for every environment: the checks that need no channel and no registry."""

import importlib.metadata
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from checkout import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from .test_commands import locked, pinned

ENVS = ROOT / "envs"
LOCK = runpy.run_path(str(ENVS / "lock.py"))
PYTHONS = LOCK["supported"]()


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


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_names_what_its_packages_need(python):
    """By the metadata of the packages that are installed here: those of other Pythons are not."""
    names = {canonicalize_name(name) for name in locked(python)}
    installed = {canonicalize_name(found.name) for found in importlib.metadata.distributions()}
    for name in names & installed:
        for text in importlib.metadata.requires(name) or []:
            needed = Requirement(text)
            marked = {"extra": "", "python_version": python, "python_full_version": f"{python}.0"}
            # pip comes with every environment, and the CUDA build of torch has its own libraries.
            if needed.name == "pip" or LOCK["CUDA"].match(needed.name):
                continue
            if not needed.marker or needed.marker.evaluate(marked):
                assert canonicalize_name(needed.name) in names, f"{name} needs {text}"


def test_merged_lock_gives_every_python_its_own_versions():
    resolved = {
        "3.11": {"numpy": "2.4.6", "Tomli": "2.0", "wheel": "1.0"},
        "3.12": {"numpy": "2.4.6", "wheel": "1.1", "setuptools": "84.2.1"},
        "3.13": {"numpy": "2.4.6", "wheel": "1.1", "setuptools": "84.2.1", "audioop-lts": "0.2"},
    }
    lock = LOCK["merge"](resolved)
    assert "numpy==2.4.6\n" in lock
    assert 'audioop-lts==0.2; python_version >= "3.13"\n' in lock
    for python, versions in resolved.items():
        assert pinned(lock, python) == versions


def test_the_lock_needs_every_python(tmp_path):
    """Where one is missing, a line names it and the lock stays as it is."""
    copy = tmp_path / "envs"
    shutil.copytree(ENVS, copy)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    done = subprocess.run(
        [sys.executable, str(copy / "lock.py")],
        env=os.environ | {"PATH": str(tmp_path)},
        text=True,
        capture_output=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: the lock is for Python 3.11, 3.12, 3.13, and 'python3.11'"
    )
    assert len(done.stderr.splitlines()) == 1
    for name in ("requirements.lock", "upsampling.post-deploy.sh"):
        assert (copy / name).read_bytes() == (ENVS / name).read_bytes()


def test_the_supported_pythons_are_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    allowed = SpecifierSet(project["project"]["requires-python"])
    assert [f"3.{minor}" for minor in range(30) if f"3.{minor}" in allowed] == PYTHONS
    setup = (ENVS / "setup.sh").read_text()
    assert f'supported="{" ".join(reversed(PYTHONS))}"\n' in setup
    assert f"Python {', '.join(PYTHONS[:-1])} or {PYTHONS[-1]}," in (ROOT / "README.md").read_text()
    assert project["tool"]["ruff"]["target-version"] == "py" + PYTHONS[0].replace(".", "")
    conda = yaml.safe_load((ENVS / "upsampling.yaml").read_text())["dependencies"]
    assert any(package.startswith(f"python={python}.") for package in conda for python in PYTHONS)


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
    for section in ("set-threads", "set-resources"):
        assert set(profile[section]) <= rules, section
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    groups = set(re.findall(r"(?m)^ +group:\n +\"(\w+)\"", text))
    assert set(profile["group-components"]) <= groups
