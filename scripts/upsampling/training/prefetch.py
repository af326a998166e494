"""Batches made ahead of their use, in a thread.

Making an example is slicing and scaling a memory map, in which numpy lets other threads run; so one
thread keeps ahead of a training step, and no copy of a batch goes from process to process.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from upsampling.tracks.segments import Dataset

AHEAD = 2

Item = TypeVar("Item")
Made = TypeVar("Made")


def ahead(
    make: Callable[[Item], Made], items: Iterable[Item], count: int = AHEAD
) -> Iterator[Made]:
    """Yield `make(item)` for every item, in order, with up to `count` made beforehand."""
    waiting: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(1, "loader")
    try:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def batches(
    examples: Dataset, epoch: int, indices: Iterable[range], *, pinned: bool = False
) -> Iterator[Tensor]:
    """Yield the examples of each range, `[batch, sources, audio_channels, time]`, on the CPU.

    `pinned` memory can be copied to a GPU while that computes.
    """

    def make(numbers: range) -> Tensor:
        batch = torch.from_numpy(np.stack([examples.example(epoch, n) for n in numbers]))
        return batch.pin_memory() if pinned else batch

    return ahead(make, indices)
