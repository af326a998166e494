"""Processes that share a run: one, and one for each GPU; on the CPU two."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
import training_runs as small

# Rounding of gradients that are summed in another order, after 20 steps.
SPLIT = 1e-5
# A batch has an example for each of up to 16 GPUs.
STEPS = {
    "epochs": 20,
    "batch_size": 16,
    "examples_per_epoch": 16,
    "validation_seconds": 0.25,
}
PROGRAM = """
import json, torch
import torch.distributed as dist
from upsampling.training.distributed import group

with group() as processes:
    rank, device = processes.rank, processes.device
    tensor = torch.full((3,), float(rank), device=device)
    processes.broadcast([tensor])
    network = processes.ddp(torch.nn.Linear(1, 1, bias=False).to(device))
    network(torch.full((1, 1), 1.0 + rank, device=device)).sum().backward()
    print(json.dumps({
        "backend": dist.get_backend(), "device": device.type, "index": device.index, "rank": rank,
        "sum": processes.sum(torch.ones(2, device=device)).tolist(),
        "main": processes.on_main(lambda: rank), "broadcast": tensor.tolist(),
        "gradient": float(next(network.parameters()).grad),
    }), flush=True)
"""
OUT_OF_MEMORY = """
import runpy, sys
import torch
from upsampling.training.train_step import TrainStep

step, calls = TrainStep.step, []

def failing(self, batch):
    calls.append(batch)
    if len(calls) == 2 and self.group.rank == self.group.size - 1:
        raise torch.OutOfMemoryError("CUDA out of memory.")
    return step(self, batch)

TrainStep.step = failing
sys.argv[0] = "scripts/train.py"
runpy.run_path("scripts/train.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def alone(store, tmp_path_factory) -> np.ndarray:
    folder = tmp_path_factory.mktemp("alone")
    small.train(small.arguments(store, folder, **STEPS))
    return history(folder)


def pytest_generate_tests(metafunc):
    """`count` is a number of processes."""
    if "count" in metafunc.fixturenames:
        on_cpu = metafunc.config.getoption("--device", "cuda") == "cpu"
        counts = {2} if on_cpu else {1, max(1, torch.cuda.device_count())}
        metafunc.parametrize("count", sorted(counts))


def history(folder) -> np.ndarray:
    """Epoch, training loss and validation loss of each epoch."""
    return np.loadtxt(folder / "model" / "history.csv", delimiter=",", skiprows=1)


def launched(count):
    return ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]


def test_processes_communicate(count, device, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, *launched(count), str(program)],
        env=small.environment(PYTHONPATH=str(small.ROOT / "scripts")),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    # Two processes may print on one line: a line feed is a write of its own.
    results = [json.loads(one) for one in re.findall(r"\{[^{}]*\}", done.stdout)]
    results.sort(key=lambda result: result["rank"])
    assert [result["rank"] for result in results] == list(range(count))
    for rank, result in enumerate(results):
        assert result["backend"] == ("nccl" if device.type == "cuda" else "gloo")
        assert result["index"] == (rank if device.type == "cuda" else None)
        assert result["sum"] == [count, count]
        assert result["main"] == 0
        assert result["broadcast"] == [0.0, 0.0, 0.0]
        assert result["gradient"] == (1 + count) / 2


def test_processes_have_the_losses_of_one_and_resume(store, alone, count, tmp_path):
    for epochs in (5, 20):
        changes = STEPS | {"epochs": epochs}
        small.train([*launched(count), *small.arguments(store, tmp_path, **changes)])
    losses = history(tmp_path)
    print(f"{count} processes: {np.abs(losses / alone - 1).max():.1e}")
    np.testing.assert_allclose(losses, alone, rtol=SPLIT)
    assert alone[-1, 1] < 0.9 * alone[0, 1]


def test_one_process_without_memory_ends_all(store, count, tmp_path):
    """The last one runs out of memory in its second step; the others wait for its gradients."""
    program = tmp_path / "program.py"
    program.write_text(OUT_OF_MEMORY)
    command = [*launched(count), str(program), *small.arguments(store, tmp_path, **STEPS)[1:]]
    message = small.train(command, status=1, PYTHONPATH=str(small.ROOT / "scripts"))
    assert message.count("micro_batch in a profile") == 1
