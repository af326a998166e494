"""The processes of one run: one or many, on one host or several, with the same code.

They communicate through NCCL on GPUs and through gloo otherwise. `launch` starts them.
"""

import os
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

from upsampling.errors import UserError
from upsampling.training.device import find_device
from upsampling.training.launch import is_launched, rank_and_world_size
from upsampling.training.signals import EXIT_STATUS

# The main process reads or writes a checkpoint of 9 GB while the others wait.
TIMEOUT = timedelta(minutes=30)
# The main process ends within this time, and its launcher then ends the others.
EXIT_SECONDS = 20

Result = TypeVar("Result")


@dataclass(frozen=True)
class Group:
    """The processes that train one model together, as seen by the one with number `rank`."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def connected(self) -> bool:
        """True in a process that a launcher started: it communicates with the others."""
        return dist.is_initialized()

    @property
    def is_main(self) -> bool:
        """True in the process that writes files and messages."""
        return self.rank == 0

    def share(self, batch: range) -> range:
        """This process's contiguous part of a global batch's examples."""
        start, stop = (len(batch) * n // self.size for n in (self.rank, self.rank + 1))
        return batch[start:stop]

    def sum(self, values: Tensor) -> Tensor:
        """Sum of `values` over all processes, on the CPU; all processes must call it."""
        if self.connected:
            dist.all_reduce(values)
        return values.cpu()

    def any(self, flag: bool) -> bool:
        """True if `flag` is set in any process."""
        return bool(self.sum(torch.tensor(float(flag), device=self.device)))

    def maximum(self, value: float) -> float:
        """The largest `value` of all processes."""
        values = torch.zeros(self.size, dtype=torch.float64, device=self.device)
        values[self.rank] = value
        return float(self.sum(values).max())

    def on_main(self, function: Callable[[], Result]) -> Result:
        """Call `function` in the main process; return its result, or fail, in all processes."""
        outcome: list[object] = [None, None]
        if self.is_main:
            try:
                outcome[0] = function()
            except UserError as error:
                outcome[1] = str(error)
        if self.connected:
            dist.broadcast_object_list(outcome, device=self.device)
        if outcome[1] is not None:
            self.fail(str(outcome[1]))
        return outcome[0]  # type: ignore[return-value]

    def fail(self, message: str) -> None:
        """End all processes, each of which calls this; the main one raises a `UserError`."""
        if not self.is_main:
            sys.exit(1)
        raise UserError(message)

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite `tensors` with those of the main process."""
        if self.connected:
            for tensor in tensors:
                dist.broadcast(tensor.detach(), src=0)

    def ddp(self, model: nn.Module, unused: bool = False) -> nn.Module:
        """`model`, wrapped so that its gradients become means over all processes.

        `unused`: a step may leave some parameters without a gradient, which takes longer.
        """
        if not self.connected:
            return model
        devices = [self.device] if self.device.type == "cuda" else None
        # Gradients are views of the communication buffers, so they are not held twice.
        return DistributedDataParallel(
            model,
            device_ids=devices,
            init_sync=False,
            gradient_as_bucket_view=True,
            find_unused_parameters=unused,
        )

    def no_sync(self, model: nn.Module) -> AbstractContextManager[None]:
        """A context in which a backward pass through `ddp(model)` exchanges no gradients."""
        return model.no_sync() if isinstance(model, DistributedDataParallel) else nullcontext()  # type: ignore[return-value]


@contextmanager
def group() -> Iterator[Group]:
    """Join the processes that the environment names; without such variables there is one.

    `torchrun` with a single process makes a group of one, which communicates with itself.
    """
    rank, size, local = rank_and_world_size()
    device = find_device(local)
    if not is_launched():
        yield Group(device)
        return
    backend, bound = ("nccl", device) if device.type == "cuda" else ("gloo", None)
    dist.init_process_group(backend, rank=rank, world_size=size, timeout=TIMEOUT, device_id=bound)
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
    """Let the launcher see the exit status and message of the main process.

    A launcher kills all processes as soon as one ends with an error, and reports the status of
    those it killed. So when all stop, the others end before the main one, and without an error;
    when all fail, they wait to be killed.
    """
    if code == EXIT_STATUS:
        dist.barrier()
        sys.stderr.flush()
        os._exit(0)
    time.sleep(EXIT_SECONDS)
