"""Projects of a cluster's user: copies with tiny settings, on a SLURM brought up for them."""

import copy
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from training_runs import RESULTS

from ..workflow.conftest import Project, copy_project
from .slurm_cluster import Cluster, Unavailable, install, output

SITE = "tests/cluster/profile"
PROFILES = ("--profile", "slurm", "--profile", SITE)
TRAINING = {
    "slurm_partition": "gpu",
    "gres": "gpu:v100:4",
    "mem_mb": 2000,
    "runtime": 20,
    "requeue": 1,
}
# Seconds without progress, and of a whole call, after which a test gives up; machines may be slow.
PATIENCE = 600
LONGEST_CALL = 1500
TIMELINE = ("--allocations", "--duplicates", "--format=JobID,Submit,Start,End,State,Comment%60")
FIELDS = ("JobID", "State", "Partition", "NodeList", "NNodes", "ReqTRES", "AllocTRES", "Comment")


@dataclass
class User(Project):
    """A working copy on the cluster's shared disk, and its user's commands."""

    calls: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `snakemake --profile slurm`; its messages go to the file `messages`."""
        with open(self.root / "messages", "a") as messages:
            call = subprocess.Popen(
                [sys.executable, "-m", "snakemake", *PROFILES, *arguments],
                cwd=self.root,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=messages,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.calls.append(call)
        return call

    def leave(self) -> None:
        """End calls that a failed test left behind."""
        for call in self.calls:
            call.kill()
            call.wait()

    def submit(self, *arguments: str, check: bool = True) -> str:
        """Run `snakemake --profile slurm` to its end and return its messages."""
        return self.finish(self.start(*arguments), check)

    def finish(self, process: subprocess.Popen[str], check: bool = True) -> str:
        """Wait for a started call and return its messages; it is stuck if none comes for long.

        The executor waits longer, up to three minutes, the longer no job has ended.
        """
        length, since = -1, time.monotonic()
        end = since + LONGEST_CALL
        while process.poll() is None and time.monotonic() < min(since + PATIENCE, end):
            time.sleep(0.3)
            if len(self.messages) != length:
                length, since = len(self.messages), time.monotonic()
        if (status := process.poll()) is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)
        assert not check or status == 0, self.messages[-6000:] + output("sacct", *TIMELINE)
        return self.messages

    @property
    def messages(self) -> str:
        return (self.root / "messages").read_text()

    def jobs(self, rule: str = "") -> list[dict[str, str]]:
        """Accounting's entries of this project's jobs whose comment begins with `rule`.

        One entry per start of a job: requeued jobs have several.
        """
        command = ["sacct", "--allocations", "--duplicates", "--parsable2", "--noheader"]
        names = ",".join((*FIELDS, "WorkDir"))
        lines = output(*command, f"--format={names}", "--starttime=now-1day").splitlines()
        rows = [dict(zip((*FIELDS, "WorkDir"), line.split("|"), strict=True)) for line in lines]
        here = [row for row in rows if Path(row["WorkDir"]) == self.root]
        return [row for row in here if row["Comment"].startswith(rule)]

    def running(self, rule: str) -> str | None:
        """The number of a running job of this project, by its comment."""
        for line in output("squeue", "--noheader", "--format=%i|%T|%k|%Z").splitlines():
            number, state, comment, folder = line.strip().split("|")
            if state == "RUNNING" and comment == rule and Path(folder) == self.root:
                return number
        return None

    def log(self, variant: str) -> str:
        """The messages of all jobs of a variant's training, in order."""
        path = self.results(f"checkpoints/{variant}/seed0/messages.log")
        return path.read_text() if path.exists() else ""

    def model(self, variant: str) -> dict[str, bytes]:
        """The bytes of a trained model's files that two equal runs share."""
        folder = self.results(f"models/{variant}/seed0")
        return {name: (folder / name).read_bytes() for name in RESULTS}

    def by_hand(self, *variants: str) -> "User":
        """A copy of this project, where the variants are trained without a cluster, left alone."""
        copied = self.root.with_name(f"by_hand{len(list(self.root.parent.glob('by_hand*')))}")
        copied.mkdir()
        for name in ("config.yaml", "Snakefile", "rules", "scripts", "schemas", "envs", "report",
                     "profiles", "data"):  # fmt: skip
            path = self.root / name
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, copied / name)
        other = User(copied)
        targets = [model(variant) for variant in variants]
        other.snakemake(*targets, "--cores", "2", "--set-threads", "train=1", "--quiet", "rules")
        return other


def model(variant: str) -> str:
    """The file that says that a variant is trained, as a target."""
    return f"results/demo/models/{variant}/seed0/spec.json"


def wait_until(what: str, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`; fails when none comes."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.3)
    return value


def epochs(log: str) -> list[int]:
    """The epochs that a training log reports, in its order."""
    return [int(number) for number in re.findall(r": epoch (\d+)/", log)]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A SLURM of this machine's own; tests that need it are skipped where it cannot run."""
    made = Cluster()
    try:
        install()
        made.up()
    except Unavailable as reason:
        pytest.skip(f"SLURM cannot run here: {reason}")
    yield made
    made.down()


def config(project: Project, variants: dict[str, Any], **sections: dict[str, Any]) -> None:
    """Make `project` one of these variants alone, with changes of the demo's sections."""
    values = copy.deepcopy(project.config)
    values["variants"] = variants
    values["audits"] = {}
    names = list(variants)
    values["figures"]["figure1"]["panels"] = values["figures"]["figure9"]["panels"] = names[:1]
    for section, changes in sections.items():
        values["scales"]["demo"].setdefault(section, {}).update(changes)
    project.config = values


@pytest.fixture(scope="session")
def tracks(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared tracks of the tiny project, which the others copy."""
    made = copy_project(tmp_path_factory.mktemp("tracks"))
    made.snakemake("data/demo/store/manifest.json", "--cores", "2", "--quiet", "rules")
    return made.root


@pytest.fixture
def user(tracks: Path, tmp_path: Path) -> Iterator[User]:
    """A project whose tracks are prepared, and whose training jobs take a GPU node each."""
    made = User(copy_project(tmp_path / "project").root)
    for name in ("data", ".snakemake"):
        shutil.copytree(tracks / name, made.root / name, dirs_exist_ok=True)
    site = yaml.safe_load((made.root / SITE / "config.yaml").read_text())
    site["set-threads"] = {"train": 1}
    site["set-resources"] = {"train": TRAINING}
    (made.root / SITE / "config.yaml").write_text(yaml.safe_dump(site))
    yield made
    made.leave()
