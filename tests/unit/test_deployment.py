"""Commands of rules find the programs and the running Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from upsampling import deployment
from upsampling.errors import UserError

SCRIPTS = Path(deployment.__file__).parents[1]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("PYTHONUTF8", "0")
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


@pytest.mark.parametrize(
    ("value", "kept"), [("2", True), ("4,2", True), ("", False), ("all", False), ("0", False)]
)
def test_numbers_of_threads_that_are_none_do_not_reach_jobs(monkeypatch, value, kept):
    monkeypatch.setenv("NUMBA_NUM_THREADS", value)
    deployment.prepare(Path("scripts"), set())
    assert os.environ.get("NUMBA_NUM_THREADS") == (value if kept else None)


def test_commands_open_files_of_any_name_in_an_old_locale(tmp_path, monkeypatch):
    """soundfile encodes names itself, as Python does."""
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    path = tmp_path / "Müsik.wav"
    soundfile.write(path, np.zeros(8), 8000)
    program = "import pathlib, soundfile; soundfile.read(next(pathlib.Path('.').iterdir()))"
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1
    deployment.prepare(Path("scripts"), set())
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


def test_programs_find_the_package_beside_them(monkeypatch):
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    command = [sys.executable, str(SCRIPTS / "theory.py"), "--help"]
    assert subprocess.run(command, capture_output=True).returncode == 1
    deployment.prepare(SCRIPTS, set())
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_figures_are_drawn_whatever_backend_the_shell_names():
    program = "import upsampling.figures, matplotlib; print(matplotlib.get_backend())"
    environment = os.environ | {"MPLBACKEND": "no such backend", "PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip()) == (0, "agg"), done.stderr


def test_a_cluster_without_its_commands_is_told_in_one_line():
    deployment.check_executor("local")
    with pytest.raises(UserError, match="sbatch is not on PATH"):
        deployment.check_executor("slurm")


def stand_in(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_the_reason_without_latex_is_told(tmp_path, monkeypatch):
    assert deployment.without_latex(set()) == "pdflatex is not on PATH"
    monkeypatch.setenv("PATH", str(tmp_path))
    stand_in(tmp_path, "pdflatex", "")
    # As kpsewhich: the paths of the files that exist, and failure if one does not.
    stand_in(tmp_path, "kpsewhich", "for f; do [ $f = siunitx.sty ] || echo /tex/$f; done; exit 1")
    assert deployment.without_latex(set()) == "LaTeX has no package siunitx"
    stand_in(tmp_path, "kpsewhich", "for f; do echo /tex/$f; done")
    assert deployment.without_latex(set()) == ""
    assert deployment.without_latex({"apptainer"}) == "the container has no LaTeX"


def test_folders_that_can_be_written_are_left_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    deployment.require_room(Path(".state"), [Path("results", "demo"), Path("logs", "demo")])
    assert [path.name for path in tmp_path.rglob("*")] == [".state"]


def test_a_file_in_place_of_a_folder_is_named_before_any_job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("logs").write_text("x")
    with pytest.raises(UserError, match=r"logs: Not a directory; move the file"):
        deployment.require_room(Path(".state"), [Path("results", "demo"), Path("logs", "demo")])
    with pytest.raises(UserError, match=r"logs"):
        deployment.require_room(Path("logs"), [])


def test_a_full_disk_is_named_before_any_job(tmp_path, monkeypatch):
    """The device that is always full stands for a disk."""
    monkeypatch.chdir(tmp_path)
    Path(".state").mkdir()
    Path(".state", f".room.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"room\.\d+: No space left on device; make room"):
        deployment.require_room(Path(".state"), [])
    assert not list(Path(".state").iterdir())


def test_a_folder_without_permission_is_named_before_any_job(tmp_path, monkeypatch):
    """Root may write everywhere, so the system's answer is given here."""
    monkeypatch.chdir(tmp_path)
    Path("logs", "demo", "train").mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "train")
    with pytest.raises(UserError, match="logs/demo/train: Permission denied; change its"):
        deployment.require_room(Path(".state"), [Path("logs", "demo")])
