"""A SLURM cluster on this one machine: real daemons, four nodes with four declared GPUs each.

`python tests/cluster/slurm_cluster.py up` and `down`, as root. `down` reverts the changes below
/etc (links in /etc/slurm, one line of /etc/hosts). The daemons' files, logs among them, are in
/tmp/upsampling-slurm.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

if __package__:
    from . import slurm_settings as settings
else:
    import slurm_settings as settings

FOLDER = Path("/tmp/upsampling-slurm")
ETC = Path("/etc/slurm")
HOSTS = Path("/etc/hosts")
MARK = "# upsampling-slurm"
# Where a program is missing, this package of Debian and Ubuntu brings it.
PACKAGES = {
    "munged": "munge",
    "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core",
    "mariadb": "mariadb-client-core",
    "slurmdbd": "slurmdbd",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
}
PLUGINS = "slurm-wlm-basic-plugins"


class Unavailable(Exception):
    """SLURM cannot run here; the message says why."""


def install() -> None:
    """Install missing packages by apt-get; `Unavailable` without root, apt-get or the packages."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"
    missing = {package for program, package in PACKAGES.items() if not shutil.which(program)}
    if not any(Path("/usr/lib").glob("*/slurm-wlm/gres_gpu.so")):
        missing.add(PLUGINS)
    if os.geteuid() != 0:
        raise Unavailable("SLURM's daemons need root")
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise Unavailable(f"there is no apt-get to install {', '.join(sorted(missing))}")
    # Packages would start daemons of their own.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        command = ["apt-get", "-q", "-o", "Acquire::Retries=3"]
        subprocess.run([*command, "update"], env=environment, capture_output=True)
        command += ["install", "-y", "--no-install-recommends", *sorted(missing)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    finally:
        if ours:
            policy.unlink()
    if done.returncode:
        raise Unavailable(f"apt-get cannot install {', '.join(sorted(missing))}: {done.stderr}")


class Cluster:
    """The cluster's daemons, by name, and the files that make them one cluster."""

    def __init__(self) -> None:
        self.pids = FOLDER / "pids.json"

    def up(self) -> None:
        """Start everything; `Unavailable` where another SLURM is configured or one fails."""
        self.down()
        for name in settings.FILES:
            if (ETC / name).exists():
                raise Unavailable(f"{ETC / name} exists: this machine has a SLURM of its own")
        self.configure()
        try:
            self.start_daemons()
        except Unavailable:
            self.down(keep_logs=True)
            raise

    def configure(self) -> None:
        """Write the configuration, and its links below /etc."""
        for name in ("etc", "run", "log", "state", "spool", "dev"):
            (FOLDER / name).mkdir(parents=True)
        devices = settings.make_devices(FOLDER / "dev")
        for name, text in settings.files(FOLDER, socket.gethostname().split(".")[0], devices):
            path = FOLDER / "etc" / name
            path.write_text(text)
            path.chmod(0o600 if name == "slurmdbd.conf" else 0o644)
        key = FOLDER / "etc" / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        if not ETC.exists():
            ETC.mkdir()
            (FOLDER / "made-etc").touch()
        # A job's own srun does not get SLURM_CONF passed on: it looks here.
        for name in settings.FILES:
            (ETC / name).unlink(missing_ok=True)
            (ETC / name).symlink_to(FOLDER / "etc" / name)
        # In place, since it may be mounted: processes on several nodes meet at a node's name.
        with HOSTS.open("a") as hosts:
            hosts.write(f"127.0.0.1 {' '.join(settings.NODES)} {MARK}\n")

    def start_daemons(self) -> None:
        """Start one after the other, each when the one that it needs answers."""
        run, log = FOLDER / "run", FOLDER / "log"
        self.start("munged", *settings.munged(FOLDER))
        self.wait("munged", 20, lambda: (run / "munge.socket").exists())
        command = settings.install_database(FOLDER)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"mariadb-install-db failed: {done.stderr}")
        self.start("mariadbd", *settings.mariadbd(FOLDER))
        client = ["mariadb", "--no-defaults", "-uroot", f"--socket={run / 'mysql.sock'}"]
        self.wait("mariadbd", 90, lambda: succeeds(*client, "-e", "select 1"))
        subprocess.run([*client, "-e", settings.DATABASE], check=True)
        self.start("slurmdbd", "slurmdbd", "-D")
        self.wait("slurmdbd", 90, lambda: succeeds("sacctmgr", "-n", "list", "cluster"))
        for words in settings.ACCOUNTS:
            done = subprocess.run(["sacctmgr", "-i", *words], capture_output=True, text=True)
            if done.returncode:
                raise Unavailable(f"sacctmgr {' '.join(words)}: {done.stdout} {done.stderr}")
        self.start("slurmctld", "slurmctld", "-D")
        for node in settings.NODES:
            self.start(f"slurmd.{node}", "slurmd", "-D", "-N", node)
        self.wait("slurmctld", 90, self.ready)
        assert log.exists()

    def ready(self) -> bool:
        """Return True if all nodes are idle."""
        states = output("sinfo", "--noheader", "--Node", "--format=%N %T").splitlines()
        idle = {line.split()[0] for line in states if line.endswith(" idle")}
        return idle == set(settings.NODES)

    def start(self, name: str, *command: str) -> None:
        """Start a daemon, in a session of its own, and note its process."""
        with open(FOLDER / "log" / f"{name}.out", "a") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        pids = self.noted() | {name: [process.pid, started(process.pid)]}
        self.pids.write_text(json.dumps(pids))

    def stop(self, name: str) -> None:
        """End a daemon that `start` started, and wait until it is gone."""
        pid, since = self.noted().get(name, [0, ""])
        for attempt in (signal.SIGTERM, signal.SIGKILL):
            if pid and since and started(pid) == since:
                os.kill(pid, attempt)
                ended = time.monotonic() + 10
                while started(pid) == since and time.monotonic() < ended:
                    time.sleep(0.05)

    def restart_controller(self) -> None:
        """End slurmctld and start it again, as its administrators would."""
        self.stop("slurmctld")
        time.sleep(3)
        self.start("slurmctld", "slurmctld", "-D")
        self.wait("slurmctld", 60, lambda: "is UP" in output("scontrol", "ping"))

    def down(self, keep_logs: bool = False) -> None:
        """End all jobs and daemons, and revert the changes below /etc."""
        noted = self.noted()
        if "slurmctld" in noted:
            self.cancel_all()
        order = [n for n in noted if n.startswith("slurmd.")]
        for name in [*order, "slurmctld", "slurmdbd", "mariadbd", "munged"]:
            self.stop(name)
        for name in settings.FILES:
            link = ETC / name
            if link.is_symlink() and Path(os.readlink(link)).is_relative_to(FOLDER):
                link.unlink()
        if (FOLDER / "made-etc").exists():
            ETC.rmdir()
        lines = HOSTS.read_text().splitlines(keepends=True)
        if any(line.rstrip().endswith(MARK) for line in lines):
            HOSTS.write_text("".join(line for line in lines if not line.rstrip().endswith(MARK)))
        if keep_logs:
            self.pids.unlink(missing_ok=True)
        else:
            shutil.rmtree(FOLDER, ignore_errors=True)

    def cancel_all(self) -> None:
        """Cancel every job and wait until none has a process left."""
        ids = output("squeue", "--noheader", "--format=%A").split()
        if ids:
            subprocess.run(["scancel", *ids], capture_output=True)
            deadline = time.monotonic() + 30
            while output("squeue", "--noheader", "--format=%A") and time.monotonic() < deadline:
                time.sleep(0.2)

    def noted(self) -> dict[str, list]:
        """Process number and beginning of each daemon that was started."""
        return json.loads(self.pids.read_text()) if self.pids.exists() else {}

    def wait(self, name: str, seconds: float, condition: Callable[[], bool]) -> None:
        """Wait for `condition`; `Unavailable`, with the end of its log, if it does not come."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                logs = [*FOLDER.glob(f"log/{name}*.log"), *FOLDER.glob(f"log/{name}*.out")]
                tails = [path.read_text(errors="replace")[-1000:] for path in logs]
                raise Unavailable(f"{name} is not ready after {seconds} s: {' '.join(tails)}")
            time.sleep(0.1)


def started(pid: int) -> str | None:
    """When a living process began, in clock ticks since the machine did; None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def output(*command: str) -> str:
    """Standard output of a command of SLURM, which may be down."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    except subprocess.TimeoutExpired:
        return ""


def succeeds(*command: str) -> bool:
    """Return True if a command succeeds within 10 s."""
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    if sys.argv[1:] not in (["up"], ["down"]):
        sys.exit(__doc__)
    try:
        if sys.argv[1] == "up":
            install()
            Cluster().up()
        else:
            Cluster().down()
    except Unavailable as reason:
        sys.exit(f"error: {reason}")
