"""Items run in threads: each once, the first error is raised, and the rest is dropped."""

import threading
import time

import pytest
import torch

from upsampling.scoring.threads import run_in_threads


@pytest.mark.parametrize("workers", [1, 4])
def test_every_item_runs_once_and_is_timed(workers: int) -> None:
    calls: list[int] = []

    def work(item: int) -> None:
        calls.append(item)
        time.sleep(0.02)

    results = dict(run_in_threads(work, range(9), workers))
    assert sorted(calls) == sorted(results) == list(range(9))
    assert all(0.02 <= seconds < 2 for seconds in results.values())


def test_workers_run_at_once_with_one_torch_thread_each() -> None:
    together = threading.Barrier(3, timeout=30)
    threads: list[int] = []

    def work(item: int) -> None:
        together.wait()
        threads.append(torch.get_num_threads())

    assert len(list(run_in_threads(work, range(3), 3))) == 3
    assert threads == [1, 1, 1]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_raised_and_later_items_are_dropped(workers: int) -> None:
    calls: list[int] = []

    def work(item: int) -> None:
        calls.append(item)
        if item == 1:
            raise ValueError("one")
        time.sleep(0.02)

    with pytest.raises(ValueError, match="one"):
        list(run_in_threads(work, range(100), workers))
    assert len(calls) < 100


def test_no_items_are_no_work() -> None:
    assert list(run_in_threads(pytest.fail, [], 4)) == []
