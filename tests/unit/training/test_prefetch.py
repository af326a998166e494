"""Batches are loaded in order, in advance, and no further than asked."""

import time

import numpy as np
import pytest
import training_runs as small

from upsampling.tracks.segments import Dataset
from upsampling.training.prefetch import batches, prefetch


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


def test_batches_hold_the_examples_of_their_ranges(store, tmp_path):
    run = small.make_run(store, tmp_path)
    dataset = Dataset(run.store, "train", run.training, 0, 500)
    ranges = [range(0, 3), range(5, 6)]
    for batch, numbers in zip(batches(dataset, 2, ranges), ranges, strict=True):
        expected = [dataset.example(2, number) for number in numbers]
        assert np.array_equal(batch.numpy(), np.stack(expected))
