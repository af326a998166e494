"""Download of the data sets: resumable, checked by length and MD5.

A file gets its final name once it is complete and checked. An interrupted download stays beside it
as `.part`, and the next attempt or run resumes from there.
"""

import errno
import hashlib
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upsampling.errors import UserError, reason_of
from upsampling.tracks.listing import tracks_root
from upsampling.tracks.unpacking import file_size, require_space, unpack

# The most that a dropped connection loses of the bytes that have arrived.
BLOCK = 1 << 16
# A name that cannot be resolved, or a network without a route, is no matter of minutes.
ATTEMPTS_OFFLINE = 2
RETRIED_STATUS = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Archive:
    """A data set's zip file: address, bytes, MD5, and an estimate of the bytes it unpacks to."""

    url: str
    size: int
    md5: str
    unpacked: int


ARCHIVES = {
    "musdb18": Archive(
        "https://zenodo.org/records/1117372/files/musdb18.zip",
        4_684_228_845,
        "af06762477334799bfc5abf237648207",
        4_800_000_000,
    ),
    "musdb18hq": Archive(
        "https://zenodo.org/records/3338373/files/musdb18hq.zip",
        22_656_664_047,
        "12d4f2ecd55245a4688754dd76363103",
        33_000_000_000,
    ),
    # This checksum comes from one source, the others from the records' own pages: if a download
    # does not match, compare this value with the record first.
    "musdb18_7s": Archive(
        "https://zenodo.org/records/3270814/files/MUSDB18-7-STEMS.zip",
        147_209_385,
        "dc2bdfac5b46ce742bd60009866758a5",
        160_000_000,
    ),
}


class _Interrupted(Exception):
    """An attempt that ended early, for a reason that may be temporary."""


def download(
    archive: Archive, destination: Path, attempts: int = 6, wait: float = 2.0, timeout: float = 60.0
) -> None:
    """Download `archive` to `destination`, resuming from `destination.part`.

    Dropped connections and server errors are retried until `attempts` in a row have brought no new
    bytes, after pauses that double from `wait` s to a minute. A server that ignores the requested
    range restarts the download. A wrong length or checksum is a `UserError` and removes the part;
    so is a disk without space for both the archive and its content.
    """
    from tqdm import tqdm

    size = archive.size
    if file_size(destination) == size:
        return
    part = destination.with_name(destination.name + ".part")
    destination.parent.mkdir(parents=True, exist_ok=True)
    if file_size(part) > size:
        part.unlink()
    received = furthest = file_size(part)
    require_space(destination.parent, size - received + archive.unpacked)
    failures = 0
    with tqdm(None, destination.name, size, initial=received, unit="B", unit_scale=True) as bar:
        while (received := file_size(part)) < size:
            try:
                _attempt(archive, part, timeout, bar)
            except _Interrupted as error:
                received = file_size(part)
                failures = 0 if received > furthest else failures + 1
                furthest = max(furthest, received)
                if failures >= ATTEMPTS_OFFLINE and is_offline(error):
                    raise UserError(
                        f"cannot reach {archive.url}: {error}; connect to the internet, or copy "
                        "the data set here and name its folder as scales.*.data.root"
                    ) from None
                if failures >= attempts:
                    raise UserError(
                        f"cannot download {archive.url}: {error}; {part} keeps the bytes received, "
                        "run again to resume"
                    ) from None
                pause = min(60.0, wait * 2**failures)
                bar.write(f"{error}; retrying in {pause:.0f} s", file=sys.stderr)
                time.sleep(pause)
    with open(part, "rb") as file:
        md5 = hashlib.file_digest(file, "md5").hexdigest()
    if md5 != archive.md5:
        part.unlink()
        raise UserError(
            f"{archive.url}: the download's MD5 is {md5} instead of {archive.md5}; run again"
        )
    os.replace(part, destination)


def _attempt(archive: Archive, part: Path, timeout: float, bar: Any) -> None:
    """Append the body of one request to `part`.

    Raises `_Interrupted` when it ends early, `UserError` for an error that will not pass.
    """
    import requests
    import urllib3

    url, size, received = archive.url, archive.size, file_size(part)
    # identity: a compressed transfer would count other bytes than the file's.
    headers = {"Accept-Encoding": "identity"}
    if received:
        headers["Range"] = f"bytes={received}-"
    try:
        with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
            received = _body_start(archive, response, part, received)
            bar.update(received - bar.n)
            with open(part, "ab" if received else "wb") as file:
                for block in response.iter_content(BLOCK):
                    received += len(block)
                    if received > size:
                        break
                    file.write(block)
                    bar.update(len(block))
    # A redirect to no address raises the errors of the parsers of addresses.
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        if isinstance(error, (ValueError, requests.exceptions.TooManyRedirects)):
            raise UserError(f"cannot download {url}: {reason_of(error)}") from None
        raise _Interrupted(reason_of(error)) from error
    except OSError as error:
        if error.filename is None:
            error.filename = str(part)
        raise
    if received > size:
        part.unlink()
        raise UserError(f"{url}: the server sends more than the {size} bytes of the archive")
    if received < size:
        raise _Interrupted(f"the connection ended at {received} of {size} bytes")


def is_offline(error: BaseException) -> bool:
    """Return True if no host was reached: unknown name, or no route to it."""
    chain: list[BaseException] = [error]
    while chain:
        one = chain.pop()
        if isinstance(one, socket.gaierror):
            return True
        if isinstance(one, OSError) and one.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
            return True
        reasons = [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
        chain += [reason for reason in reasons if isinstance(reason, BaseException)]
    return False


def _body_start(archive: Archive, response: Any, part: Path, received: int) -> int:
    """Position in the file at which a response's body begins: `received`, or 0.

    Raises `_Interrupted` for a status worth a retry, `UserError` for any other failure.
    """
    url, size, status = archive.url, archive.size, response.status_code
    if status in RETRIED_STATUS:
        raise _Interrupted(f"HTTP status {status}")
    if status == 416:
        part.unlink(missing_ok=True)
        raise _Interrupted("the server refused to resume from the end of the last attempt")
    if status not in (200, 206):
        raise UserError(f"cannot download {url}: HTTP status {status} {response.reason}")
    start, total = 0, response.headers.get("Content-Length")
    if status == 206:
        content_range, _, total = response.headers.get("Content-Range", "").partition("/")
        start = received if content_range.startswith(f"bytes {received}-") else -1
    if start < 0 or (total is not None and total.isdigit() and int(total) != size):
        part.unlink(missing_ok=True)
        raise UserError(
            f"{url}: the server announces {total or 'no'} bytes, or a range that was not "
            f"requested, instead of {size} bytes: the file may have changed there"
        )
    return start


def fetch(dataset: str, root: Path, keep_archive: bool = False) -> Path:
    """Provide `dataset` below `root`, and return the folder with train/ and test/.

    A copy below `root` is used as it is. Otherwise the archive is downloaded into `root`, unpacked
    into `root`/tracks, and removed unless `keep_archive`.
    """
    if folder := tracks_root(root):
        return folder
    if dataset not in ARCHIVES:
        raise UserError(f"there are no folders train/ and test/ in {root}; name their folder")
    source = ARCHIVES[dataset]
    archive = root / source.url.rpartition("/")[2]
    download(source, archive)
    unpack(archive, root / "tracks")
    folder = tracks_root(root)
    if folder is None:
        raise UserError(f"{root / 'tracks'} has no train/ and test/; move it away and run again")
    if not keep_archive:
        archive.unlink()
    return folder
