"""Fetching the data sets: resumable downloads that are checked, and archives unpacked safely.

Nothing stands under a final name before it is complete and checked. What was fetched before a cut
stays beside it as `.part`, and the next attempt, or the next run, goes on from there.
"""

import hashlib
import os
import shutil
import stat
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from upsampling.errors import UserError

# What a cut connection may lose of what had arrived already.
BLOCK = 1 << 16
GIGABYTE = 1e9
RETRIED_STATUS = (408, 425, 429, 500, 502, 503, 504)
SUBSETS = ("train", "test")


@dataclass(frozen=True)
class DataSet:
    """Where an archive is, and how to know that it arrived; `unpacked` bytes are an estimate."""

    url: str
    size: int
    md5: str
    unpacked: int


ARCHIVES = {
    "musdb18": DataSet(
        "https://zenodo.org/records/1117372/files/musdb18.zip",
        4_684_228_845,
        "af06762477334799bfc5abf237648207",
        4_800_000_000,
    ),
    "musdb18hq": DataSet(
        "https://zenodo.org/records/3338373/files/musdb18hq.zip",
        22_656_664_047,
        "12d4f2ecd55245a4688754dd76363103",
        33_000_000_000,
    ),
    # This checksum rests on one source, the others on the record's own page: should the first
    # download not match, compare it with the record before you doubt the file.
    "musdb18_7s": DataSet(
        "https://zenodo.org/records/3270814/files/MUSDB18-7-STEMS.zip",
        147_209_385,
        "dc2bdfac5b46ce742bd60009866758a5",
        160_000_000,
    ),
}


class _Cut(Exception):
    """An attempt that ended early, for a reason that may pass."""


def require_space(folder: Path, needed: int) -> None:
    """Raise a `UserError` unless the disk of `folder` has `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"not enough space in {folder}: {needed / GIGABYTE:.2f} GB needed, "
            f"{free / GIGABYTE:.2f} GB free; choose another folder or make room"
        )


def file_md5(path: Path) -> str:
    """MD5 of a file, as a hexadecimal string."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def download(
    url: str,
    destination: Path,
    size: int,
    md5: str,
    unpacked: int = 0,
    attempts: int = 6,
    wait: float = 2.0,
    timeout: float = 60.0,
) -> None:
    """Fetch `url` to `destination`, `size` bytes whose MD5 is `md5`; go on from `destination.part`.

    Dropped connections and server errors are tried again until `attempts` in a row have brought
    nothing new, with pauses that double from `wait` s to a minute. A server that ignores the asked
    range makes it start over. Wrong length or checksum: `UserError`, and the part is removed.
    """
    from tqdm import tqdm

    if destination.exists() and destination.stat().st_size == size:
        return
    part = destination.with_name(destination.name + ".part")
    destination.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    if have > size:
        part.unlink()
        have = 0
    require_space(destination.parent, size - have + unpacked)
    failures, furthest = 0, have
    with tqdm(total=size, initial=have, unit="B", unit_scale=True, desc=destination.name) as bar:
        while have < size:
            try:
                _attempt(url, part, size, timeout, bar)
            except _Cut as error:
                have = part.stat().st_size if part.exists() else 0
                failures = 0 if have > furthest else failures + 1
                furthest = max(furthest, have)
                if failures >= attempts:
                    raise UserError(
                        f"cannot download {url}: {error}; what has arrived is kept in {part}, "
                        "run again to go on"
                    ) from None
                pause = min(60.0, wait * 2**failures)
                bar.write(f"{error}; trying again in {pause:.0f} s", file=sys.stderr)
                time.sleep(pause)
            have = part.stat().st_size if part.exists() else 0
    found = file_md5(part)
    if found != md5:
        part.unlink()
        raise UserError(f"{url}: the MD5 of what arrived is {found} instead of {md5}; run again")
    os.replace(part, destination)


def _attempt(url: str, part: Path, size: int, timeout: float, bar: Any) -> None:
    """One request that appends to `part`; `_Cut` when it ended early, `UserError` for good."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    # identity: a compressed transfer would count other bytes than the file's.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
            have = _check(url, response, part, have, size)
            bar.update(have - bar.n)
            with open(part, "ab" if have else "wb") as file:
                for block in response.iter_content(BLOCK):
                    have += len(block)
                    if have > size:
                        break
                    file.write(block)
                    bar.update(len(block))
    except requests.exceptions.RequestException as error:
        if isinstance(error, (ValueError, requests.exceptions.TooManyRedirects)):
            raise UserError(f"cannot download {url}: {error}") from None
        raise _Cut(str(error)) from None
    if have > size:
        part.unlink()
        raise UserError(f"{url}: the server sends more than the {size} bytes there should be")
    if have < size:
        raise _Cut(f"the connection ended at {have} of {size} bytes")


def _check(url: str, response: Any, part: Path, have: int, size: int) -> int:
    """Judge status and headers; return the position at which the body begins (`have`, or 0)."""
    status = response.status_code
    if status in RETRIED_STATUS:
        raise _Cut(f"HTTP status {status}")
    if status == 416:
        part.unlink(missing_ok=True)
        raise _Cut("the server refused to go on from where the last attempt ended")
    if status not in (200, 206):
        raise UserError(f"cannot download {url}: HTTP status {status} {response.reason}")
    begins, total = 0, response.headers.get("Content-Length")
    if status == 206:
        found, _, total = response.headers.get("Content-Range", "").partition("/")
        begins = have if found.startswith(f"bytes {have}-") else -1
    if begins < 0 or (total is not None and total.isdigit() and int(total) != size):
        part.unlink(missing_ok=True)
        raise UserError(
            f"{url}: the server announces {total or 'nothing'} bytes, or another range than asked "
            f"for, instead of {size} bytes: the file may have changed there"
        )
    return begins


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip file into `folder`, which must not be there yet, all or nothing.

    Absolute paths, '..' and symbolic links are refused before anything is written. Does nothing
    when `folder` exists.
    """
    if folder.exists():
        return
    temporary = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                path = PurePosixPath(member.filename.replace("\\", "/"))
                linked = stat.S_ISLNK(member.external_attr >> 16)
                if path.is_absolute() or ".." in path.parts or ":" in str(path) or linked:
                    raise UserError(f"{archive}: refused to unpack '{member.filename}'")
            require_space(folder.parent, sum(member.file_size for member in opened.infolist()))
            opened.extractall(temporary)
        os.replace(temporary, folder)
    except zipfile.BadZipFile as error:
        raise UserError(f"{archive} is damaged ({error}); delete it and run again") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def tracks_root(folder: Path) -> Path | None:
    """The folder that holds train/ and test/: `folder`, or one up to two levels inside it, or None.

    Archives differ in whether they have a folder of their own around the two.
    """
    for candidate in (folder, *sorted(folder.glob("*")), *sorted(folder.glob("*/*"))):
        hidden = any(part.startswith(".") for part in candidate.relative_to(folder).parts)
        if not hidden and all((candidate / subset).is_dir() for subset in SUBSETS):
            return candidate
    return None


def fetch(dataset: str, root: Path, keep_archive: bool = False) -> Path:
    """Make sure that `dataset` lies below `root`, and return the folder with train/ and test/.

    A copy that is there already is taken as it is. Otherwise the archive is downloaded into `root`,
    unpacked into `root`/tracks, and removed unless `keep_archive`.
    """
    found = tracks_root(root)
    if found is not None:
        return found
    source = ARCHIVES[dataset]
    archive = root / source.url.rpartition("/")[2]
    download(source.url, archive, source.size, source.md5, source.unpacked)
    unpack(archive, root / "tracks")
    found = tracks_root(root)
    if found is None:
        raise UserError(f"{archive} holds no train/ and test/; see {root / 'tracks'}")
    if not keep_archive:
        archive.unlink()
    return found
