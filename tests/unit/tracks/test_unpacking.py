"""Archives are unpacked completely or not at all; hostile and damaged ones are refused."""

import os
import stat
import zipfile
from pathlib import Path

import pytest

from upsampling.errors import UserError
from upsampling.tracks.unpacking import unpack


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def write_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_unpacking_is_complete_and_done_once(tmp_path):
    write_zip(tmp_path / "a.zip", {"train/x/y.wav": b"1", "test/z.wav": b"2"})
    unpack(tmp_path / "a.zip", tmp_path / "out")
    assert (tmp_path / "out/train/x/y.wav").read_bytes() == b"1"
    (tmp_path / "out/train/x/y.wav").write_bytes(b"mine")
    unpack(tmp_path / "a.zip", tmp_path / "out")
    assert (tmp_path / "out/train/x/y.wav").read_bytes() == b"mine"
    assert left(tmp_path) == ["a.zip", "out"]


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:/evil"])
def test_archives_that_leave_their_folder_are_refused(tmp_path, name):
    write_zip(tmp_path / "a.zip", {"train/good": b"1", name: b"2"})
    with pytest.raises(UserError, match="refused to unpack"):
        unpack(tmp_path / "a.zip", tmp_path / "inside" / "out")
    assert left(tmp_path / "inside") == []
    assert "evil" not in left(tmp_path)


def test_symbolic_links_in_archives_are_refused(tmp_path):
    link = zipfile.ZipInfo("train/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UserError, match="refused to unpack 'train/link'"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert left(tmp_path) == ["a.zip"]


def test_damaged_archives_leave_nothing(tmp_path):
    write_zip(tmp_path / "a.zip", {"train/x": os.urandom(5000), "test/y": b"2"})
    whole = bytearray((tmp_path / "a.zip").read_bytes())
    whole[2000] ^= 255
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(UserError, match="is damaged"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert left(tmp_path) == ["a.zip"]


def encrypted(path: Path) -> None:
    """Set the flag of encryption in both headers of a stored member."""
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("train/a", "content")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


def unknown_method(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("train/a", "content")
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + offset] = 99
    path.write_bytes(content)


def damaged_member(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("train/a", bytes(range(256)) * 100)
    content = bytearray(path.read_bytes())
    content[60] ^= 255
    path.write_bytes(content)


def clashing_names(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("train/a", "1")
        opened.writestr("train/A", "2")


def file_and_folder(path: Path) -> None:
    write_zip(path, {"train/a/b": b"1", "train/a": b"2"})


def same_path(path: Path) -> None:
    write_zip(path, {"train/a": b"1", "./train//a": b"2"})


def long_name(path: Path) -> None:
    write_zip(path, {"train/" + "a" * 300: b"1"})


def one_subset(path: Path) -> None:
    write_zip(path, {"train/a": b"1", "tests/b": b"2"})


def shorter_than_listed(path: Path) -> None:
    """The list of members gives another size than the member has."""
    write_zip(path, {"train/a": b"1", "test/b": b"2"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 24] += 1
    path.write_bytes(content)


def no_zip(path: Path) -> None:
    path.write_text("<html>Sign in</html>")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (encrypted, "cannot be unpacked: .*encrypted"),
        (unknown_method, "cannot be unpacked: .*compression method"),
        (damaged_member, "is damaged"),
        (clashing_names, "'train/[aA]' is in it more than once"),
        (no_zip, "is damaged"),
        (file_and_folder, "'train/a' is in it more than once"),
        (same_path, "is in it more than once"),
        (long_name, r"refused to unpack 'train/a+\.\.\.a+'"),
        (one_subset, "holds no train/ and test/"),
        (shorter_than_listed, "is damaged .*'train/a' is shorter than listed"),
    ],
)
def test_archives_that_cannot_be_unpacked_are_one_line(tmp_path, make, reason):
    make(tmp_path / "a.zip")
    with pytest.raises(UserError, match=rf"a\.zip.*{reason}") as caught:
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
