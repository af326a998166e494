"""Resolve requirements.in on every supported Python and write one lock with environment markers.

The versions found on the oldest Python are constraints on the newer ones, so that a package has
one version everywhere. A package that only some Pythons need gets a marker. Run by `make lock`;
with PIP_CONSTRAINT=envs/requirements.lock it keeps the versions that the lock has already.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ENVS = Path(__file__).parent
HEADER = "# Exact versions for every environment; written by 'make lock' from requirements.in.\n"
# torch's CUDA build names these itself; its CPU build has none of them.
CUDA = re.compile(r"nvidia-|cuda-|triton$")


def supported() -> list[str]:
    """The Python versions that pyproject.toml allows, oldest first."""
    project = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]
    bounds = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"])
    if not bounds:
        sys.exit("error: requires-python in pyproject.toml is not of the form >=3.A,<3.B")
    return [f"3.{minor}" for minor in range(int(bounds[1]), int(bounds[2]))]


def resolve(python: str, constraints: dict[str, str]) -> dict[str, str]:
    """The version of each package that pip would install in a fresh environment of `python`."""
    with tempfile.TemporaryDirectory() as scratch:
        held = Path(scratch, "constraints")
        held.write_text("".join(f"{name}=={version}\n" for name, version in constraints.items()))
        subprocess.run([f"python{python}", "-m", "venv", f"{scratch}/env"], check=True)
        pip = [f"{scratch}/env/bin/python", "-m", "pip", "install", "-q"]
        pip += ["--disable-pip-version-check", "--dry-run", "--report", f"{scratch}/report"]
        subprocess.run([*pip, "-c", held, "-r", ENVS / "requirements.in"], check=True)
        report = json.loads(Path(scratch, "report").read_text())
    packages = [item["metadata"] for item in report["install"]]
    # A local version such as +cpu names a build, not a release, and other machines lack it.
    versions = {item["name"]: item["version"].split("+")[0] for item in packages}
    return {name: version for name, version in versions.items() if not CUDA.match(name)}


def merge(resolved: dict[str, dict[str, str]]) -> str:
    """One line per package and version of `resolved` (Python -> name -> version, oldest first).

    A line has a marker unless all Pythons agree on it.
    """
    pythons = list(resolved)
    needed: dict[tuple[str, str], list[str]] = {}
    for python, versions in resolved.items():
        for package in versions.items():
            needed.setdefault(package, []).append(python)
    lines = []
    for (name, version), where in sorted(needed.items(), key=lambda item: item[0][0].lower()):
        line = f"{name}=={version}"
        if where == pythons[-len(where) :] and where != pythons:
            line += f'; python_version >= "{where[0]}"'
        elif where != pythons:
            line += "; " + " or ".join(f'python_version == "{python}"' for python in where)
        lines.append(line)
    return "\n".join(lines) + "\n"


def replace(path: Path, text: str) -> None:
    """Write a file in one step, keeping its mode."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.chmod(path.stat().st_mode)
    os.replace(part, path)


def main() -> None:
    """Write requirements.lock, and its checksum into the script of the conda environment."""
    pythons = supported()
    for python in pythons:
        try:
            command = [f"python{python}", "-c", "import ensurepip"]
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            sys.exit(
                f"error: the lock is for Python {', '.join(pythons)}, and 'python{python}' does"
                " not run or lacks ensurepip; install it and put it on PATH"
            )
    resolved: dict[str, dict[str, str]] = {}
    for python in pythons:
        print(f"Resolving on Python {python} ...", flush=True)
        try:
            resolved[python] = resolve(python, resolved[pythons[0]] if resolved else {})
        except subprocess.CalledProcessError:
            sys.exit(f"error: requirements.in has no solution on Python {python}: see pip's lines")
    lock = HEADER + merge(resolved)
    replace(ENVS / "requirements.lock", lock)
    # Conda environments are rebuilt when this checksum changes, since it is part of their script.
    script = ENVS / "upsampling.post-deploy.sh"
    checksum = hashlib.sha256(lock.encode()).hexdigest()
    line = re.compile("^lock_sha256=.*$", re.MULTILINE)
    replace(script, line.sub(f"lock_sha256={checksum}", script.read_text()))


if __name__ == "__main__":
    main()
