"""A file is complete under its name or not there at all; equal content gives equal bytes."""

import errno
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
    checksum_path,
    content_of,
    load_arrays,
    read_json,
    read_table,
    read_wav,
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


def read_numbers(path):
    return read_table(path, {"a": int})


WRITERS = {
    "json": (lambda path: write_json(path, {"a": [1, 2]}), read_json),
    "csv": (lambda path: write_csv(path, [{"a": n} for n in range(99)]), read_numbers),
    "npz": (lambda path: save_arrays(path, {"x": np.arange(99)}), load_arrays),
    "wav": (lambda path: write_wav(path, np.linspace(-1, 1, 99), 8000), read_wav),
    "pcm": (lambda path: write_wav(path, np.linspace(-1, 1, 99), 8000, subtype="PCM_16"), read_wav),
}


@pytest.mark.parametrize(("write", "read"), WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("damage", ["bit", "cut", "empty", "longer", "zeros"])
def test_damage_is_noticed_by_readers(tmp_path, write, read, damage):
    path = tmp_path / "file.data"
    write(path)
    read(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle] ^= damage == "bit"
    if damage == "zeros":
        content[middle : middle + 8] = bytes(8)
    damaged = {"cut": content[:middle], "empty": b"", "longer": content + b"1"}
    path.write_bytes(damaged.get(damage, content))
    with pytest.raises(
        UserError, match=r"file\.data is not as it was written.*delete it"
    ) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    write(path)
    read(path)


@pytest.mark.parametrize(("write", "read"), WRITERS.values(), ids=WRITERS)
def test_a_damaged_checksum_is_no_reason_to_trust_a_file(tmp_path, write, read):
    path = tmp_path / "file.data"
    write(path)
    checksum_path(path).write_bytes(b"\xff\x00")
    with pytest.raises(UserError, match="SHA-256"):
        read(path)


def test_sha256sum_reads_the_checksums(tmp_path):
    write_json(tmp_path / "a.json", 1)
    done = subprocess.run(
        ["sha256sum", "--check", "a.json.sha256"], cwd=tmp_path / ".checksums", capture_output=True
    )
    assert done.returncode == 0


@pytest.mark.parametrize("read", [read_json, read_numbers, load_arrays, read_wav])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PK\x03\x04 no zip", b"[" * 100_000])
def test_a_foreign_file_that_cannot_be_read_is_named(tmp_path, read, content):
    path = tmp_path / "foreign.data"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"foreign\.data cannot be read as"):
        read(path)


def test_two_files_of_equal_samples_have_equal_bytes(tmp_path):
    samples = np.linspace(-2, 2, 99)
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / name, samples, 8000)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert b"PEAK" not in (tmp_path / "a.wav").read_bytes()
    np.testing.assert_array_equal(read_wav(tmp_path / "a.wav")[0], samples.astype(np.float32))


def test_an_error_of_a_write_names_the_file(tmp_path):
    path = tmp_path / "x.txt"
    with pytest.raises(OSError, match="No space left") as caught, atomic_path(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("b\n1\n", "no column a"),
        ("a\n", "it has no rows"),
        ("a\nmany\n", "many"),
        ("a\n1\n2,3,4\n", "line 3"),
    ],
)
def test_a_table_of_other_columns_or_types_is_refused(tmp_path, content, reason):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(UserError, match=rf"a\.csv cannot be read as a table: .*{reason}.*; delete"):
        read_numbers(tmp_path / "a.csv")


def test_a_table_may_be_empty_where_that_is_said(tmp_path):
    (tmp_path / "a.csv").write_text("a\n")
    assert read_table(tmp_path / "a.csv", {"a": int}, may_be_empty=True).empty


@pytest.mark.parametrize("values", [1j, "text", b"bytes"])
def test_arrays_hold_real_numbers(tmp_path, values):
    save_arrays(tmp_path / "a.npz", {"x": np.array([values]), "y": np.arange(3)})
    with pytest.raises(UserError, match=r"a\.npz cannot be read as arrays: 'x' holds no real numb"):
        load_arrays(tmp_path / "a.npz")
    assert load_arrays(tmp_path / "a.npz", ["y"])["y"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("samples", [np.zeros((0, 2)), np.array([0.0, np.nan]), np.array([np.inf])])
def test_sounds_have_finite_samples(tmp_path, samples):
    write_wav(tmp_path / "a.wav", samples, 8000)
    with pytest.raises(UserError, match=r"a\.wav has no samples, or some that are not finite"):
        read_wav(tmp_path / "a.wav")


def test_a_key_that_a_document_lacks_is_told_with_its_file(tmp_path):
    write_json(tmp_path / "a.json", {"b": [{"c": 1}]})
    document = read_json(tmp_path / "a.json")
    assert document == {"b": [{"c": 1}]}
    with pytest.raises(UserError, match=r"a\.json: no key 'd' \(it has c\); delete it"):
        document["b"][0]["d"]
    assert document.get("d") is None


def test_content_that_does_not_fit_is_told_with_its_file():
    for error in (TypeError("x"), UserError("too short"), ZeroDivisionError(), IndexError("y")):
        with (
            pytest.raises(UserError, match=r"^some/file\.json.*") as caught,
            content_of("some/file.json"),
        ):
            raise error
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"^some/file.json is empty$"), content_of("some/file.json"):
        raise UserError("some/file.json is empty")
    with pytest.raises(OSError, match="disk"), content_of("some/file.json"):
        raise OSError("disk")
