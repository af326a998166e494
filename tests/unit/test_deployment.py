"""Commands of rules find the programs and the running Python."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from upsampling import deployment
from upsampling.errors import UserError


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("SCRIPTS", "")


def test_commands_find_the_programs_and_the_running_python():
    deployment.prepare(Path("/somewhere/scripts"), set())
    assert os.environ["SCRIPTS"] == "/somewhere/scripts"
    python = shutil.which("python") or ""
    assert Path(python).parent == Path(sys.executable).parent


def test_conda_that_is_not_there_is_told_in_one_line():
    with pytest.raises(UserError, match="conda is not on PATH; install it") as caught:
        deployment.prepare(Path("scripts"), {"conda"})
    assert "\n" not in str(caught.value)


def test_conda_that_is_there_is_used(tmp_path, monkeypatch):
    (tmp_path / "conda").write_text("#!/bin/sh\n")
    (tmp_path / "conda").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    deployment.prepare(Path("scripts"), {"conda"})
