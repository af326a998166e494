"""A finished run is attacked: its files, programs and disks, and all that comes from elsewhere.

The run is made first, or named with --finished-run.
"""

import call_attack
import damage_attack
import disk_attack
import download_attack
import forgery_attack
import kill_attack
import odd_recordings
import pytest
import scores_attack
from finished_run import FinishedRun, Sandbox

# Of files that a job reads, and of end products.
DAMAGES = (300, 30)
RECORDINGS = 120
FORGERIES = 100
# Two or more of each kind of fault.
PUBLISHED = 48
DOWNLOADS = 76
DISKS = 60
# Three of each kind of fault.
CALLS = 27
KILLED_PROGRAMS = 90
KILLED_RUNS = 10
# A run from nothing takes minutes; most kills fall into its jobs.
LONGEST_WAIT_SECONDS = 50.0


@pytest.fixture
def box(finished: FinishedRun, tmp_path) -> Sandbox:
    return Sandbox.copy(finished, tmp_path / "copy")


def test_damaged_files(new_tally, finished, box):
    tally, unread = new_tally("damaged files"), new_tally("damaged end products")
    damage_attack.attack(tally, unread, finished, box, DAMAGES)
    assert tally.outcomes.total() == DAMAGES[0], "too few files are read"
    assert not tally.failures + unread.failures, "\n".join(tally.failures + unread.failures)


def test_odd_recordings(new_tally, tmp_path):
    tally = new_tally("recordings")
    odd_recordings.attack(tally, RECORDINGS, tmp_path)
    assert not tally.failures, "\n".join(tally.failures)


def test_forged_files(new_tally, finished, box):
    tally = new_tally("forged files")
    forgery_attack.attack(tally, finished, box, FORGERIES)
    assert not tally.failures, "\n".join(tally.failures)


def test_published_scores(new_tally, finished, box):
    tally = new_tally("published scores")
    scores_attack.attack(tally, finished, box, PUBLISHED)
    assert not tally.failures, "\n".join(tally.failures)


def test_downloads(new_tally, tmp_path):
    tally = new_tally("downloads")
    download_attack.attack(tally, DOWNLOADS, tmp_path)
    assert not tally.failures, "\n".join(tally.failures)


@pytest.mark.skipif(not disk_attack.can_mount(), reason="needs root, to mount small disks")
def test_disks(new_tally, finished, tmp_path):
    tally = new_tally("disks")
    disk_attack.attack(tally, finished, tmp_path, DISKS)
    assert not tally.failures, "\n".join(tally.failures)


@pytest.mark.skipif(not disk_attack.can_mount(), reason="needs root, to mount small disks")
def test_calls(new_tally, finished, tmp_path):
    tally = new_tally("calls of Snakemake")
    call_attack.attack(tally, finished, tmp_path, CALLS)
    assert not tally.failures, "\n".join(tally.failures)


def test_killed_programs(new_tally, finished, box):
    tally = new_tally("killed programs")
    kill_attack.attack_programs(tally, finished, box, KILLED_PROGRAMS)
    assert not tally.failures, "\n".join(tally.failures)


def test_killed_runs(new_tally, finished, tmp_path):
    tally = new_tally("killed runs")
    kill_attack.attack(tally, finished, tmp_path, KILLED_RUNS, LONGEST_WAIT_SECONDS)
    assert not tally.failures, "\n".join(tally.failures)


def test_every_program_that_a_rule_runs_is_attacked(finished):
    """Those that no job of this run needs: a download, pictures of the documentation, a check."""
    programs = {path.name for path in (finished.root / "scripts").glob("*.py")}
    others = {"download.py", "draw_documentation.py", "check_models.py"}
    assert programs - set(finished.by_program()) <= others
