"""A hundred upsamplers with five seeds each, on the 50 test songs of MUSDB18."""

import os
import re
import resource

import pytest

from .conftest import STAND_IN, copy_project

SEEDS = [0, 1, 2, 3, 4]
SECONDS = 15
# Where the machine is slow at the moment, as many plans of one variant.
PLANS = 7


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A project whose variants `grow` sets."""
    return copy_project(tmp_path_factory.mktemp("large"))


def plan(project, variants: int) -> tuple[str, float]:
    """The plan of so many variants at paper scale, and the processor time that it took."""
    config = project.config
    config["seeds"] = SEEDS
    config["audits"] = {}
    config["variants"] = {
        f"v{n}": {"operator": "nearest", "options": {"kernel_size": 5 + n}} for n in range(variants)
    }
    for figure in ("figure1", "figure9"):
        config["figures"][figure]["panels"] = ["v0"]
    project.config = config
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = project.snakemake("-n", "--quiet", "rules", "--profile", "slurm").stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return output, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_a_plan_of_500_trainings_is_quick_and_readable(large, monkeypatch):
    monkeypatch.setenv("PATH", f"{STAND_IN}:{os.environ['PATH']}")
    plan(large, 100)  # Tries each operator once; the plans below know the verdicts.
    _, few = plan(large, 1)
    _, half = plan(large, 50)
    output, once = plan(large, 100)
    # The faster of two plans: other work on the machine makes either slower.
    all_of_them = min(once, plan(large, 100)[1])
    assert all_of_them < max(SECONDS, PLANS * few)
    # The second fifty variants take as long as the first fifty.
    assert all_of_them - half < 1.5 * (half - few)
    assert re.search(r"^train +500$", output, re.MULTILINE)
    assert re.search(r"^score +500$", output, re.MULTILINE)
    print(f"processor seconds: 1 variant {few:.1f}, 50 {half:.1f}, 100 {all_of_them:.1f}")
    # A line for each kind of job, twice: once before and once after the jobs that it does not list.
    assert len(output.splitlines()) < 150
