"""A few attacks of each kind; tests/faults makes many."""

import config_attack
from tally import Tally

MUTANTS = 80


def test_wrong_configurations(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "empty").mkdir()
    tally = Tally("configurations", seed=1)
    config_attack.attack(tally, MUTANTS, tmp_path / "empty")
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.outcomes.total() == MUTANTS
    assert tally.outcomes["refused in one line"] > MUTANTS / 2
