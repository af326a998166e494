"""A wrong configuration is refused in one line that names its key, in bounded time."""

from config_attack import LONGEST_LINE, attack, judge
from config_mutants import Mutant
from forked import Ended

MUTANTS = 3000


def test_config_mutants(new_tally, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "empty").mkdir()
    tally = new_tally("configurations")
    attack(tally, MUTANTS, tmp_path / "empty")
    assert not tally.failures, "\n".join(tally.failures)


def test_the_judge_refuses_what_is_no_message():
    """A judge that accepts all would find nothing."""
    mutant = Mutant(("training", "epochs"), "null")
    for output, status in (
        ("Traceback (most recent call last):\nerror: training.epochs: x", 1),
        ("error: training.epochs: x\nerror: training.epochs: x", 1),
        (f"error: training.epochs: {'x' * LONGEST_LINE}", 1),
        ("error: another.key: x", 1),
        ("error: training.epochs: x", 99),
    ):
        assert not judge(mutant, Ended(status, output))[0], output
    assert not judge(mutant, Ended(0, "", in_time=False))[0]
    assert judge(mutant, Ended(1, "error: training.epochs: x"))[0]
