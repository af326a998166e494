"""SLURM queries: their answers are parsed, and without SLURM nothing is limited.

A shell script stands for the cluster's squeue and scontrol, as tests/cluster runs real ones.
"""

import math
import sys
from pathlib import Path

import pytest

from upsampling import slurm

UUID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"


@pytest.fixture
def answer(monkeypatch, tmp_path):
    """Make programs print given lines; `answer.calls` lists their calls."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    monkeypatch.setenv("SLURM_JOB_ID", "7")

    def install(name: str, *lines: str, error: str = "") -> None:
        script = [f'echo {name} "$@" >> {folder}/calls', *(f"echo '{line}'" for line in lines)]
        if error:
            script += [f"echo '{error}' >&2", "exit 1"]
        (folder / name).write_text("\n".join(["#!/bin/sh", *script]) + "\n")
        (folder / name).chmod(0o755)

    install.calls = lambda: (folder / "calls").read_text().splitlines()  # type: ignore[attr-defined]
    return install


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
def test_durations_in_slurms_notation(duration, expected):
    assert slurm.minutes(duration) == pytest.approx(expected)


def test_without_slurm_nothing_is_limited(monkeypatch, tmp_path):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm.current_job() is None
    assert slurm.minutes_left() == math.inf
    assert slurm.cpus() is None
    assert slurm.snakemake_jobs(tmp_path) == {}
    slurm.wait_for_snakemake_jobs(tmp_path, pytest.fail)


def test_a_job_may_be_alive_where_slurm_does_not_answer(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm.may_be_alive("1")


@pytest.mark.parametrize(
    ("state", "alive"),
    [("RUNNING", True), ("COMPLETING", True), ("PENDING", False), ("FAILED", False)],
)
def test_a_job_is_alive_in_some_states(answer, state, alive):
    answer("squeue", state)
    assert slurm.may_be_alive("9") == alive
    assert answer.calls() == ["squeue --noheader --jobs=9 --format=%T"]


def test_a_forgotten_job_has_ended_and_a_broken_controller_tells_nothing(answer):
    answer("squeue", error="slurm_load_jobs error: Invalid job id specified")
    assert slurm.squeue("--jobs=9") == ""
    assert not slurm.may_be_alive("9")
    answer("squeue", error="Unable to contact slurm controller")
    assert slurm.squeue("--jobs=9") is None
    assert slurm.may_be_alive("9")


def test_limits_and_cpus_of_this_job(answer):
    answer("squeue", "1-02:30:00")
    assert slurm.minutes_left() == pytest.approx(26.5 * 60 - slurm.EXIT_MINUTES)
    answer("squeue", "UNLIMITED")
    assert slurm.minutes_left() == math.inf
    answer("squeue", "24")
    assert slurm.cpus() == 24
    assert all("--jobs=7" in call for call in answer.calls())


def test_jobs_of_a_snakemake_in_this_folder_are_found(answer, tmp_path):
    answer(
        "squeue",
        f"1|{UUID}|rule_train_a|{tmp_path}",
        f"2|upsampling_{UUID}|rule_score_b|{tmp_path}",
        f"3|{UUID}|rule_train_a|{tmp_path}/elsewhere",
        f"4|my_training|rule_train_a|{tmp_path}",
    )
    assert slurm.snakemake_jobs(tmp_path) == {"1": "rule_train_a", "2": "rule_score_b"}


def test_waiting_ends_with_the_last_job_and_reports_each_set_once(answer, tmp_path, monkeypatch):
    monkeypatch.setattr(slurm, "POLL_SECONDS", 0)
    jobs = [f"{n}|{UUID}|train {n}|{tmp_path}" for n in (1, 2)]
    answers = [jobs[:1], jobs[:1], jobs, jobs[1:], []]
    messages = []
    original = slurm.squeue

    def squeue(*options: str) -> str | None:
        answer("squeue", *answers.pop(0))
        return original(*options)

    monkeypatch.setattr(slurm, "squeue", squeue)
    slurm.wait_for_snakemake_jobs(tmp_path, messages.append)
    assert answers == []
    first, second = messages
    assert "scancel 1 (" in first
    assert "scancel 1 2 (" in second


def leave(folder: Path, status: int, *, progress: bool) -> str | int | None:
    """Exit with `status` from a block that requeues on 75; return the exit status."""
    try:
        with slurm.requeue_on_exit(75, folder, "epoch*"):
            if progress:
                (folder / "epoch1").touch()
            sys.exit(status)
    except SystemExit as end:
        return end.code


def test_a_job_with_progress_is_requeued(answer, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(slurm, "REQUEUE_SECONDS", 0)
    answer("squeue", "RUNNING")
    answer("scontrol")
    assert leave(tmp_path, 75, progress=True) == 75
    assert answer.calls()[-1] == "scontrol requeue 7"
    assert "job 7 is requeued\n" in capsys.readouterr().err
    answer("scontrol", error="Requeue is disabled")
    (tmp_path / "epoch1").unlink()
    leave(tmp_path, 75, progress=True)
    assert "job 7 is not requeued: Requeue is disabled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("state", "status", "progress", "message"),
    [
        ("RUNNING", 75, False, "job 7 is not requeued: it made no progress"),
        ("COMPLETING", 75, True, ""),
        ("RUNNING", 1, True, ""),
    ],
)
def test_other_jobs_are_not_requeued(answer, tmp_path, capsys, state, status, progress, message):
    answer("squeue", state)
    answer("scontrol")
    assert leave(tmp_path, status, progress=progress) == status
    shown = capsys.readouterr().err
    assert shown.startswith(message) if message else shown == ""
    calls = tmp_path / "bin" / "calls"
    assert not calls.exists() or "scontrol" not in calls.read_text()


def test_outside_of_a_job_the_status_passes_through(monkeypatch, tmp_path):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert leave(tmp_path, 75, progress=True) == 75


def test_names_of_snakemakes_jobs_end_in_a_uuid():
    assert slurm.SNAKEMAKE_JOB_NAME.fullmatch(f"upsampling_{UUID}")
    assert not slurm.SNAKEMAKE_JOB_NAME.fullmatch("my_training")
