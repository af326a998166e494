"""Training examples as a pure function of (seed, epoch, index): random excerpts, augmented.

The augmentation is that of Demucs (Défossez et al. 2019), which the paper adopts (Sec. 6): random
shift, channel swap and sign per source, and remixing of sources within groups of examples. An
example depends on these three numbers alone, so any process can compute it, and a resumed run gets
the same ones.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from upsampling.config.training import TrainingSettings
from upsampling.errors import UserError
from upsampling.tracks.store import Track, TrackStore

# Part of the seeds of three independent streams: order of segments, augmentation, remixing.
ORDER, AUGMENT, REMIX = 1, 2, 3


@lru_cache(maxsize=16)
def permutation(count: int, *seed: int) -> np.ndarray:
    """A permutation of `count` numbers, decided by `seed` alone."""
    return np.random.default_rng(seed).permutation(count)


@dataclass(frozen=True)
class Dataset:
    """Examples from the tracks of `split`, float32 [4 sources, 2, samples].

    With `augment`, an epoch has `settings.examples_per_epoch` examples or, if that is None, one per
    stride and track: each position that leaves room for a whole segment and its shift, at least
    one per track. Without it (validation), the examples are consecutive segments that cover each
    track, or its first `settings.validation_seconds` s, the last one padded with zeros.
    """

    store: TrackStore
    split: str
    settings: TrainingSettings
    seed: int
    samples: int
    augment: bool = True
    _tracks: list[Track] = field(init=False, repr=False)
    _ends: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tracks = self.store.tracks(self.split)
        if not tracks:
            raise UserError(f"no {self.split} tracks in {self.store.root}")
        counts = [self._positions(track) for track in tracks]
        object.__setattr__(self, "_tracks", tracks)
        object.__setattr__(self, "_ends", np.cumsum(counts))

    def __len__(self) -> int:
        """Number of examples in an epoch."""
        if self.augment and self.settings.examples_per_epoch is not None:
            return self.settings.examples_per_epoch
        return int(self._ends[-1])

    def example(self, epoch: int, index: int) -> np.ndarray:
        """Example `index` of `epoch`, float32 [4 sources, 2, samples]; its sum is the mixture."""
        if not 0 <= index < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        example = np.empty((len(self.store.sources), 2, self.samples), np.float32)
        for number, source in enumerate(self.store.sources):
            if self.augment:
                remixed = self._remixed_index(epoch, index, number)
                self._write_augmented(epoch, remixed, number, example[number])
            else:
                track, start = self._segment(index)
                self.store.segment(track, source, start, self.samples, out=example[number])
        return example

    def _positions(self, track: Track) -> int:
        if not self.augment:
            limit = self.settings.validation_seconds
            used = track.samples if limit is None else min(track.samples, self._length(limit))
            return max(1, -(-used // self.samples))
        room = track.samples - self.samples - self._length(self.settings.shift_seconds)
        return max(1, 1 + room // self._stride)

    @property
    def _stride(self) -> int:
        return max(1, self._length(self.settings.stride_seconds)) if self.augment else self.samples

    def _length(self, seconds: float) -> int:
        return round(seconds * self.store.samplerate)

    def _segment(self, number: int) -> tuple[Track, int]:
        """Track and first sample of base segment `number`, before any shift."""
        track = int(np.searchsorted(self._ends, number, side="right"))
        before = int(self._ends[track - 1]) if track else 0
        return self._tracks[track], (number - before) * self._stride

    def _remixed_index(self, epoch: int, index: int, source: int) -> int:
        """The example, in the same group as `index`, whose `source` this one gets."""
        size = max(1, self.settings.remix_group)
        group, place = divmod(index, size)
        count = min(size, len(self) - group * size)
        order = permutation(count, self.seed, epoch, REMIX, group, source)
        return group * size + int(order[place])

    def _write_augmented(self, epoch: int, index: int, source: int, out: np.ndarray) -> None:
        """Write one source of example `index` before remixing to `out`, float32 [2, samples]."""
        segments = int(self._ends[-1])
        pass_number, position = divmod(index, segments)
        order = permutation(segments, self.seed, epoch, ORDER, pass_number)
        track, start = self._segment(int(order[position]))
        rng = np.random.default_rng([self.seed, epoch, AUGMENT, index, source])
        shift, swap, flip = rng.random(3)
        start += int(shift * self._length(self.settings.shift_seconds))
        gain = -1.0 if self.settings.flip_sign and flip < 0.5 else 1.0
        if self.settings.flip_channels and swap < 0.5:
            out = out[::-1]
        self.store.segment(track, self.store.sources[source], start, self.samples, gain, out)
