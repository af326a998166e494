"""Tracks processed in parallel by threads of one process.

Separation, transforms and factorizations release Python's lock, so threads are enough, and one
model in memory serves all tracks.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Item = TypeVar("Item")


def run_in_threads(
    function: Callable[[Item], None], items: Sequence[Item], workers: int
) -> Iterator[tuple[Item, float]]:
    """Call `function` with each item in `workers` threads; yield item and seconds as each ends.

    The first exception is raised here; items that have not started are then dropped.
    """

    def timed(item: Item) -> tuple[Item, float]:
        start = time.perf_counter()
        function(item)
        return item, time.perf_counter() - start

    if min(workers, len(items)) <= 1:
        yield from map(timed, items)
        return
    with ThreadPoolExecutor(min(workers, len(items)), initializer=_use_one_thread) as pool:
        futures = [pool.submit(timed, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _use_one_thread() -> None:
    """Compute each operation of the calling thread without further threads."""
    import torch

    torch.set_num_threads(1)
