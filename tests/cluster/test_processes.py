"""A training job of several processes, on one node or several, equals that of one process."""

import numpy as np
import yaml

from ..faults.test_processes import SPLIT
from .conftest import User, config, model

VARIANTS = {"nearest": {"operator": "nearest"}, "transposed": {"operator": "transposed"}}
LEARNING = {"epochs": 4, "batch_size": 4, "examples_per_epoch": 24}
ONE_NODE = {"processes": 2, "nodes": 1, "gres": "gpu:v100:2"}
TWO_NODES = {
    "processes": 1,
    "nodes": 2,
    "gres": "gpu:v100:1",
    "mpi": "srun",
    "tasks": 2,
    "tasks_per_gpu": 0,
}
COMMON = {"slurm_partition": "gpu", "mem_mb": 2000, "runtime": 20}


def losses(user: User, variant: str) -> np.ndarray:
    """Epoch, training loss and validation loss of each epoch."""
    path = user.results(f"models/{variant}/seed0/history.csv")
    return np.loadtxt(path, delimiter=",", skiprows=1)


def test_processes_on_one_node_and_on_two(user, tmp_path):
    """Two jobs of two processes share a node; then two jobs span two nodes each."""
    config(user, VARIANTS, training=LEARNING)
    targets = [model(variant) for variant in VARIANTS]
    expected = {}
    user.snakemake(*targets, "--cores", "2", "--quiet", "rules")
    for variant in VARIANTS:
        expected[variant] = losses(user, variant)
        assert expected[variant].shape == (4, 3)
    for resources, nodes in ((ONE_NODE, 1), (TWO_NODES, 2)):
        for name in ("models", "checkpoints"):
            (user.results(name)).rename(tmp_path / f"{name}_before_{nodes}")
        profile = user.root / f"nodes{nodes}"
        profile.mkdir()
        resources = {"set-resources": {"train": COMMON | resources}}
        (profile / "config.yaml").write_text(yaml.safe_dump(resources))
        user.submit(*targets, "--profile", str(profile))
        for variant, alone in expected.items():
            together = losses(user, variant)
            print(f"{variant}, {nodes} nodes: differs by {np.abs(together - alone).max():.1e}")
            np.testing.assert_allclose(together, alone, rtol=SPLIT, atol=SPLIT)
            assert user.log(variant).count("epoch 4/4") == 1
        jobs = user.jobs("rule_train_")[-2:]
        assert {job["NNodes"] for job in jobs} == {str(nodes)}
        assert len({job["NodeList"] for job in jobs}) == 1
        assert all("gres/gpu:v100=2" in job["AllocTRES"] for job in jobs)
