"""A changed data set is noticed, whether or not file times changed; one that is gone is kept."""

import os
import shutil
from pathlib import Path

import pytest

from upsampling.files import read_json, write_json
from upsampling.tracks.listing import list_files, record, refresh, require_settings, tracks_root


@pytest.fixture
def data(tmp_path) -> Path:
    for name in ("train/A/bass.wav", "test/B/bass.wav"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    return tmp_path / "data"


@pytest.fixture
def stored(data, tmp_path) -> Path:
    path = tmp_path / "store" / "dataset.json"
    write_json(path, record("own", data))
    return path


def refreshed(path: Path, root: Path) -> str:
    """Refresh the record, and return the message; '' where the record stays as it is."""
    told: list[str] = []
    before = path.stat().st_mtime_ns if path.exists() else 0
    refresh(path, root, told.append)
    after = path.stat().st_mtime_ns if path.exists() else 0
    assert (after != before) == any("prepared again" in text for text in told)
    return " ".join(told)


def replace_with_equal_time(data: Path) -> None:
    path = data / "train/A/bass.wav"
    time = path.stat().st_mtime_ns
    path.write_text("longer than before")
    os.utime(path, ns=(time, time))


def replace_with_equal_size(data: Path) -> None:
    path = data / "train/A/bass.wav"
    path.write_text("x" * path.stat().st_size)
    # An older time than before.
    os.utime(path, (1e9, 1e9))


def add(data: Path) -> None:
    shutil.copytree(data / "train/A", data / "train/C")


CHANGES = {
    replace_with_equal_time: "1 changed",
    replace_with_equal_size: "1 changed",
    add: "1 new",
    lambda data: (data / "test/B/bass.wav").unlink(): "1 removed",
    lambda data: (data / "test/B").rename(data / "test/C"): "1 new, 1 removed",
}


@pytest.mark.parametrize(("change", "said"), CHANGES.items())
def test_changes_are_noticed_once(data, stored, change, said):
    assert not refreshed(stored, data)
    change(data)
    assert f"({said})" in refreshed(stored, data)
    assert not refreshed(stored, data)
    assert read_json(stored)["files"] == list_files(data)


def test_a_data_set_that_is_gone_leaves_the_record(data, stored):
    shutil.rmtree(data)
    assert "is gone; the tracks in" in refreshed(stored, data)


def test_without_a_record_nothing_is_compared(data, tmp_path):
    assert not refreshed(tmp_path / "none.json", data)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": 3}'])
def test_a_damaged_record_is_made_again(data, stored, content):
    stored.write_text(content)
    (stored.parent / ".checksums" / "dataset.json.sha256").unlink()
    assert "prepared again" in refreshed(stored, data)
    assert not refreshed(stored, data)


def test_the_folder_of_the_tracks_is_found_inside(tmp_path, data):
    assert tracks_root(tmp_path) == data
    assert tracks_root(data) == data
    assert tracks_root(data / "train") is None


@pytest.mark.parametrize(
    ("content", "given_up"),
    [('{"seed": 1}', False), ('{"seed": 2}', True), ("{broken", True), (None, False)],
)
def test_a_store_that_other_settings_prepared_is_given_up(tmp_path, content, given_up):
    manifest = tmp_path / "manifest.json"
    manifest.write_text("{}")
    if content is not None:
        (tmp_path / "settings.json").write_text(content)
    for _ in range(2):
        told: list[str] = []
        require_settings(manifest, {"seed": 1}, told.append)
        assert manifest.exists() != given_up
    assert told == []
    manifest.write_text("{}")
    require_settings(manifest, {"seed": 1}, told.append)
    assert [text for text in told if "by other settings: they are prepared again" in text] == told
    assert len(told) == given_up
