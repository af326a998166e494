"""Failures of jobs, nodes and Snakemake: the results equal those of an undisturbed run."""

import json
import math
import re
import signal
import subprocess

import numpy as np
import pytest
import yaml

from .conftest import SITE, User, config, epochs, model, wait_until
from .slurm_cluster import output

LONG = {"epochs": 40, "batch_size": 2, "examples_per_epoch": 16}
OPERATORS = {"nearest": "nearest", "transposed": "transposed", "linear": "linear"}
VARIANTS = {name: {"operator": operator} for name, operator in OPERATORS.items()}
# More than a job of one minute has left for training, on any machine.
SECONDS_OF_WORK = 60
RULE = "rule_train_wildcards_{}_0"


def slurm(*command: str) -> None:
    subprocess.run(command, check=True)


def in_mid_run(user: User, variant: str, epoch: int = 3) -> str:
    """The number of the variant's job, once some epochs are done."""

    def job() -> str | None:
        number = user.running(RULE.format(variant))
        done = epochs(user.log(variant))
        return number if number and done and done[-1] >= epoch else None

    return wait_until(f"epoch {epoch} of {variant}", job)


def node_of(job: str) -> str:
    return output("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()


def check_no_epoch_twice(user: User, variant: str, interruptions: int) -> None:
    """No epoch that was finished is in the log twice; ends may have come before its message."""
    done = epochs(user.log(variant))
    assert done == sorted(set(done))
    assert LONG["epochs"] - len(done) <= interruptions, done


def test_cancelled_lost_and_preempted(cluster, user):
    """One of three training jobs is cancelled, one loses its node, one makes way for another."""
    config(user, VARIANTS, training=LONG)
    call = user.start(*map(model, VARIANTS))
    jobs = {variant: in_mid_run(user, variant) for variant in VARIANTS}
    nodes = {variant: node_of(job) for variant, job in jobs.items()}
    assert len(set(nodes.values())) == 3
    slurm("scancel", jobs["nearest"])
    slurm("scontrol", "update", f"nodename={nodes['linear']}", "state=down", "reason=test")
    urgent = ["--partition=urgent", f"--nodelist={nodes['transposed']}", "--gres=gpu:v100:4"]
    slurm("sbatch", "--output=/dev/null", "--time=1", *urgent, "--wrap=sleep 3")
    user.finish(call)
    states = {variant: [] for variant in VARIANTS}
    for variant in VARIANTS:
        states[variant] = [job["State"].split()[0] for job in user.jobs(RULE.format(variant))]
    assert states["nearest"] == ["CANCELLED", "COMPLETED"]
    assert states["linear"] == ["NODE_FAIL", "COMPLETED"]
    assert states["transposed"] == ["PREEMPTED", "COMPLETED"]
    # The cancelled job came back as a new one; SLURM restarted the jobs that it had stopped.
    numbers = {v: {job["JobID"] for job in user.jobs(RULE.format(v))} for v in VARIANTS}
    assert [len(numbers[variant]) for variant in VARIANTS] == [2, 1, 1]
    undisturbed = user.by_hand(*VARIANTS)
    for variant in VARIANTS:
        assert user.model(variant) == undisturbed.model(variant)
        assert "resumed after epoch" in user.log(variant)
        check_no_epoch_twice(user, variant, interruptions=1)


def test_time_limits_shorter_than_the_training(user):
    """A job of one minute is queued again until all is done, to the same bytes.

    One that is too short for an epoch fails in place of going on for ever.
    """
    variants = {"nearest": VARIANTS["nearest"]}
    config(user, variants, training=LONG | {"epochs": 10})
    timing = user.by_hand("nearest").results("models/nearest/seed0/timing.csv")
    epoch = float(np.median(np.loadtxt(timing, delimiter=",", skiprows=1)[:, 1]))
    number = math.ceil(SECONDS_OF_WORK / epoch)
    variants["endless"] = variants["nearest"] | {"training": {"examples_per_epoch": 10**6}}
    config(user, variants, training=LONG | {"epochs": number})
    path = user.root / SITE / "config.yaml"
    site = yaml.safe_load(path.read_text())
    site["set-resources"]["train"]["runtime"] = 1
    path.write_text(yaml.safe_dump(site))
    call = user.start(model("nearest"), model("endless"), "--retries", "0")
    undisturbed = user.by_hand("nearest")
    messages = user.finish(call, check=False)
    jobs = user.jobs(RULE.format("nearest"))
    print(f"{number} epochs, about {epoch:.2f} s each, in {len(jobs)} jobs of one minute")
    assert len(jobs) >= 2
    assert len({job["JobID"] for job in jobs}) == 1
    assert [job["State"] for job in jobs] == ["REQUEUED"] * (len(jobs) - 1) + ["COMPLETED"]
    log = user.log("nearest")
    assert log.count("minutes are nearly over: stopped after epoch") == len(jobs) - 1
    assert epochs(log) == list(range(1, number + 1))
    assert user.model("nearest") == undisturbed.model("nearest")
    assert "train (variant endless, seed 0): see logs/demo/train/endless_seed0.log" in messages
    assert "is not requeued: it made no progress; give it more time" in user.log("endless")
    (endless,) = user.jobs(RULE.format("endless"))
    # On a busy machine, a minute can be over before the job has exited.
    assert endless["State"] in ("FAILED", "TIMEOUT")


def test_snakemake_killed_and_started_again(user):
    """Running jobs continue and are waited for; finished ones do not run again."""
    config(user, {name: VARIANTS[name] for name in ("nearest", "transposed")}, training=LONG)
    shorter = user.config
    shorter["variants"]["transposed"]["training"] = {"epochs": 5}
    user.config = shorter
    targets = [model("nearest"), model("transposed")]
    call = user.start(*targets)
    first = in_mid_run(user, "nearest")
    wait_until("transposed", lambda: (user.root / targets[1]).exists())
    call.send_signal(signal.SIGKILL)
    call.wait()
    again = user.submit(*targets)
    assert "Removing the lock of an earlier call, whose Snakemake is gone." in again
    assert "Waiting for jobs of a Snakemake that was killed" in again
    assert f"{first} (rule_train_wildcards_nearest_0)" in again
    # The finished job of the other variant can still be in the queue.
    (to_end,) = set(re.findall(r"scancel ([\d ]+) \(training resumes", again))
    assert first in to_end.split()
    assert [job["State"] for job in user.jobs("rule_train_")] == ["COMPLETED"] * 2
    check_no_epoch_twice(user, "nearest", interruptions=0)
    assert epochs(user.log("transposed")) == [1, 2, 3, 4, 5]
    undisturbed = user.by_hand("nearest", "transposed")
    for variant in ("nearest", "transposed"):
        assert user.model(variant) == undisturbed.model(variant)


# It passes its trial where Snakemake runs, and fails in jobs.
BROKEN = """
import os
from torch import nn

class Broken(nn.ConvTranspose1d):
    def __init__(self, in_channels, out_channels, stride, *, bias=True):
        super().__init__(in_channels, out_channels, stride, stride, bias=bias)

    def forward(self, features):
        return super().forward(features) * float("inf" if "SLURM_JOB_ID" in os.environ else 1)
"""


def test_a_job_that_fails_for_good_fails_alone(user):
    """Its loss becomes infinite; the other variant is trained and scored all the same."""
    (user.root / "broken.py").write_text(BROKEN)
    variants = {"nearest": VARIANTS["nearest"], "broken": {"operator": "broken.py:Broken"}}
    config(user, variants, training=LONG | {"epochs": 2})
    targets = [f"results/demo/scores/{variant}/seed0.csv" for variant in variants]
    messages = user.submit(*targets, "--retries", "1", check=False)
    assert (user.root / targets[0]).exists()
    assert not (user.root / targets[1]).exists()
    last = messages[messages.index("Failed for good") :]
    assert "train (variant broken, seed 0): see logs/demo/train/broken_seed0.log" in last
    assert "the loss became" in user.log("broken")
    states = [job["State"] for job in user.jobs(RULE.format("broken"))]
    assert states == ["FAILED", "FAILED"]
    assert [job["State"] for job in user.jobs("rule_score_")] == ["COMPLETED"]


@pytest.mark.parametrize("living", [True, False])
def test_a_lock_of_another_host_is_kept_as_long_as_its_job(user, living):
    """A dead trainer's lock on another node is ignored; a living trainer's is kept."""
    config(user, {"nearest": {"operator": "nearest"}})
    submit = ["sbatch", "--parsable", "--output=/dev/null", "--time=5"]
    job = output(*submit, f"--wrap=sleep {60 if living else 0}").strip()
    state = ("squeue", "--noheader", f"--jobs={job}", "--format=%T")
    expected = "RUNNING" if living else ""
    wait_until("the job", lambda: output(*state).strip() == expected)
    folder = user.results("checkpoints/nearest/seed0")
    folder.mkdir(parents=True)
    lock = {"host": "elsewhere", "pid": 1, "started": "1", "job": job}
    (folder / "lock.json").write_text(json.dumps(lock))
    done = user.snakemake(model("nearest"), "--cores", "1", "--quiet", "rules", check=False)
    assert (done.returncode == 0) == (not living), done.stdout
    assert (f"(job {job})" in done.stdout) == living
    slurm("scancel", job)
