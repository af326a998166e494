"""The command line in each program's help runs as it is written."""

import os
import re
import shlex
import subprocess
import sys

import pytest
from checkout import ROOT

# A command and the lines that it goes on in.
EXAMPLE = r"(?m)^    (\w.*(?:(?<=\\)\n.*)*)"
PROGRAMS = sorted(path.name for path in (ROOT / "scripts").glob("*.py"))
# Their examples are calls of Snakemake.
BY_SNAKEMAKE = ("gallery.py", "supplement.py")
# The first would download a data set; audits and losses have tests of their own.
NOT_RUN = ("download.py", "audits_table.py", "loss_lines.py", *BY_SNAKEMAKE)
# They write nothing.
SILENT = ("check_models.py", "audit.py")


def help_of(program: str) -> str:
    """The help of a program, as a user sees it."""
    command = [sys.executable, ROOT / "scripts" / program, "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def example(program: str) -> list[str]:
    """The arguments of the example in a program's help."""
    block = re.search(EXAMPLE, help_of(program))
    assert block, f"{program} --help shows no example"
    return shlex.split(block[1].replace("\\\n", " "))


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_shows_an_example_and_explains_every_option(program):
    words = example(program)
    assert f"scripts/{program}" in words or program in BY_SNAKEMAKE
    known = set(re.findall(r"--[a-z0-9-]+", help_of(program)))
    if program not in BY_SNAKEMAKE:
        assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name not in NOT_RUN])
def test_the_example_runs_in_a_finished_project(program, project, tmp_path):
    for name in ("results", "data", "scripts"):
        (tmp_path / name).symlink_to(project.root / name)
    block = re.search(EXAMPLE, help_of(program))
    assert block
    done = subprocess.run(
        ["bash", "-c", block[1]],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    written = {path.name for path in tmp_path.iterdir()} - {"results", "data", "scripts"}
    assert bool(written) == (program not in SILENT)
