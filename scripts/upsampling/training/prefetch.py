"""Batches loaded in advance by a thread.

An example is sliced from a memory map and scaled, during which NumPy releases Python's lock. One
thread is therefore faster than a training step, and no batch is copied between processes.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from upsampling.tracks.segments import Dataset

BATCHES_AHEAD = 2

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


def prefetch(
    load: Callable[[Item], Loaded], items: Iterable[Item], count: int = BATCHES_AHEAD
) -> Iterator[Loaded]:
    """Yield `load(item)` for every item, in order, with up to `count` loaded in advance."""
    pending: deque[Future[Loaded]] = deque()
    pool = ThreadPoolExecutor(1, "loader")
    try:
        for item in items:
            pending.append(pool.submit(load, item))
            if len(pending) > count:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def batches(
    dataset: Dataset, epoch: int, indices: Iterable[range], *, pinned: bool = False
) -> Iterator[Tensor]:
    """Yield the examples of each range, `[batch, sources, audio_channels, time]`, on the CPU.

    `pinned` memory can be copied to a GPU while that computes.
    """

    def load(numbers: range) -> Tensor:
        batch = torch.from_numpy(np.stack([dataset.example(epoch, n) for n in numbers]))
        return batch.pin_memory() if pinned else batch

    return prefetch(load, indices)
