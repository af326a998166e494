"""Downloads from an HTTP server on this machine, which serves ranges and fails on request."""

import errno
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from upsampling.errors import UserError
from upsampling.tracks import download as module
from upsampling.tracks.download import ARCHIVES, Archive, download, fetch
from upsampling.tracks.listing import tracks_root

ROOT = Path(__file__).parents[3]
CONTENT = np.random.default_rng(0).bytes(700_001)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `content`; the other attributes set its failures, and `requests` logs the requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.ranges = True
        self.announce = True
        self.cuts = []
        self.statuses = []
        self.moved = "/data.zip"
        self.requests = []

    def handle_error(self, request, client_address):
        """Print nothing when a client hangs up, as it does when it refuses the content."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/data.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.requests.append((self.path, asked))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", server.moved)
            self.end_headers()
            return
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        start = int(asked[6:-1]) if asked and server.ranges else 0
        if start >= len(server.content):
            self.send_error(416)
            return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if server.announce:
            self.send_header("Content-Length", str(len(body)))
        if start:
            last = len(server.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(server.content)}")
        self.end_headers()
        self.wfile.write(body[: server.cuts.pop(0) if server.cuts else None])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def get(server, tmp_path):
    """Download from the server to tmp_path/data.zip without long pauses; returns the path."""

    def run(url=server.url, unpacked=0):
        target = tmp_path / "data.zip"
        archive = Archive(url, len(CONTENT), MD5, unpacked)
        download(archive, target, attempts=3, wait=0.001, timeout=10.0)
        return target

    return run


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_download_is_complete_and_done_once(get, server, tmp_path):
    assert get().read_bytes() == CONTENT
    get()
    assert server.requests == [("/data.zip", None)]
    assert left(tmp_path) == ["data.zip"]


def test_dropped_connections_resume_where_they_ended(get, server, tmp_path):
    server.cuts = list(np.random.default_rng(1).integers(70_000, 150_000, 4))
    assert get().read_bytes() == CONTENT
    assert len(server.requests) == 5
    starts = [0] + [int(asked[6:-1]) for _, asked in server.requests[1:]]
    lost = np.cumsum([0, *np.random.default_rng(1).integers(70_000, 150_000, 4)]) - starts
    # Each dropped connection loses one block at most.
    assert np.all(np.diff(lost) >= 0)
    assert np.all(np.diff(lost) <= module.BLOCK)
    assert left(tmp_path) == ["data.zip"]


@pytest.mark.parametrize("point", np.random.default_rng(2).integers(0, len(CONTENT), 10).tolist())
def test_a_connection_may_be_cut_anywhere(get, server, tmp_path, point):
    server.cuts = [point]
    assert get().read_bytes() == CONTENT
    assert len(server.requests) == 2
    assert left(tmp_path) == ["data.zip"]


def test_the_part_of_an_earlier_run_is_resumed(get, server, tmp_path):
    (tmp_path / "data.zip.part").write_bytes(CONTENT[:12345])
    assert get().read_bytes() == CONTENT
    assert server.requests == [("/data.zip", "bytes=12345-")]


def test_a_server_without_ranges_starts_over(get, server, tmp_path):
    server.ranges = False
    server.cuts = [300_000]
    (tmp_path / "data.zip.part").write_bytes(b"x" * 12345)
    assert get().read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_server_errors_are_retried(get, server):
    server.statuses = [500, 503]
    assert get().read_bytes() == CONTENT
    assert len(server.requests) == 3


def test_lasting_server_errors_end_in_one_line_and_keep_the_part(get, server, tmp_path):
    (tmp_path / "data.zip.part").write_bytes(CONTENT[:1000])
    server.statuses = [500] * 3
    with pytest.raises(UserError, match=r"HTTP status 500.*run again to resume"):
        get()
    assert len(server.requests) == 3
    assert left(tmp_path) == ["data.zip.part"]
    assert get().read_bytes() == CONTENT


def test_a_missing_page_is_not_retried(get, server, tmp_path):
    server.statuses = [404]
    with pytest.raises(UserError, match="HTTP status 404"):
        get()
    assert len(server.requests) == 1
    assert left(tmp_path) == []


def test_redirects_are_followed_with_the_range(get, server, tmp_path):
    (tmp_path / "data.zip.part").write_bytes(CONTENT[:500])
    assert get(server.url.replace("data.zip", "moved")).read_bytes() == CONTENT
    assert server.requests == [("/moved", "bytes=500-"), ("/data.zip", "bytes=500-")]


@pytest.mark.parametrize("begun", [0, 1000])
@pytest.mark.parametrize("change", [-7, 7])
def test_another_announced_length_is_refused(get, server, tmp_path, change, begun):
    server.content = (CONTENT + b"1234567")[: len(CONTENT) + change]
    if begun:
        (tmp_path / "data.zip.part").write_bytes(CONTENT[:begun])
    with pytest.raises(UserError, match=f"instead of {len(CONTENT)} bytes"):
        get()
    assert left(tmp_path) == []


def test_too_many_bytes_without_a_length_are_refused(get, server, tmp_path):
    server.announce = False
    server.content = CONTENT + b"more"
    with pytest.raises(UserError, match="more than the 700001 bytes"):
        get()
    assert left(tmp_path) == []


def test_too_few_bytes_without_a_length_end_the_download(get, server, tmp_path):
    server.announce = False
    server.content = CONTENT[:-5]
    with pytest.raises(UserError, match="cannot download"):
        get()
    assert "data.zip" not in left(tmp_path)


def test_wrong_content_is_refused_and_removed(get, server, tmp_path):
    server.content = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    with pytest.raises(UserError, match=f"instead of {MD5}"):
        get()
    assert left(tmp_path) == []


@pytest.mark.parametrize("target", ["http://[", "http://a b:x/", "file:///etc/passwd", "//"])
def test_a_redirect_to_no_address_ends_in_one_line(get, server, target):
    server.moved = target
    with pytest.raises(UserError, match="cannot download") as caught:
        get(server.url.replace("data.zip", "moved"))
    assert "\n" not in str(caught.value)


def test_no_server_at_all_ends_in_one_line(get, server, tmp_path):
    with pytest.raises(UserError, match="cannot download"):
        get("http://127.0.0.1:1/data.zip")
    with pytest.raises(UserError, match="cannot download"):
        get("no-protocol/data.zip")
    assert server.requests == []


def test_too_small_a_disk_is_found_before_anything_is_downloaded(get, server, tmp_path):
    with pytest.raises(UserError, match=r"not enough space in .* GB needed"):
        get(unpacked=10**18)
    assert server.requests == []
    assert left(tmp_path) == []


def test_without_a_connection_a_download_fails_in_seconds(tmp_path):
    archive = Archive("http://data.invalid/file.zip", 10, "0" * 32, 0)
    begun = time.monotonic()
    with pytest.raises(
        UserError, match=r"cannot reach .*name its folder as scales\.\*\.data\.root"
    ):
        download(archive, tmp_path / "file.zip")
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("inside", ["", "MUSDB18/"])
def test_fetch_downloads_unpacks_and_tidies(server, tmp_path, monkeypatch, inside):
    with zipfile.ZipFile(tmp_path / "served", "w") as archive:
        archive.writestr(f"{inside}train/x", b"1")
        archive.writestr(f"{inside}test/y", b"2")
    server.content = (tmp_path / "served").read_bytes()
    md5 = hashlib.md5(server.content).hexdigest()
    monkeypatch.setitem(ARCHIVES, "small", Archive(server.url, len(server.content), md5, 100))
    root = tmp_path / "root"
    folder = fetch("small", root)
    assert folder == root / "tracks" / inside
    assert (folder / "train" / "x").read_bytes() == b"1"
    assert left(root) == ["tracks"]
    assert fetch("small", root) == folder
    assert len(server.requests) == 1


def test_tracks_are_found_in_a_folder_of_their_own_or_not_at_all(tmp_path):
    assert tracks_root(tmp_path / "nowhere") is None
    (tmp_path / "a" / "train").mkdir(parents=True)
    assert tracks_root(tmp_path) is None
    (tmp_path / "a" / "test").mkdir()
    assert tracks_root(tmp_path) == tmp_path / "a"
    assert tracks_root(tmp_path / "a") == tmp_path / "a"


def test_the_program_uses_an_existing_copy(tmp_path):
    for subset in ("train", "test"):
        (tmp_path / subset).mkdir()
    record = tmp_path / "store" / "dataset.json"
    command = [sys.executable, "scripts/download.py", "--dataset", "musdb18hq"]
    command += ["--root", str(tmp_path), "--record", str(record)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(record.read_text()) == {
        "dataset": "musdb18hq", "folder": str(tmp_path), "files": {}
    }  # fmt: skip


def test_addresses_are_complete():
    for source in ARCHIVES.values():
        assert source.url.startswith("https://zenodo.org/records/")
        assert source.url.endswith(".zip")
        assert len(bytes.fromhex(source.md5)) == 16
        assert source.unpacked > source.size


@pytest.mark.parametrize(
    ("error", "offline"),
    [
        (socket.gaierror("no such name"), True),
        (OSError(errno.ENETUNREACH, "unreachable"), True),
        (OSError(errno.EHOSTUNREACH, "unreachable"), True),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), False),
        (TimeoutError(), False),
    ],
)
def test_no_network_is_told_from_a_server_that_is_down(error, offline):
    assert module.is_offline(error) == offline
    wrapped = RuntimeError("pool")
    wrapped.reason = error
    assert module.is_offline(RuntimeError(wrapped)) == offline
