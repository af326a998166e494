"""One mutant, tried: its tests are chosen by the functions that they execute."""

import contextlib
import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mutants import Mutant

PACKAGE = Path("scripts/upsampling")
# Tests of a mutant's module, of its room and of other rooms are chosen up to this sum, each.
SECONDS = 20.0
# A change is taken to never end if tests take five times as long as without it, and this longer.
MORE_SECONDS = 60.0


def room_of(module: Path) -> str:
    """The folder of a module, or `upsampling` for those beside the rooms."""
    return module.parts[0] if len(module.parts) > 1 else "upsampling"


@dataclass(frozen=True)
class Trial:
    """A mutant of one module, by its path below the package."""

    module: Path
    mutant: Mutant

    def __str__(self) -> str:
        return f"{self.module}:{self.mutant.line}: {self.mutant.change} in: {self.mutant.text}"

    @property
    def room(self) -> str:
        return room_of(self.module)

    @property
    def own_tests(self) -> str:
        """The test file of the module."""
        return str(Path("tests/unit") / self.module.with_name(f"test_{self.module.name}"))


@dataclass
class Coverage:
    """The tests that execute a function, by module and first line; and the seconds of each test.

    A test file in a test's place stands for the fixtures of the file.
    """

    tests: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @classmethod
    def merged(cls, records: Iterable[dict[str, Any]]) -> "Coverage":
        """Join what the processes of a run noted."""
        made = cls()
        for record in records:
            for test, functions in record["functions"].items():
                for module, line in functions:
                    made.tests[module, line].add(test)
            for test, seconds in record["seconds"].items():
                made.seconds[test] += seconds
        return made

    def of(self, trial: Trial) -> list[list[str]]:
        """Tests of the mutant's module, then of its room, of other rooms, and all of its room.

        The second and third are those that execute the mutant's function; a change outside
        functions belongs to all functions of its module, and to all tests of its room. The last
        are not limited: tests that run programs do not tell what these execute.
        """
        executing: set[str] = set()
        for (module, line), tests in self.tests.items():
            if module == str(trial.module) and trial.mutant.function in (0, line):
                executing |= tests
        groups: list[list[str]] = [[], [], []]
        room: list[str] = []
        for test in self.seconds:
            file = test.split("::")[0]
            is_of_room = Path(file).parent == Path(trial.own_tests).parent
            if is_of_room and "::" in test:
                room.append(test)
            if file == trial.own_tests:
                groups[0].append(test)
            elif not executing.isdisjoint((test, file)) or (
                is_of_room and trial.mutant.function == 0
            ):
                groups[1 if is_of_room else 2].append(test)
        return [*(self.fastest(group, executing) for group in groups), room]

    def fastest(self, tests: list[str], executing: set[str]) -> list[str]:
        """Of the tests that execute a function, then of others, the fast ones, up to `SECONDS`."""
        chosen, total = [], 0.0
        for test in sorted(tests, key=lambda t: (t not in executing, self.seconds[t], t)):
            total += self.seconds[test]
            if total > SECONDS:
                break
            chosen.append(test)
        return [test for test in chosen if "::" in test]


class Selection:
    """A pytest plugin: of the collected tests, the chosen ones, in their order."""

    def __init__(self, tests: list[str]) -> None:
        self.order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order),
            key=lambda item: self.order[item.nodeid],
        )


def survives(project: Path, trial: Trial, coverage: Coverage) -> bool:
    """Return True if the tests pass with the mutant in place."""
    path = project / PACKAGE / trial.module
    original = path.read_text()
    path.write_text(trial.mutant.source)
    try:
        return all(
            passes(project, tests, sum(coverage.seconds[test] for test in tests))
            for tests in coverage.of(trial)
            if tests
        )
    finally:
        path.write_text(original)


def passes(project: Path, tests: list[str], seconds: float) -> bool:
    """Return True if tests of that many `seconds` pass in a process that ends in time."""
    files = sorted({test.split("::")[0] for test in tests})
    child = os.fork()
    if not child:
        os.setsid()
        os.chdir(project)
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(silent, stream)
        signal.alarm(int(5 * seconds + MORE_SECONDS))
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
        os._exit(int(pytest.main([*options, *files], plugins=[Selection(tests)])) not in (0, 5))
    status = os.waitpid(child, 0)[1]
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return status == 0
