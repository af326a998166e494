"""Counts of faults that were tried, for docs/reliability.md."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HEAD = """# Reliability

`make fault-test` attacks the pipeline and writes this table. The lists of files, programs and keys
that are attacked come from a finished run, the rules and the schema. No attack may change a number
without a message, and a user's mistake ends in one line, without a traceback. *Survived* counts the
attempts after which both held.

| attack | tried | survived | outcomes | seed |
|---|---|---|---|---|
"""


@dataclass
class Tally:
    """Outcomes of one kind of attack; `failures` describe those that were not survived."""

    attack: str
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def survived(self, outcome: str) -> None:
        """Count an attempt that ended well."""
        self.outcomes[outcome] += 1

    def failed(self, outcome: str, what: str) -> None:
        """Count an attempt that did not, and keep a description."""
        self.outcomes[outcome] += 1
        self.failures.append(f"{outcome}: {what}")

    @property
    def row(self) -> str:
        """A row of the table."""
        tried = self.outcomes.total()
        how = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        cells = (self.attack, f"{tried:,}", f"{tried - len(self.failures):,}", how, self.seed)
        return f"| {' | '.join(map(str, cells))} |"


def write_table(path: Path, tallies: list[Tally]) -> str:
    """Replace the rows of these attacks in the table at `path`; return the table."""
    before = path.read_text() if path.exists() else HEAD
    rows = {tally.attack: tally.row for tally in tallies}
    known = {match[1]: match[0] for match in re.finditer(r"(?m)^\| ([^|]+) \|.*$", before)}
    for attack in ("attack", *rows):
        known.pop(attack, None)
    kept = {attack: row for attack, row in known.items() if not attack.startswith("-")}
    table = "\n".join(row for _, row in sorted((kept | rows).items()))
    tail = before.rpartition(" |\n")[2] if path.exists() else ""
    path.write_text(f"{HEAD}{table}\n{tail}")
    return table
