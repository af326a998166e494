"""Downloads from servers that misbehave, and hostile archives, through scripts/download.py."""

import hashlib
import io
import json
import os
import random
import runpy
import shutil
import socket
import stat
import struct
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from configurations import ROOT
from forked import Ended, forked
from tally import Tally

from upsampling.tracks import download
from upsampling.tracks.download import ARCHIVES, Archive

PROGRAM = ROOT / "scripts" / "download.py"
LONGEST_LINE = 400
LONGEST_SECONDS = 60.0
# In place of minutes, which the program waits for a server.
PAUSE, TIMEOUT = 0.001, 1.0
DATASET = "musdb18_7s"
Send = Callable[["Handler"], None]


def good_members(choice: random.Random) -> dict[str, bytes]:
    """Files of a small data set, whose archive is larger than a block of the transfer."""
    names = [f"{subset}/Artist - {n}.stem.mp4" for subset in ("train", "test") for n in range(2)]
    return {name: choice.randbytes(40_000) for name in names}


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class Server(ThreadingHTTPServer):
    """Answers each request with the next of `faults`, then properly."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.faults: list[Send] = []
        self.forever = False
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing when a client hangs up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        faults = self.server.faults
        if faults and self.path == "/data.zip":
            fault = faults[0] if self.server.forever else faults.pop(0)
            fault(self)
        else:
            self.proper()
        self.close_connection = True

    @property
    def start(self) -> int:
        """The first byte that is asked for."""
        asked = self.headers.get("Range")
        return int(asked[6:-1]) if asked else 0

    def proper(self, ranges: bool = True, most: int | None = None, pause: float = 0) -> None:
        """Send the content, or its first `most` bytes, in pieces with pauses between them."""
        content = self.server.content
        start = self.start if ranges else 0
        self.head(206 if start else 200, len(content) - start, start)
        body = content[start:][:most]
        size = max(1, len(body) // 10) if pause else len(body) or 1
        for place in range(0, len(body), size):
            self.wfile.write(body[place : place + size])
            time.sleep(pause)

    def head(self, status: int, length: int | str | None, start: int = 0, total: int = 0) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if status == 206:
            whole = total or len(self.server.content)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.end_headers()

    def reset(self) -> None:
        """End the connection without the handshake of its end."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


def cut(choice: random.Random) -> Send:
    places = random.Random(choice.random())
    return lambda handler: handler.proper(most=places.randrange(len(handler.server.content)))


def cut_without_ranges(choice: random.Random) -> Send:
    most = choice.randrange(1000, 100_000)
    return lambda handler: handler.proper(ranges=False, most=most)


def without_ranges(choice: random.Random) -> Send:
    return lambda handler: handler.proper(ranges=False)


def slow(choice: random.Random) -> Send:
    return lambda handler: handler.proper(pause=0.02)


def status(*statuses: int) -> Callable[[random.Random], Send]:
    def make(choice: random.Random) -> Send:
        number = choice.choice(statuses)
        return lambda handler: handler.head(number, 0)

    return make


def redirect(*targets: str) -> Callable[[random.Random], Send]:
    def make(choice: random.Random) -> Send:
        target = choice.choice(targets)

        def send(handler: Handler) -> None:
            handler.send_response(choice.choice([301, 302, 307]))
            if target:
                handler.send_header("Location", target)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        return send

    return make


def without_length(choice: random.Random) -> Send:
    def send(handler: Handler) -> None:
        handler.head(200, None)
        handler.wfile.write(handler.server.content)

    return send


def connection_reset(choice: random.Random) -> Send:
    def send(handler: Handler) -> None:
        handler.proper(most=1000)
        handler.reset()

    return send


def no_http(choice: random.Random) -> Send:
    answer = choice.choice([b"", b"SSH-2.0-x\r\n", b"\0" * 100, b"HTTP/1.1 abc\r\n\r\n"])
    return lambda handler: handler.wfile.write(answer) and None


def stall(choice: random.Random) -> Send:
    def send(handler: Handler) -> None:
        handler.proper(most=choice.choice([0, 1000]))
        time.sleep(1.5 * TIMEOUT)

    return send


def broken_chunks(choice: random.Random) -> Send:
    def send(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"10\r\n" + handler.server.content[:16] + b"\r\nno length\r\n")

    return send


def wrong_bytes(choice: random.Random) -> Send:
    place = choice.random()

    def send(handler: Handler) -> None:
        content = bytearray(handler.server.content)
        content[int(place * len(content))] ^= 1
        handler.head(200, len(content))
        handler.wfile.write(content)

    return send


def wrong_length(choice: random.Random) -> Send:
    length = choice.choice([0, 1, -5, 10**30, "x", "7", 99_999_999])

    def send(handler: Handler) -> None:
        handler.head(200, length)
        handler.wfile.write(handler.server.content)

    return send


def more_bytes(choice: random.Random) -> Send:
    def send(handler: Handler) -> None:
        handler.head(200, None)
        handler.wfile.write(handler.server.content + b"more")

    return send


def other_page(choice: random.Random) -> Send:
    """A page of a network that wants a password first."""
    page = b"<html>Sign in</html>"

    def send(handler: Handler) -> None:
        handler.head(200, choice.choice([len(page), None]))
        handler.wfile.write(page)

    return send


def compressed(choice: random.Random) -> Send:
    import gzip

    def send(handler: Handler) -> None:
        body = gzip.compress(handler.server.content)
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def wrong_range(choice: random.Random) -> Send:
    """Another part of the file than was asked for, or of another file."""
    offset, total = choice.choice([(1, 0), (0, 5_000_000), (10**6, 0)])

    def send(handler: Handler) -> None:
        content = handler.server.content
        handler.head(206, len(content) - handler.start, handler.start + offset, total)
        handler.wfile.write(content[handler.start :])

    return send


# Passing faults of a server, after which the download is to be complete.
PASSING: dict[str, Callable[[random.Random], Send]] = {
    "cut": cut,
    "cut without ranges": cut_without_ranges,
    "without ranges": without_ranges,
    "slow": slow,
    "busy": status(408, 425, 429, 500, 502, 503, 504),
    "moved": redirect("/elsewhere.zip"),
    "without a length": without_length,
    "reset": connection_reset,
    "no HTTP": no_http,
    "stalls": stall,
    "broken chunks": broken_chunks,
}
# Lasting faults, at each of which the program is to give up in one line.
LASTING: dict[str, Callable[[random.Random], Send]] = {
    "cut at one place": cut_without_ranges,
    "broken": status(500, 503),
    "gone": status(400, 401, 403, 404, 410, 451),
    "no content": status(200, 204, 206),
    "redirect loop": redirect("/data.zip"),
    "redirect elsewhere": redirect("file:///etc/passwd", "ftp://127.0.0.1/x", "//", "http://[", ""),
    "no HTTP": no_http,
    "stalls": stall,
    "broken chunks": broken_chunks,
    "wrong bytes": wrong_bytes,
    "wrong length": wrong_length,
    "more bytes": more_bytes,
    "another page": other_page,
    "compressed": compressed,
    "wrong range": wrong_range,
}


def patched(content: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """The archive with bytes of its first header of that signature replaced."""
    place = content.index(signature) + offset
    return content[:place] + value + content[place + len(value) :]


def encrypted(members: dict[str, bytes], choice: random.Random) -> bytes:
    content = patched(zipped(members), b"PK\x03\x04", 6, b"\x01")
    return patched(content, b"PK\x01\x02", 8, b"\x01")


def unknown_method(members: dict[str, bytes], choice: random.Random) -> bytes:
    method = choice.choice([b"\x63\x00", b"\x09\x00", b"\x5d\x00"])
    content = patched(zipped(members), b"PK\x03\x04", 8, method)
    return patched(content, b"PK\x01\x02", 10, method)


def damaged(members: dict[str, bytes], choice: random.Random) -> bytes:
    content = bytearray(zipped(members))
    content[choice.randrange(100, 30_000)] ^= 1 << choice.randrange(8)
    return bytes(content)


def damaged_directory(members: dict[str, bytes], choice: random.Random) -> bytes:
    """Bits of the archive's list of members are wrong."""
    content = bytearray(zipped(members))
    start = content.index(b"PK\x01\x02")
    # Sizes, the length of the name, and the place of the first member.
    content[start + choice.choice([20, 24, 28, 29, 42, 43])] ^= 1 << choice.randrange(8)
    return bytes(content)


def cut_archive(members: dict[str, bytes], choice: random.Random) -> bytes:
    content = zipped(members)
    return content[: choice.randrange(len(content))]


def no_zip(members: dict[str, bytes], choice: random.Random) -> bytes:
    return choice.choice([b"", b"<html>Sign in</html>", b"PK", bytes(100_000)])


def leaving(members: dict[str, bytes], choice: random.Random) -> bytes:
    names = ["../evil", "/evil", "train/../../evil", "..\\evil", "C:/evil", "C:evil", "//evil/x"]
    return zipped(members | {choice.choice(names): b"x"})


def linked(members: dict[str, bytes], choice: random.Random) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("train/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, choice.choice(["/etc", "../../..", "/etc/passwd"]))
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def clashing(members: dict[str, bytes], choice: random.Random) -> bytes:
    """Two members of one name, or a file and a folder of one name."""
    first = next(iter(members))
    others = [first.upper(), f"{first}/inside", f"./{first}", first.replace("/", "//"), "train"]
    return zipped(members | {choice.choice(others): b"other"})


def odd_member(members: dict[str, bytes], choice: random.Random) -> bytes:
    """Names that no file system takes."""
    return zipped(members | {choice.choice(["x" * 300, "train/" + "y/" * 3000 + "z"]): b"x"})


def bomb(members: dict[str, bytes], choice: random.Random) -> bytes:
    """More content than the disk holds, as the list of members says."""
    content = zipped(members)
    return patched(content, b"PK\x01\x02", 24, b"\xfe\xff\xff\xff") if choice.random() < 0.5 else (
        many_zeros()
    )  # fmt: skip


def many_zeros() -> bytes:
    """Members of 4 GB that share the bytes of one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train/0", bytes(10**6))
        first = archive.infolist()[0]
        for number in range(1, 5000):
            twin = zipfile.ZipInfo(f"train/{number}")
            for key in ("CRC", "compress_size", "compress_type", "header_offset"):
                setattr(twin, key, getattr(first, key))
            twin.file_size = 2**32 - 2
            archive.filelist.append(twin)
    return buffer.getvalue()


def without_subsets(members: dict[str, bytes], choice: random.Random) -> bytes:
    kept = choice.choice(["train", "test", "none"])
    return zipped({name: content for name, content in members.items() if name.startswith(kept)})


HOSTILE: tuple[Callable[[dict[str, bytes], random.Random], bytes], ...] = (
    encrypted, unknown_method, damaged, damaged_directory, cut_archive, no_zip, leaving, linked,
    clashing, odd_member, bomb, without_subsets,
)  # fmt: skip


def run(folder: Path, server: Server, content: bytes, url: str) -> Ended:
    """Run the rule's command where the data set's archive is `content`, served at `url`."""

    def child() -> None:
        os.chdir(folder)
        os.environ["NO_PROXY"] = "127.0.0.1"
        digest = hashlib.md5(content).hexdigest()
        ARCHIVES[DATASET] = Archive(url, len(content), digest, 0)
        download.download = partial(download.download, wait=PAUSE, timeout=TIMEOUT)
        arguments = ["--dataset", DATASET, "--root", "data", "--record", "store/dataset.json"]
        sys.argv = [str(PROGRAM), *arguments]
        runpy.run_path(str(PROGRAM), run_name="__main__")

    return forked(child, LONGEST_SECONDS)


def attack(tally: Tally, count: int, folder: Path) -> None:
    """Download `count` times: with each kind of passing and lasting fault, and hostile archive."""
    choice = random.Random(tally.seed)
    kinds = [*PASSING, *(f"always: {name}" for name in LASTING), *HOSTILE]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        place = folder / f"download{number}"
        place.mkdir()
        members = good_members(choice)
        content = zipped(members)
        if callable(kind):
            content = kind(members, choice)
        server = Server(content)
        if isinstance(kind, str):
            lasting = kind.startswith("always: ")
            make = LASTING[kind[8:]] if lasting else PASSING[kind]
            server.forever = lasting
            server.faults = [make(choice) for _ in range(1 if lasting else choice.randint(1, 3))]
            if choice.random() < 0.4 or kind.endswith("range"):
                begin(place, content, choice)
        what = kind if isinstance(kind, str) else kind.__name__
        end = run(place, server, content, server.url)
        usable = kind in PASSING
        good, how = complete(place, members, end) if usable else refused(place, end)
        if good and isinstance(kind, str) and not usable:
            # The server is mended: the same command goes on.
            server.faults = []
            good, how = complete(place, members, run(place, server, content, server.url))
            how = f"refused in one line, then {how}"
        server.shutdown()
        server.server_close()
        if good:
            tally.survived(how)
        else:
            tally.failed(how, f"{what}: {end.output[-700:]}")
        shutil.rmtree(place)


def begin(place: Path, content: bytes, choice: random.Random) -> None:
    """Leave a part of the archive, as an earlier call that was killed."""
    (place / "data").mkdir()
    (place / "data" / "data.zip.part").write_bytes(content[: choice.randrange(1, len(content))])


def complete(place: Path, members: dict[str, bytes], end: Ended) -> tuple[bool, str]:
    """Whether a download ended with all files of the archive, and nothing else."""
    if end.status or "Traceback" in end.output:
        return False, "not downloaded"
    root = place / "data" / "tracks"
    found = {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
    record = json.loads((place / "store" / "dataset.json").read_text())
    left = [path.name for path in (place / "data").iterdir()]
    good = found == members and left == ["tracks"] and set(record["files"]) == set(members)
    return good, "complete, same bytes" if good else "other bytes"


def refused(place: Path, end: Ended) -> tuple[bool, str]:
    """Whether a download was refused in one line, and wrote nothing that a later call uses."""
    errors = end.errors
    if not end.in_time:
        return False, "took too long"
    if end.status != 1 or len(errors) != 1 or "Traceback" in end.output:
        return False, "used, or gave a traceback or no message"
    if len(errors[0]) > LONGEST_LINE or "data" not in errors[0]:
        return False, "named no file, or gave a long line"
    written = [path for path in place.parent.rglob("*") if path.is_file() or path.is_symlink()]
    kept = ("data.zip", "data.zip.part")
    if others := [path for path in written if path.name not in kept]:
        return False, f"left {others[0].relative_to(place)}"
    return True, "refused in one line"
