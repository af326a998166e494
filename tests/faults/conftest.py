"""Options of the attacks, and the table of what they found."""

from pathlib import Path

import pytest
from finished_run import FinishedRun
from tally import Tally, write_table

from ..workflow.conftest import copy_project

TABLE = Path(__file__).parents[2] / "docs" / "reliability.md"
# For the programs that the tiny project does without.
FURTHER = {
    "strided": {"operator": "nearest", "training": {"loss": "features"}},
    "dense": {"operator": "nearest", "training": {"loss": "features_dense"}},
    "repaired": {"repair": {"of": "transposed", "aim": "silence"}},
}
TALLIES = pytest.StashKey[list[Tally]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-seed", type=int, default=0, help="decides which attacks are made")

    parser.addoption("--finished-run", type=Path, help="a finished tiny project; none is made then")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLIES] = []


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of all random choices."""
    return int(request.config.getoption("--fault-seed"))


@pytest.fixture(scope="session")
def finished(request: pytest.FixtureRequest, tmp_path_factory) -> FinishedRun:
    """A finished run of the tiny project, which no attack changes."""
    root = request.config.getoption("--finished-run")
    if root is None:
        project = copy_project(tmp_path_factory.mktemp("finished"))
        project.config = project.config | {"variants": project.config["variants"] | FURTHER}
        project.snakemake("--cores", "2", "--quiet", "rules")
        root = project.root
    return FinishedRun(root)


@pytest.fixture
def new_tally(request: pytest.FixtureRequest, seed: int):
    """A function that makes the tally of one kind of attack."""

    def make(attack: str) -> Tally:
        tally = Tally(attack, seed)
        request.config.stash[TALLIES].append(tally)
        return tally

    return make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    config = terminalreporter.config
    tallies = config.stash[TALLIES]
    if not tallies:
        return
    for tally in tallies:
        terminalreporter.write_line(tally.row)
    write_table(TABLE, tallies)
    terminalreporter.write_line(f"written to {TABLE}")
