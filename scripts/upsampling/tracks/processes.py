"""Work spread over processes that end with the one that started them."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_jobs(
    function: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[Result]:
    """Yield `function(*job)` for every job, in the order in which they end.

    With more than one worker these are new processes, so that `function` and jobs must be
    picklable. The first exception is raised here; jobs that have not begun are then dropped.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from (function(*job) for job in jobs)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _leave_with_parent) as pool:
        waiting = {pool.submit(function, *job) for job in jobs}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _leave_with_parent() -> None:
    """Let a worker end when the process that started it is killed: it would wait for ever."""

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
