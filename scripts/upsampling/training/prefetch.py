"""Batches loaded in advance by a thread, and copied to a GPU while it computes.

An example is sliced from a memory map and scaled, during which NumPy releases Python's lock. One
thread is therefore faster than a training step, and no batch is copied between processes.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

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
    dataset: Dataset, epoch: int, indices: Iterable[range], device: torch.device
) -> Iterator[Tensor]:
    """Yield the examples of each range on `device`, `[batch, sources, audio_channels, time]`."""
    pinned = device.type == "cuda"

    def load(numbers: range) -> Tensor:
        examples = (dataset.example(epoch, number) for number in numbers)
        first = next(examples)
        # The GPU copies from pinned memory while it computes.
        batch = torch.empty((len(numbers), *first.shape), pin_memory=pinned)
        for place, example in enumerate(chain([first], examples)):
            batch[place] = torch.from_numpy(example)
        return batch

    return copied(prefetch(load, indices), device)


def copied(items: Iterator[Tensor], device: torch.device) -> Iterator[Tensor]:
    """Yield `items` on `device`, each copied while the work on the one before it is computed.

    The copies have a stream of their own. It waits for the work that is queued when a copy begins,
    so a copy never overwrites memory of an item that is still in use.
    """
    queue = torch.get_device_module(device)
    stream = queue.Stream(device)
    ahead: deque[Tensor] = deque()
    for item in items:
        stream.wait_stream(queue.current_stream(device))
        with queue.stream(stream):
            ahead.append(item.to(device, non_blocking=True))
        if len(ahead) > 1:
            yield ahead.popleft()
        queue.current_stream(device).wait_stream(stream)
    yield from ahead
