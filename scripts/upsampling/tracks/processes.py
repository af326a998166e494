"""Jobs in parallel processes, which exit with their parent, or threads."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from upsampling.errors import UserError

Result = TypeVar("Result")


def _exit_with_parent() -> None:
    """Make a worker exit when its parent is killed; otherwise it would wait forever."""

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


PROCESSES = partial(
    ProcessPoolExecutor, mp_context=get_context("spawn"), initializer=_exit_with_parent
)


def run_jobs(
    function: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    workers: int,
    pool_of: Callable[[int], Executor] = PROCESSES,
) -> Iterator[Result]:
    """Yield `function(*job)` for every job, in the order of completion.

    More than one worker means a pool by `pool_of`; for processes, `function` and the jobs must be
    picklable. The first exception is raised here; jobs that have not started are then cancelled. A
    process that is killed is a `UserError`.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from (function(*job) for job in jobs)
        return
    with pool_of(workers) as pool:
        futures = [pool.submit(function, *job) for job in jobs]
        try:
            yield from (future.result() for future in as_completed(futures))
        except BrokenProcessPool as error:
            raise UserError(
                f"one of {workers} processes was killed, as a system does that runs out of memory; "
                "call Snakemake with fewer --cores"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
