"""Audio that is read in pieces equals the array of all of it, and takes the memory of a piece."""

import tracemalloc

import numpy as np
import pytest

from upsampling.errors import UserError
from upsampling.scoring.bsseval import evaluate
from upsampling.scoring.signals import Frames, SignalFile, TimeSlices


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)


def test_pieces_equal_the_array(tmp_path):
    audio = noise(4, 2, 1000)
    with SignalFile(tmp_path, audio.shape) as file:
        for start in (0, 600, 300):
            file[..., start : start + 400] = audio[..., start : start + 400]
        assert not list(tmp_path.iterdir()), "the file has no name, so nothing can be left over"
        for span in (slice(0, 1000), slice(250, 251), slice(None, 7), slice(990, None)):
            np.testing.assert_array_equal(file[..., span], audio[..., span])
            frames = Frames(TimeSlices(audio.shape, lambda start, stop: audio[..., start:stop]))
            for view in (frames, Frames(file)):
                np.testing.assert_array_equal(view[:, span], audio.swapaxes(1, 2)[:, span])
                np.testing.assert_array_equal(view[2, span], audio.swapaxes(1, 2)[2, span])
        np.testing.assert_array_equal(Frames(file)[:], audio.swapaxes(1, 2))


def test_scores_of_pieces_equal_those_of_arrays(tmp_path):
    references, estimates = noise(2, 2, 2500), noise(2, 2, 2500)[::-1].copy()
    with SignalFile(tmp_path, references.shape) as file:
        file[..., :2500] = estimates
        slices = TimeSlices(references.shape, lambda start, stop: references[..., start:stop])
        pieces = evaluate(Frames(slices), Frames(file), 1000)
    arrays = evaluate(references.swapaxes(1, 2), estimates.swapaxes(1, 2), 1000)
    for metric, values in arrays.items():
        np.testing.assert_array_equal(pieces[metric], values)


def test_memory_does_not_grow_with_the_track(tmp_path):
    def peak(samples: int) -> int:
        piece = noise(4, 2, 1000)
        slices = TimeSlices((4, 2, samples), lambda start, stop: piece[..., : stop - start])
        tracemalloc.start()
        with SignalFile(tmp_path, slices.shape) as file:
            for start in range(0, samples, 1000):
                file[..., start : start + 1000] = piece
            evaluate(Frames(slices), Frames(file), 1000, metrics=["SDR"])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    added = 380_000
    assert peak(20_000 + added) - peak(20_000) < 0.02 * 4 * 2 * 4 * added


def test_a_full_disk_is_a_users_error(tmp_path, monkeypatch):
    with SignalFile(tmp_path, (4, 2, 100)) as file, open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr(file, "_file", full)
        with pytest.raises(UserError, match=f"{tmp_path}: No space left on device"):
            file[..., 0:100] = noise(4, 2, 100)
