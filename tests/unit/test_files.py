"""A file is complete under its name or not there at all; equal content gives equal bytes."""

import json
import os
import subprocess

import numpy as np
import pytest
import soundfile

from upsampling.errors import UserError
from upsampling.files import (
    HOST,
    atomic_path,
    load_arrays,
    read_json,
    remove_leftovers,
    save_arrays,
    write_csv,
    write_json,
    write_text,
    write_wav,
)


def test_a_failed_writer_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a" / "table.csv"
    write_text(path, "old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            assert temporary.suffix == ".csv"
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["table.csv"]


def test_files_have_the_permissions_of_the_user(tmp_path):
    mask = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(mask)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_json_is_sorted_and_strict(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"b": 1, "a": [1.5, None]})
    assert path.read_text() == json.dumps({"a": [1.5, None], "b": 1}, indent=1) + "\n"
    assert read_json(path) == {"a": [1.5, None], "b": 1}
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, float("nan"))


def test_csv_keeps_every_digit(tmp_path):
    rows = [{"name": 'a "b", c', "value": 0.1 + 0.2}, {"name": "", "value": 1e-300}]
    write_csv(tmp_path / "a.csv", rows)
    assert (tmp_path / "a.csv").read_text() == (
        'name,value\n"a ""b"", c",0.30000000000000004\n,1e-300\n'
    )


def test_arrays_come_back_and_a_missing_one_is_named(tmp_path):
    path = tmp_path / "a.npz"
    arrays = {"x": np.arange(3, dtype=np.float32), "rate": 44100}
    save_arrays(path, arrays)
    first = path.read_bytes()
    stored = load_arrays(path, ("x", "rate"))
    assert stored["x"].dtype == np.float32
    assert stored["x"].tolist() == [0, 1, 2]
    assert int(stored["rate"]) == 44100
    save_arrays(path, arrays)
    assert path.read_bytes() == first
    with pytest.raises(UserError, match=r"no array 'y' \(it has x, rate\)"):
        load_arrays(path, ("y",))


def test_sound_is_scaled_to_a_peak_and_silence_stays(tmp_path):
    path = tmp_path / "a.wav"
    samples = np.array([[0.0, -4.0], [1.0, 2.0]])
    write_wav(path, samples, 8000, peak=0.5)
    read, rate = soundfile.read(path)
    assert rate == 8000
    np.testing.assert_allclose(read, samples / 8, atol=1e-7)
    write_wav(path, np.zeros(4), 8000, peak=0.5)
    assert not soundfile.read(path)[0].any()


def test_temporary_files_of_killed_writers_are_removed_and_others_stay(tmp_path):
    path = tmp_path / "table.csv"
    gone = subprocess.Popen(["true"])
    gone.wait()
    stale = tmp_path / f".table.{HOST}.{gone.pid}.csv"
    other = tmp_path / f".other.{HOST}.{gone.pid}.csv"
    living = tmp_path / f".table.{HOST}.{os.getppid()}.csv"
    elsewhere, old = tmp_path / ".table.elsewhere.1.csv", tmp_path / ".table.elsewhere.2.csv"
    for file in (stale, other, living, elsewhere, old):
        file.write_text("half")
    os.utime(old, (0, 0))
    write_text(path, "whole")
    assert {file.name for file in tmp_path.iterdir()} == {
        file.name for file in (path, other, living, elsewhere)
    }
    remove_leftovers(tmp_path)
    assert not other.exists()
    assert living.exists()
