"""The jobs and files of a finished run, as Snakemake recorded them, and their commands.

A new rule, program or file is found without any change here.
"""

import base64
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from forked import LONGEST_RUN, Ended, program

# Files that differ in each run, or tell about it.
TIMES = ("benchmarks", "messages.log", "timing.csv", ".lock", ".verified.json")
SIDECAR = ".track.json"
# Several processes would each load all modules.
PROCESSES = ("--workers", "--processes")


@dataclass(frozen=True)
class Job:
    """A job: its rule, program and arguments, inputs and outputs."""

    rule: str
    program: str
    arguments: tuple[str, ...]
    inputs: frozenset[str]
    outputs: frozenset[str]
    scripts: Path

    def concerns(self, path: str) -> bool:
        """Whether an argument names a file, a folder above it, or a pattern for it."""
        if path in self.inputs:
            return True
        return any(
            pattern.fullmatch(path) for word in self.arguments if (pattern := path_pattern(word))
        )

    def names_its_own(self, path: str) -> bool:
        """Whether a file fits a pattern that stands for outputs of this job."""
        patterns = [path_pattern(word) for word in self.arguments if "{" in word]
        return any(
            pattern and all(pattern.fullmatch(file) for file in (path, output))
            for pattern in patterns
            for output in self.outputs
        )

    def run(self, folder: Path, privileged: bool = True, limit: float = LONGEST_RUN) -> Ended:
        """Run the job's program in `folder`, and kill it after `limit` seconds."""
        return program(self.scripts / self.program, self.arguments, folder, privileged, limit)


@cache
def path_pattern(word: str) -> re.Pattern[str] | None:
    """What a path that an argument names, or a pattern with braces, matches; and all below it."""
    if "/" not in word:
        return None
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(word)) + "(/.*)?")


class FinishedRun:
    """A project in which Snakemake has run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def jobs(self) -> list[Job]:
        """All jobs that run a program, in the order in which they ran."""
        outputs: dict[str, set[str]] = {}
        records: dict[str, dict] = {}
        for path in sorted((self.root / ".snakemake" / "metadata").rglob("*")):
            if path.is_file():
                record = json.loads(path.read_text())
                records[record["shellcmd"]] = record
                name = _decoded(path.relative_to(self.root / ".snakemake" / "metadata"))
                outputs.setdefault(record["shellcmd"], set()).add(name)
        found = []
        for command, record in records.items():
            parsed = _arguments(command or "")
            if parsed:
                inputs = frozenset(record["input"])
                made = frozenset(outputs[command])
                job = Job(record["rule"], *parsed, inputs, made, self.root / "scripts")
                found.append((record["starttime"], job))
        return [job for _, job in sorted(found, key=lambda pair: pair[0])]

    @cached_property
    def files(self) -> list[str]:
        """All files of data and results, without those that differ in each run."""
        found = []
        for folder in ("data", "results"):
            for path in sorted((self.root / folder).rglob("*")):
                name = str(path.relative_to(self.root))
                if path.is_file() and not differs(name) and path.name != "README.md":
                    found.append(name)
        return found

    def by_program(self) -> dict[str, list[Job]]:
        """The jobs of each program."""
        groups: dict[str, list[Job]] = {}
        for job in self.jobs:
            groups.setdefault(job.program, []).append(job)
        return groups

    def written(self, job: Job) -> list[str]:
        """The files that a job was the first to write, declared or not."""
        return self._written.get(job, [])

    @cached_property
    def _written(self) -> dict[Job, list[str]]:
        found: dict[Job, list[str]] = {}
        for name in self.files:
            for owner in self.owners(name)[:1]:
                found.setdefault(owner, []).append(name)
        return found

    def owners(self, path: str) -> list[Job]:
        """Jobs that write a file: those with this output, else all whose arguments name it.

        A job whose outputs are named alike declares all that it writes under such names.
        """
        file = guarded_file(path)
        declared = [job for job in self.jobs if file in job.outputs]
        named = [job for job in self.jobs if job.concerns(file) and not job.names_its_own(file)]
        return declared or named

    def readers(self, path: str) -> list[Job]:
        """Jobs that may read a file, or the file of a checksum.

        The job that writes a file is not one of them, unless it alone names the file's folder.
        """
        file = guarded_file(path)
        jobs = [job for job in self.jobs if job.concerns(file) and file not in job.outputs]
        declared = any(file in job.outputs for job in self.jobs)
        return jobs if declared else jobs[1:] or jobs


def guarded_file(path: str) -> str:
    """The file of a checksum; any other file itself."""
    folder, middle, name = path.rpartition("/.checksums/")
    return f"{folder}/{name.removesuffix('.sha256')}" if middle else path


def differs(path: str) -> bool:
    """Whether a file differs in each run."""
    return any(part in TIMES for part in Path(path.removesuffix(".sha256")).parts)


def _decoded(path: Path) -> str:
    """The name of the output that a file of Snakemake's metadata is about."""
    text = "".join(part.removeprefix("@") for part in path.parts)
    return base64.b64decode(text).decode()


def _arguments(command: str) -> tuple[str, tuple[str, ...]] | None:
    """The program and arguments in a job's shell command."""
    words = shlex.split(command.replace('"$SCRIPTS"/', "$SCRIPTS/"))
    programs = [word for word in words if word.startswith("$SCRIPTS/")]
    if not programs:
        return None
    start = words.index(programs[0]) + 1
    ends = [place for place, word in enumerate(words) if word in ("2>&1", "|", ">")]
    arguments = words[start : min(ends, default=len(words))]
    for option in PROCESSES:
        if option in arguments:
            arguments[arguments.index(option) + 1] = "1"
    return programs[0].removeprefix("$SCRIPTS/"), tuple(arguments)


class Sandbox:
    """A folder with data and results like those of a finished run, which attacks may change."""

    def __init__(self, run: FinishedRun, root: Path) -> None:
        self.run, self.root = run, root

    @classmethod
    def copy(cls, run: FinishedRun, root: Path) -> "Sandbox":
        """Copy the finished run's configuration, data and results to `root`."""
        root.mkdir(parents=True, exist_ok=True)
        for name in ("data", "results"):
            shutil.copytree(run.root / name, root / name)
        shutil.copy2(run.root / "config.yaml", root / "config.yaml")
        return cls(run, root)

    def clear(self, job: Job) -> None:
        """Remove all files that a job writes."""
        for name in self.run.written(job):
            (self.root / name).unlink(missing_ok=True)

    def changed(self) -> Iterator[str]:
        """Files whose content differs from the finished run's, or that are missing.

        Those beside stored tracks hold the times of the files that they were decoded from.
        """
        for name in self.run.files:
            if SIDECAR in name and (self.root / name).is_file():
                continue
            ours, theirs = self.root / name, self.run.root / name
            if not ours.is_file():
                yield name
                continue
            before, after = theirs.stat(), ours.stat()
            same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
            if not same and ours.read_bytes() != theirs.read_bytes():
                yield name

    def added(self) -> list[Path]:
        """Files that the finished run does not have."""
        paths = [path for name in ("data", "results") for path in (self.root / name).rglob("*")]
        return [
            path
            for path in paths
            if path.is_file() and not (self.run.root / path.relative_to(self.root)).exists()
        ]

    def restore(self) -> None:
        """Make the copy as it was."""
        known = set()
        for folder in ("data", "results"):
            for source in (self.run.root / folder).rglob("*"):
                name = source.relative_to(self.run.root)
                target = self.root / name
                known.add(target)
                if source.is_dir():
                    if target.is_file() or target.is_symlink():
                        target.unlink()
                    target.mkdir(exist_ok=True)
                    continue
                if target.is_dir() and not target.is_symlink():
                    shutil.rmtree(target)
                before = source.stat()
                after = target.stat() if target.exists() else None
                if after is None or (before.st_size, before.st_mtime_ns, before.st_mode) != (
                    after.st_size, after.st_mtime_ns, after.st_mode
                ):  # fmt: skip
                    shutil.copy2(source, target)
        for folder in ("data", "results"):
            for path in sorted((self.root / folder).rglob("*"), reverse=True):
                if path not in known:
                    path.rmdir() if path.is_dir() else path.unlink()
