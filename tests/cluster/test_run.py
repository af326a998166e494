"""`snakemake --profile slurm` from nothing to Table 1, and SLURM's accounting of it."""

from collections.abc import Iterator

import pandas as pd
import pytest

from ..workflow.conftest import copy_project
from .conftest import User, epochs, wait_until
from .slurm_settings import GPU_NODES

RUNS = ["nearest", "transposed"]


@pytest.fixture(scope="module")
def complete(cluster, tmp_path_factory) -> Iterator[User]:
    """A project after one call, in which slurmctld was killed and started while jobs ran."""
    user = User(copy_project(tmp_path_factory.mktemp("complete") / "project").root)
    call = user.start()
    try:
        wait_until("training", lambda: user.running("rule_train_wildcards_nearest_0"))
        cluster.restart_controller()
        user.finish(call)
        yield user
    finally:
        user.leave()


def test_one_command_ends_in_table_1(complete):
    table = pd.read_csv(complete.results("tables/table1.csv"))
    own = table[table["variant"].isin(RUNS)]
    assert len(own) == len(RUNS)
    assert own["sdr"].between(-30, 30).all()
    for number in range(1, 11):
        assert complete.results(f"figures/figure{number}.pdf").read_bytes().startswith(b"%PDF")
    assert f"Done. Results: {complete.results()}" in complete.messages
    planned = complete.snakemake("-n", "--profile", "slurm", "--profile", "tests/cluster/profile")
    assert "Nothing to be done" in planned.stdout


def test_training_and_scoring_have_the_gpus_that_the_profile_asks_for(complete):
    for rule, devices, cpus, memory in (("train", 4, 16, "62.50G"), ("score", 1, 8, "24000M")):
        jobs = complete.jobs(f"rule_{rule}_")
        assert len(jobs) == len(RUNS)
        for job in jobs:
            assert job["State"] == "COMPLETED"
            assert job["Partition"] == "gpu"
            assert job["NodeList"] in GPU_NODES
            assert job["NNodes"] == "1"
            for resource in (f"cpu={cpus}", f"gres/gpu={devices}", f"mem={memory}"):
                assert resource in job["AllocTRES"].split(","), job
    models = [job for job in complete.jobs("rule_train_") if "gres/gpu:v100=4" in job["AllocTRES"]]
    assert len(models) == len(RUNS)


def test_all_else_runs_on_the_cpu_node_in_few_jobs(complete):
    others = [job for job in complete.jobs() if job["Partition"] != "gpu"]
    assert {job["NodeList"] for job in others} == {"cpu1"}
    assert all("gres/gpu" not in job["AllocTRES"] for job in others)
    # Tracks, 3 random models, a survey of the one that is not trained, the distributions, theory,
    # and 3 figures; after training a look at 2 models, an audit, its figure, and the tables.
    assert len(others) <= 15
    assert {job["State"] for job in complete.jobs()} == {"COMPLETED"}


def test_a_job_says_its_rule_variant_and_seed(complete):
    comments = {job["Comment"] for job in complete.jobs("rule_train_")}
    assert comments == {f"rule_train_wildcards_{variant}_0" for variant in RUNS}
    for variant in RUNS:
        assert "epoch 2/2" in complete.log(variant)


def test_nothing_was_done_twice_when_slurmctld_was_restarted(complete):
    # The groups of initialised and trained have one comment for all models.
    assert len(complete.jobs("rule_initialised_")) == 3
    assert len(complete.jobs("rule_trained_")) == 2
    comments = [job["Comment"] for job in complete.jobs() if "rule_" not in job["Comment"]]
    assert len(comments) == len(set(comments))
    for variant in RUNS:
        assert epochs(complete.log(variant)) == [1, 2]
