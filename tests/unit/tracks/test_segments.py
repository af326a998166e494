"""Training examples: pure functions of (seed, epoch, index), augmented as in Demucs.

The samples of the store encode their origin: the left channel is position + 4096 * source, the
right one 20000 + track. So an excerpt shows its origin, shift, swap and sign.
"""

import pickle
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from upsampling.config.training import TrainingSettings
from upsampling.errors import UserError
from upsampling.tracks.building import build_store
from upsampling.tracks.planning import PlannedTrack
from upsampling.tracks.reading import STEMS, list_tracks
from upsampling.tracks.segments import Dataset
from upsampling.tracks.store import TrackStore

RATE = 1000
LENGTHS = {"a": 3000, "b": 3950, "c": 2200, "d": 800}
SAMPLES = 1000
SETTINGS = TrainingSettings(stride_seconds=0.1, shift_seconds=0.1)
# Segment and shift, 1.1 s, fit at every 0.1 s: 20 + 29 + 12, and one of the track that is shorter.
EXAMPLES = 62


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("segments")
    for number, (name, length) in enumerate(LENGTHS.items()):
        folder = root / "raw" / "train" / name
        folder.mkdir(parents=True)
        for stem, file in enumerate(STEMS):
            sound = np.empty((length, 2), np.int16)
            sound[:, 0] = np.arange(length) + 4096 * max(0, stem - 1)
            sound[:, 1] = 20000 + number
            soundfile.write(folder / f"{file}.wav", sound, RATE, subtype="PCM_16")
    tracks = list_tracks(root / "raw", wav=True)
    build_store(root / "store", [PlannedTrack(track, "train", "test") for track in tracks])
    return TrackStore.open(root / "store")


@pytest.fixture
def examples(store):
    return Dataset(store, "train", SETTINGS, 7, SAMPLES)


def origin(sound, source):
    """Track, first position, True for swapped channels, True for a flipped sign."""
    values = np.round(sound * 32768).astype(int)
    flipped = bool(values[:, 0].sum() < 0)
    values = np.abs(values)
    swapped = bool(values[0, 0] >= 20000)
    left, right = values[::-1] if swapped else values
    position = int(left[0]) - 4096 * source
    inside = min(len(left), list(LENGTHS.values())[right[0] - 20000] - position)
    assert np.array_equal(left[:inside], np.arange(position, position + inside) + 4096 * source)
    assert not left[inside:].any()
    return int(right[0]) - 20000, position, swapped, flipped


def origins(examples, epoch):
    """Origin of every source of every example of an epoch, [example][source]."""
    epoch_examples = (examples.example(epoch, index) for index in range(len(examples)))
    return [[origin(sound, n) for n, sound in enumerate(example)] for example in epoch_examples]


def test_length_counts_whole_segments_with_room_for_the_shift(store, examples):
    assert len(examples) == EXAMPLES
    fixed = replace(SETTINGS, examples_per_epoch=150)
    assert len(Dataset(store, "train", fixed, 7, SAMPLES)) == 150


def test_example_is_a_pure_function_of_seed_epoch_and_index(store, examples):
    expected = {(e, i): examples.example(e, i) for e in (0, 3) for i in (0, 17, EXAMPLES - 1)}
    fresh = pickle.loads(pickle.dumps(Dataset(store, "train", SETTINGS, 7, SAMPLES)))
    for (epoch, index), example in reversed(expected.items()):
        again = fresh.example(epoch, index)
        assert again.dtype == np.float32
        assert again.shape == (4, 2, SAMPLES)
        assert np.array_equal(again, example)
    assert not np.array_equal(
        Dataset(store, "train", SETTINGS, 8, SAMPLES).example(0, 0), expected[0, 0]
    )


def test_every_segment_is_used_once_per_epoch_and_source(examples):
    shift = 100
    for source in range(4):
        bases = [(o[source][0], o[source][1] // shift * shift) for o in origins(examples, 0)]
        long = [base for base in bases if base[0] != 3]
        assert len(bases) == len(set(bases)) == EXAMPLES
        assert set(long) == {(0, 100 * p) for p in range(20)} | {
            (1, 100 * p) for p in range(29)
        } | {(2, 100 * p) for p in range(12)}


def test_remixing_conserves_each_groups_segments(store, examples):
    remixed = origins(examples, 2)
    plain = origins(Dataset(store, "train", replace(SETTINGS, remix_group=1), 7, SAMPLES), 2)
    moved = 0
    for first in range(0, EXAMPLES, SETTINGS.remix_group):
        group = slice(first, first + SETTINGS.remix_group)
        for source in range(4):
            after = [o[source] for o in remixed[group]]
            before = [o[source] for o in plain[group]]
            assert Counter(after) == Counter(before)
            moved += after != before
    assert moved > EXAMPLES / SETTINGS.remix_group
    assert any(len({source[0] for source in o}) > 1 for o in remixed)
    assert all(len({source[0] for source in o}) == 1 for o in plain)


def test_shifts_span_their_range_and_differ_between_sources(examples):
    shifts = np.array([[s[1] % 100 for s in o] for e in range(8) for o in origins(examples, e)])
    assert shifts.min() == 0
    assert shifts.max() == 99
    assert abs(shifts.mean() - 49.5) < 3
    assert np.mean(shifts[:, 0] == shifts[:, 1]) < 0.05


def test_half_of_signs_and_channels_are_flipped(store, examples):
    flips = np.array([[s[2:] for s in o] for e in range(8) for o in origins(examples, e)])
    assert np.abs(flips.mean(axis=(0, 1)) - 0.5).max() < 0.05
    assert abs(np.mean(flips[..., 0] == flips[..., 1]) - 0.5) < 0.05
    still = replace(SETTINGS, flip_sign=False, flip_channels=False, shift_seconds=0.0)
    plain = origins(Dataset(store, "train", still, 7, SAMPLES), 0)
    assert not any(source[2] or source[3] or source[1] % 100 for o in plain for source in o)


def test_no_two_epochs_are_equal(examples):
    assert len({str(origins(examples, epoch)) for epoch in range(6)}) == 6


def test_a_longer_epoch_repeats_the_segments_in_a_new_order(store):
    settings = replace(SETTINGS, examples_per_epoch=2 * EXAMPLES + 10, remix_group=1)
    longer = origins(Dataset(store, "train", settings, 7, SAMPLES), 0)
    bases = [(o[0][0], o[0][1] // 100) for o in longer]
    first, second = bases[:EXAMPLES], bases[EXAMPLES : 2 * EXAMPLES]
    assert sorted(first) == sorted(second)
    assert first != second


def test_validation_covers_every_track_in_order_without_augmentation(store):
    fixed = Dataset(store, "train", SETTINGS, 7, SAMPLES, augment=False)
    assert len(fixed) == 3 + 4 + 3 + 1
    segments = origins(fixed, 4)
    expected = [(t, p) for t, n in enumerate((3, 4, 3, 1)) for p in range(0, n * SAMPLES, SAMPLES)]
    assert segments == [[(track, start, False, False)] * 4 for track, start in expected]
    limited = replace(SETTINGS, validation_seconds=1.5)
    assert len(Dataset(store, "train", limited, 7, SAMPLES, augment=False)) == 2 + 2 + 2 + 1


def test_bad_requests_are_refused(store, examples):
    with pytest.raises(IndexError):
        examples.example(0, EXAMPLES)
    with pytest.raises(UserError, match="no valid tracks"):
        Dataset(store, "valid", SETTINGS, 7, SAMPLES)
