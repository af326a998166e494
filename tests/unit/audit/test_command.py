"""The command: its needs, its exit status and its installation."""

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from upsampling.audit.command import main

ROOT = Path(__file__).parents[3]


def test_an_audit_may_not_ask_for_more_memory_than_there_is(tmp_path):
    """In a process of its own, since a limit holds for the whole of it."""
    (tmp_path / "nets.py").write_text(
        "import torch\n"
        "class Greedy(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        return x + torch.ones(1 << 42).sum()\n"
    )
    program = ROOT / "scripts" / "audit.py"
    done = subprocess.run(
        [sys.executable, program, "network", f"{tmp_path}/nets.py:Greedy", "--channels", "1"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "memory" in done.stderr


def test_the_limit_of_memory_is_within_the_free_memory():
    program = (
        "import resource; from upsampling.audit.command import limit_memory; limit_memory();"
        "print(resource.getrlimit(resource.RLIMIT_DATA)[0])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT / "scripts")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < int(done.stdout) < total


def test_recordings_are_its_other_half(tmp_path, capsys):
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-1, 1, 200000), 44100)
    assert main(["recording", str(tmp_path / "a.wav"), "--strides", "4,4"]) == 0
    assert "a.wav" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["network"], ["network", "x", "--input", "mel"]])
def test_wrong_options_end_with_status_two(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: upsampling-audit" in capsys.readouterr().err


def test_it_needs_neither_the_workflow_nor_pandas_nor_a_data_set(tmp_path):
    """In a process of its own, in which those packages cannot be imported."""
    program = (
        "import sys\n"
        "for name in ('snakemake', 'pandas', 'matplotlib', 'librosa', 'musdb',\n"
        "             'museval', 'yaml', 'jsonschema'):\n"
        "    sys.modules[name] = None\n"
        "from upsampling.audit.command import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    paths = f"{ROOT / 'scripts'}:{ROOT / 'tests' / 'support'}"
    (tmp_path / "nets.py").write_text(
        "from audited_networks import hifi_gan, seeded\n"
        "def tonal(): return seeded(lambda: hifi_gan((4, 5)))\n"
    )
    page = tmp_path / "page.html"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            "network",
            f"{tmp_path}/nets.py:tonal",
            "--html",
            str(page),
        ],
        env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "In silence the network makes" in done.stdout
    assert page.stat().st_size > 10000


def test_the_program_and_the_installed_command_are_the_same():
    program = ROOT / "scripts" / "audit.py"
    done = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "network" in done.stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, _, name = project["project"]["scripts"]["upsampling-audit"].partition(":")
    assert getattr(importlib.import_module(module), name) is main
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    package = ROOT / "scripts" / "upsampling"
    needed = [one for one in package.rglob("*.*") if one.suffix not in (".py", ".pyc", ".md")]
    assert needed
    assert [one for one in needed if not any(one.match(pattern) for pattern in patterns)] == []
