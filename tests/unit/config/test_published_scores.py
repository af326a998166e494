"""The files of published scores are all found, or the folder is refused."""

import os
from pathlib import Path

import pytest

from upsampling.config.published_scores import score_files
from upsampling.errors import UserError


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")


def test_files_are_named_by_their_tracks_and_others_are_left_out(tmp_path):
    write(tmp_path, "b.json", "x/a.b.json.gz", "notes.txt", "._b.json", ".cache/c.json")
    assert score_files(tmp_path) == {
        "b": tmp_path / "b.json",
        "a.b": tmp_path / "x" / "a.b.json.gz",
    }
    write(tmp_path, "test/d.json")
    assert list(score_files(str(tmp_path))) == ["d"]


def test_links_to_folders_are_followed_once(tmp_path):
    write(tmp_path, "scores/a.json", "elsewhere/b.json")
    (tmp_path / "scores" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "scores")
    assert list(score_files(tmp_path / "scores")) == ["a", "b"]


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, dangling])
def test_what_is_no_file_does_not_vanish(tmp_path, make):
    write(tmp_path, "a.json")
    make(tmp_path / "b.json")
    with pytest.raises(UserError, match=r"b\.json is not a file"):
        score_files(tmp_path)


def test_folders_without_scores_are_refused(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        score_files(tmp_path / "none")
    write(tmp_path, "a.json", "in/a.json.gz")
    with pytest.raises(UserError, match="there is no folder"):
        score_files(tmp_path / "a.json")
    with pytest.raises(UserError, match="two files of track 'a'"):
        score_files(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no scores"):
        score_files(tmp_path / "empty")


def test_names_that_no_table_can_hold_are_refused(tmp_path):
    write(tmp_path, os.fsdecode(b"caf\xe9.json"))
    with pytest.raises(UserError, match=r"caf.*the name is not UTF-8"):
        score_files(tmp_path)


def test_names_in_braces_are_refused(tmp_path):
    write(tmp_path, "a {b}.json")
    with pytest.raises(UserError, match=r"a {b}\.json: .* braces"):
        score_files(tmp_path)


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path, monkeypatch):
    """Root may read all folders, so the system's answer is given here."""
    write(tmp_path, "in/a.json", "b.json")
    scandir = os.scandir

    def forbidden(path):
        if str(path).endswith("in"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(UserError, match="in: Permission denied; change its permissions"):
        score_files(tmp_path)
