"""Tracks side by side in one process, and the progress of it.

Threads, not processes: separation, transforms and factorisations run outside Python's lock, and so
one model in memory serves all tracks.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Item = TypeVar("Item")


def side_by_side(
    function: Callable[[Item], None], items: Sequence[Item], workers: int
) -> Iterator[tuple[Item, float]]:
    """Call `function` with each item, `workers` of them at once; yield item and seconds when done.

    The first exception is raised here; items that have not begun are then dropped.
    """

    def timed(item: Item) -> tuple[Item, float]:
        start = time.perf_counter()
        function(item)
        return item, time.perf_counter() - start

    if min(workers, len(items)) <= 1:
        yield from map(timed, items)
        return
    with ThreadPoolExecutor(min(workers, len(items)), initializer=_use_one_thread) as pool:
        waiting = [pool.submit(timed, item) for item in items]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _use_one_thread() -> None:
    """Keep the thread that calls this from starting others for a single operation."""
    import torch

    torch.set_num_threads(1)


def report(message: str) -> None:
    """Show a line of progress at once, even where output is collected."""
    print(message, file=sys.stderr, flush=True)
