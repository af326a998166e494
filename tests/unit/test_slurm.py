"""What programs ask SLURM, where there is none, and how its answers are read."""

import math

import pytest

from upsampling import slurm


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("0:59", 59 / 60),
        ("30:00", 30),
        ("23:59:30", 24 * 60 - 0.5),
        ("2-00:00:00", 2 * 24 * 60),
        ("UNLIMITED", math.inf),
        ("NOT_SET", math.inf),
    ],
)
def test_durations_as_slurm_writes_them(duration, expected):
    assert slurm.minutes(duration) == pytest.approx(expected)


def test_without_slurm_nothing_is_limited(monkeypatch, tmp_path):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm.minutes_left() == math.inf
    assert slurm.cpus() is None
    assert slurm.calls_jobs(tmp_path) == {}
    slurm.wait_for_calls(tmp_path, pytest.fail)


def test_a_job_is_taken_for_living_where_slurm_does_not_answer(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm.at_work("1")


def test_a_status_passes_through_where_there_is_no_job(monkeypatch, tmp_path):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(SystemExit) as end, slurm.queued_again(75, tmp_path, "*"):
        raise SystemExit(75)
    assert end.value.code == 75


def test_names_that_snakemake_gives_its_jobs():
    name = "upsampling_1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    assert slurm.NAME_OF_A_CALL.fullmatch(name)
    assert not slurm.NAME_OF_A_CALL.fullmatch("my_training")
