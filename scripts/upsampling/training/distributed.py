"""The processes of one run: one or many, on one host or several, by the same code.

`python scripts/train.py --processes N` (0: one per GPU) starts them on this host, through torch's
elastic launcher; with `--nodes M`, in a SLURM job, N on each of its M nodes, through srun. Others
may start them too: `torchrun --standalone --nproc-per-node N scripts/train.py`, or
`srun --kill-on-bad-exit=1 python scripts/train.py`. Processes on GPUs talk through NCCL, others
through gloo.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from upsampling import slurm
from upsampling.errors import UserError
from upsampling.training.signals import EXIT_STATUS

# The first process reads or writes a checkpoint of 9 GB while the others wait.
PATIENCE = timedelta(minutes=30)
# The first process ends within that, and its launcher then ends the others.
ENDING_SECONDS = 20

Result = TypeVar("Result")


@dataclass(frozen=True)
class Group:
    """The processes that train one model together, seen from the one of number `rank`."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files and messages."""
        return self.rank == 0

    def share(self, batch: range) -> range:
        """This process's contiguous part of a global batch's examples."""
        start, stop = (len(batch) * n // self.size for n in (self.rank, self.rank + 1))
        return batch[start:stop]

    def sum(self, values: Tensor) -> Tensor:
        """Sum of `values` over all processes, on the CPU; every process must ask for it."""
        if self.size > 1:
            dist.all_reduce(values)
        return values.cpu()

    def any(self, flag: bool) -> bool:
        """Whether `flag` is set in any process."""
        return bool(self.sum(torch.tensor(float(flag), device=self.device)))

    def maximum(self, value: float) -> float:
        """The largest `value` of all processes."""
        values = torch.zeros(self.size, dtype=torch.float64, device=self.device)
        values[self.rank] = value
        return float(self.sum(values).max())

    def on_main(self, function: Callable[[], Result]) -> Result:
        """What `function` returns in the first process; its `UserError` ends all of them."""
        outcome: list[object] = [None, None]
        if self.is_main:
            try:
                outcome[0] = function()
            except UserError as error:
                outcome[1] = str(error)
        if self.size > 1:
            dist.broadcast_object_list(outcome, device=self.device)
        if outcome[1] is not None:
            self.fail(str(outcome[1]))
        return outcome[0]  # type: ignore[return-value]

    def fail(self, message: str) -> None:
        """End all processes, each of which calls this, with one `message` of the first one."""
        if not self.is_main:
            sys.exit(1)
        raise UserError(message)

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite `tensors` with those of the first process."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor.detach(), src=0)

    def ddp(self, model: nn.Module) -> nn.Module:
        """`model` such that its gradients become means over all processes."""
        if self.size == 1:
            return model
        devices = [self.device] if self.device.type == "cuda" else None
        # Gradients that are views of what is sent are not held twice.
        return DistributedDataParallel(
            model, device_ids=devices, init_sync=False, gradient_as_bucket_view=True
        )

    def no_sync(self, model: nn.Module) -> AbstractContextManager[None]:
        """A context in which a backward pass through `ddp(model)` exchanges no gradients."""
        return model.no_sync() if isinstance(model, DistributedDataParallel) else nullcontext()  # type: ignore[return-value]


@contextmanager
def group() -> Iterator[Group]:
    """Join the processes that the environment names; a process that was started alone is alone."""
    rank, size, local = rank_and_world_size()
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", local % torch.cuda.device_count())
        torch.cuda.set_device(device)
        deterministic()
    if size == 1:
        yield Group(device)
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, rank=rank, world_size=size, timeout=PATIENCE)
    try:
        yield Group(device, rank, size)
    except SystemExit as end:
        if rank:
            leave_to_main(end.code)
        elif end.code == EXIT_STATUS:
            dist.barrier()
        raise
    finally:
        dist.destroy_process_group()


def leave_to_main(code: object) -> None:
    """Let the first process be the one whose exit status and message the launcher sees.

    A launcher kills all processes as soon as one ends with an error, and reports the status of
    those it killed. So where all stop together, the others end before the first one does, and
    without an error; where all fail together, they wait to be ended.
    """
    if code == EXIT_STATUS:
        dist.barrier()
        sys.stderr.flush()
        os._exit(0)
    time.sleep(ENDING_SECONDS)


def deterministic() -> None:
    """Choose GPU algorithms that give the same bits each time, as far as there are such."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def rank_and_world_size() -> tuple[int, int, int]:
    """This process's number, their number, and its number on this host, from the environment.

    Read are torchrun's variables, else srun's; for the latter, MASTER_ADDR and MASTER_PORT are set
    to the first host and a port of the job's own, unless they are given.
    """
    given = os.environ
    if "RANK" in given and "WORLD_SIZE" in given:
        rank = int(given["RANK"])
        return rank, int(given["WORLD_SIZE"]), int(given.get("LOCAL_RANK", rank))
    # A batch script has SLURM_NTASKS too, but is one process: only a step counts its own tasks.
    tasks = "SLURM_NTASKS" if "MASTER_ADDR" in given else "SLURM_STEP_NUM_TASKS"
    size = int(given.get("SLURM_STEP_NUM_TASKS", given.get(tasks, "1")))
    if size == 1 or "SLURM_PROCID" not in given:
        return 0, 1, 0
    if "MASTER_ADDR" not in given:
        given["MASTER_ADDR"] = first_host(given.get("SLURM_STEP_NODELIST", ""))
    given.setdefault("MASTER_PORT", str(20000 + int(given.get("SLURM_JOB_ID", "0")) % 20000))
    return int(given["SLURM_PROCID"]), size, int(given.get("SLURM_LOCALID", "0"))


def first_host(nodes: str) -> str:
    """The first host of a SLURM list such as gpu[3-4,7]; `UserError` if it cannot be told."""
    try:
        command = ["scontrol", "show", "hostnames", nodes]
        hosts = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return hosts[0]
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise UserError(
            f"srun started several processes on '{nodes}', whose first host scontrol does not tell "
            f"({error}); export MASTER_ADDR and MASTER_PORT"
        ) from error


def launch(processes: int, nodes: int = 1, name: str = "train") -> None:
    """Run this program in `processes` processes (0: one per GPU, or one) and exit as they do.

    With several `nodes`, in so many on each node of the SLURM job that this process is in; `name`
    is then the job step's. Returns at once where one process is enough, and in processes that a
    launcher started.
    """
    processes = processes or max(1, torch.cuda.device_count())
    if processes * nodes == 1 or is_launched():
        return
    if nodes > 1:
        sys.exit(run_on_nodes(processes, nodes, name))
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        run_id="training",
        signals_to_handle="SIGTERM,SIGINT,SIGUSR1",
    )
    share_threads(processes)
    try:
        elastic_launch(config, sys.executable)(*sys.argv)
    except ChildFailedError as error:
        sys.exit(error.get_first_failure()[1].exitcode)
    except SignalException:
        sys.exit(EXIT_STATUS)
    sys.exit(0)


def is_launched() -> bool:
    """Whether torchrun, srun or `launch` started this process as one of several."""
    return "RANK" in os.environ or rank_and_world_size()[1] > 1


def share_threads(processes: int) -> None:
    """Divide what OMP_NUM_THREADS allows this process by `processes` to come."""
    threads = int(os.environ.get("OMP_NUM_THREADS", "1")) // processes
    os.environ["OMP_NUM_THREADS"] = str(max(1, threads))


def run_on_nodes(processes: int, nodes: int, name: str) -> int:
    """Run this program in `processes` processes on each of the job's `nodes`; its exit status.

    The processes meet at a port that is free on this host, the job's first node, so that several
    such jobs can share a node.
    """
    cpus = slurm.cpus()
    if cpus is None:
        raise UserError(f"{nodes} nodes were asked for, but this is no SLURM job; give --nodes 1")
    with socket.socket() as listener:
        listener.bind(("", 0))
        os.environ["MASTER_PORT"] = str(listener.getsockname()[1])
    share_threads(processes)
    command = [
        "srun",
        f"--job-name={name}",
        f"--nodes={nodes}",
        f"--ntasks={nodes * processes}",
        f"--ntasks-per-node={processes}",
        f"--cpus-per-task={max(1, cpus // (nodes * processes))}",
        "--kill-on-bad-exit=1",
        sys.executable,
        *sys.argv,
    ]
    return subprocess.run(command).returncode
