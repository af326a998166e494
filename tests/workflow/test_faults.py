"""A few attacks of each kind; tests/faults makes many."""

import call_attack
import config_attack
import damage_attack
import disk_attack
import download_attack
import odd_recordings
import pytest
import scores_attack
from finished_run import FinishedRun, Sandbox
from tally import Tally

from upsampling.files import checksum_path

MUTANTS = 80
RECORDINGS = 15
DAMAGES = 6
PUBLISHED = 8
DOWNLOADS = 20
CALLS = 2


def test_wrong_configurations(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "empty").mkdir()
    tally = Tally("configurations", seed=1)
    config_attack.attack(tally, MUTANTS, tmp_path / "empty")
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.outcomes.total() == MUTANTS
    assert tally.outcomes["refused in one line"] > MUTANTS / 2


def test_odd_recordings(tmp_path):
    tally = Tally("recordings", seed=1)
    odd_recordings.attack(tally, RECORDINGS, tmp_path)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.outcomes["stored"] > 1
    assert tally.outcomes["refused in one line"] > 3


def test_damaged_files(project, tmp_path):
    """A flipped bit in each of a few files that a program reads is named by that program."""
    run = FinishedRun(project.root)
    box = Sandbox.copy(run, tmp_path / "copy")
    tally = Tally("damaged files", seed=1)
    read = ("best.safetensors", "measures.csv", "artifacts.csv", "spec.json", "nearest.npz")
    names = [name for name in run.files if name.endswith(read) and run.readers(name)]
    for name in names[:DAMAGES]:
        damage_attack.attack_one(tally, run, box, name, damage_attack.flip_bit)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.outcomes["named in one line"] == DAMAGES


def test_downloads(tmp_path):
    tally = Tally("downloads", seed=2)
    download_attack.attack(tally, DOWNLOADS, tmp_path)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.outcomes["complete, same bytes"] > 8
    assert tally.outcomes["refused in one line, then complete, same bytes"] > 5


@pytest.mark.skipif(not disk_attack.can_mount(), reason="needs root, to mount small disks")
def test_calls_of_snakemake(project, tmp_path):
    tally = Tally("calls of Snakemake", seed=0)
    call_attack.attack(tally, FinishedRun(project.root), tmp_path, CALLS)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.outcomes.total() == CALLS


def test_published_scores(project, tmp_path):
    run = FinishedRun(project.root)
    tally = Tally("published scores", seed=1)
    scores_attack.attack(tally, run, Sandbox.copy(run, tmp_path / "copy"), PUBLISHED)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.outcomes["used, with the right number"] > 2
    assert tally.outcomes["refused in one line"] > 2


def test_what_another_job_reads_has_a_checksum(project):
    """Files of tensors have theirs inside."""
    run = FinishedRun(project.root)
    read = {name for job in run.jobs for name in job.inputs}
    made = {name for job in run.jobs for name in job.outputs if not name.endswith(".safetensors")}
    assert len(read & made) > 20
    for name in sorted(read & made):
        assert checksum_path(project.root / name).is_file(), name
