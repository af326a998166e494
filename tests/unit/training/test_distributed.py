"""A group of processes: shares of batches, and exchanged values."""

import json
import subprocess
import sys

import pytest
import torch
import training_runs as small
from torch import nn

from upsampling.errors import UserError
from upsampling.training.distributed import Group

PROGRAM = """
import json, sys, torch
from upsampling.errors import UserError
from upsampling.training.distributed import group

with group() as processes:
    rank = processes.rank
    tensors = [torch.full((2,), float(rank)), torch.full((3,), 10.0 + rank)]
    processes.broadcast(tensors)
    network = processes.ddp(torch.nn.Linear(1, 1, bias=False))
    network(torch.full((1, 1), 1.0 + rank)).sum().backward()
    with processes.no_sync(network):
        network(torch.full((1, 1), 4.0 * rank)).sum().backward()
    result = {
        "rank": rank, "size": processes.size, "main": processes.is_main,
        "sum": processes.sum(torch.tensor([1.0, rank])).tolist(),
        "any": processes.any(rank == 1), "none": processes.any(False),
        "maximum": processes.maximum(3.5 - rank),
        "on_main": processes.on_main(lambda: {"rank": rank}),
        "broadcast": [tensor.tolist() for tensor in tensors],
        "gradient": float(next(network.parameters()).grad),
    }
    print(json.dumps(result), flush=True)
"""


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_shares_of_a_batch_are_contiguous_and_complete(size):
    batch = range(64, 96)
    shares = [Group(torch.device("cpu"), rank, size).share(batch) for rank in range(size)]
    assert [index for share in shares for index in share] == list(batch)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_process_exchanges_with_nobody():
    values, model = torch.tensor([1.0, 2.0]), nn.Linear(2, 2)
    assert torch.equal(small.CPU.sum(values), values)
    assert small.CPU.maximum(2.5) == 2.5
    assert small.CPU.any(True)
    assert not small.CPU.any(False)
    assert small.CPU.ddp(model) is model
    assert small.CPU.on_main(lambda: 7) == 7
    with pytest.raises(UserError, match="no disk"):
        small.CPU.on_main(lambda: small.CPU.fail("no disk"))


def test_other_processes_fail_silently():
    with pytest.raises(SystemExit) as end:
        Group(torch.device("cpu"), 1, 2).fail("no disk")
    assert end.value.code == 1


def test_two_processes_agree():
    port = small.free_port()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env=small.environment(
                PYTHONPATH=str(small.ROOT / "scripts"),
                CUDA_VISIBLE_DEVICES="",
                RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=port,
            ),
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    results = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    for rank, result in enumerate(results):
        assert (result["rank"], result["size"], result["main"]) == (rank, 2, rank == 0)
        assert result["sum"] == [2.0, 1.0]
        assert result["any"]
        assert not result["none"]
        assert result["maximum"] == 3.5
        assert result["on_main"] == {"rank": 0}
        assert result["broadcast"] == [[0.0, 0.0], [10.0, 10.0, 10.0]]
        # The mean of 1 and 2, and then this process's own 0 or 4.
        assert result["gradient"] == 1.5 + 4 * rank
