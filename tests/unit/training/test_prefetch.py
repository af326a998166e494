"""Batches are loaded in order, in advance, and no further than asked."""

import time

import numpy as np
import pytest
import torch
import training_runs as small

from upsampling.tracks.segments import Dataset
from upsampling.training.prefetch import batches, copied, prefetch

CPU = torch.device("cpu")


def test_items_are_loaded_in_advance_in_order_and_no_further():
    loaded: list[int] = []

    def load(number: int) -> int:
        loaded.append(number)
        if number == 8:
            raise ValueError("eight")
        return number * number

    results = prefetch(load, range(20), 3)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    time.sleep(0.05)
    assert loaded == list(range(6))
    with pytest.raises(ValueError, match="eight"):
        list(results)
    assert max(loaded) < 12


def test_abandoned_items_are_not_loaded():
    loaded: list[int] = []
    results = prefetch(loaded.append, range(100), 2)
    next(results)
    results.close()
    count = len(loaded)
    assert count <= 4
    time.sleep(0.02)
    assert len(loaded) == count


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_copies_keep_the_order_and_lose_nothing(count):
    items = [torch.full((3,), float(number)) for number in range(count)]
    copies = list(copied(iter(items), CPU))
    assert [copy.tolist() for copy in copies] == [item.tolist() for item in items]


def test_a_copy_is_started_one_item_ahead():
    taken: list[int] = []

    def items():
        for number in range(4):
            taken.append(number)
            yield torch.zeros(1)

    copies = copied(items(), CPU)
    for expected in ([0, 1], [0, 1, 2], [0, 1, 2, 3]):
        next(copies)
        assert taken == expected


def test_batches_hold_the_examples_of_their_ranges(store, tmp_path):
    run = small.make_run(store, tmp_path)
    dataset = Dataset(run.store, "train", run.training, 0, 500)
    ranges = [range(0, 3), range(5, 6)]
    for batch, numbers in zip(batches(dataset, 2, ranges, CPU), ranges, strict=True):
        expected = [dataset.example(2, number) for number in numbers]
        assert np.array_equal(batch.numpy(), np.stack(expected))
