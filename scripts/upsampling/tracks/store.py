"""The track store: decoded music as memory-mapped 16-bit arrays, and one manifest.

`root/manifest.json` describes every track; each track is one `root/<file>.npy`, int16
[5, samples, 2], stems in the order of `STEMS`. Any 10 s excerpt is read in milliseconds.
"""

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.errors import UserError
from upsampling.files import read_json, sha256, write_json
from upsampling.tracks.reading import STEMS

FORMAT = 1
MANIFEST = "manifest.json"
SPLITS = ("train", "valid", "test")
FULL_SCALE = 32768.0
# Bytes that are compared in less than a second, without a word.
QUICK = 10**9


@dataclass(frozen=True)
class Track:
    """One entry of the manifest.

    `mixture` is "own" (as published) or "linear" (the sum of the sources); mixture samples are
    int16 / 32768 * `mixture_scale`, those of sources int16 / 32768.
    """

    name: str
    file: str
    split: str
    samples: int
    bytes: int
    sha256: str
    mixture: str
    mixture_scale: float
    origin: str


def safe_file_name(name: str) -> str:
    """A file name for a track's name: letters, digits, '.', '_', '-'; all else becomes '_'."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-")
    return f"{safe or 'track'}.npy"


class Verified:
    """The stored tracks whose content was compared with their checksums, in a file beside them.

    A track is compared again when its file's size, time or inode changes. Where that file cannot
    be written, every process compares.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.path = root, root / ".verified.json"
        self._known: dict[str, Any] = {}
        with suppress(OSError, UserError):
            known = read_json(self.path)
            self._known = known if isinstance(known, dict) else {}

    def holds(self, track: Track) -> bool:
        """Return True if the track's file has the content that was stored."""
        path = self.root / track.file
        if not path.exists() or path.stat().st_size != track.bytes:
            return False
        if not self.is_known(track):
            if sha256(path) != track.sha256:
                return False
            self.remember(track)
        return True

    def is_known(self, track: Track) -> bool:
        """Return True if this state of the file was verified before."""
        path = self.root / track.file
        return path.exists() and self._known.get(track.file) == self._mark(track)

    def remember(self, track: Track) -> None:
        """Take the track's file as compared."""
        self._known[track.file] = self._mark(track)

    def save(self) -> None:
        """Write the list of verified tracks, for other processes."""
        with suppress(OSError):
            write_json(self.path, self._known)

    def _mark(self, track: Track) -> list[Any]:
        stat = (self.root / track.file).stat()
        return [track.sha256, stat.st_size, stat.st_mtime_ns, stat.st_ino]


class TrackStore:
    """A store, open for reading: opening reads the manifest, first use maps a track."""

    def __init__(self, root: Path, samplerate: int, tracks: Sequence[Track]) -> None:
        self.root = root
        self.samplerate = samplerate
        self.sources = STEMS[1:]
        self._tracks = tuple(tracks)
        self._maps: dict[str, np.ndarray] = {}

    @classmethod
    def open(cls, root: str | Path) -> "TrackStore":
        """Open the store at `root`; one that is missing or of another format is a `UserError`."""
        root = Path(root)
        path = root / MANIFEST
        try:
            manifest = read_json(path)
        except FileNotFoundError:
            raise UserError(f"no track store at {root}: {MANIFEST} is missing") from None
        try:
            if manifest["format"] != FORMAT or manifest["stems"] != list(STEMS):
                raise UserError(f"{path} has a format that cannot be read here; prepare it again")
            tracks = [Track(**entry) for entry in manifest["tracks"]]
            samplerate = int(manifest["samplerate"])
        except (TypeError, ValueError) as error:
            raise UserError(f"{path} is not a manifest of tracks ({error})") from None
        for track in tracks:
            if track.split not in SPLITS or safe_file_name(track.file[:-4]) != track.file:
                raise UserError(f"{path}: bad split or file name for track '{track.name}'")
        return cls(root, samplerate, tracks)

    def verify(self, *splits: str) -> None:
        """Compare the tracks of `splits` with their checksums; `UserError` names damaged ones.

        Tracks that were compared before, and whose files did not change, take no time.
        """
        verified = Verified(self.root)
        tracks = [track for split in splits for track in self.tracks(split)]
        unknown = [track for track in tracks if not verified.is_known(track)]
        if not unknown:
            return
        total, done = sum(track.bytes for track in unknown), 0
        damaged = []
        for track in unknown:
            if not verified.holds(track):
                damaged.append(f"{self.root / track.file}")
            before, done = done, done + track.bytes
            if total > QUICK and 10 * done // total > 10 * before // total:
                print(f"comparing stored tracks with their checksums: {done / total:.0%} of "
                      f"{total / 1e9:.2f} GB", file=sys.stderr, flush=True)  # fmt: skip
        verified.save()
        if damaged:
            raise UserError(
                f"{', '.join(damaged)}: missing or not as stored; delete {self.root / MANIFEST} "
                "and run the same command again, which decodes these tracks again"
            )

    def tracks(self, split: str | None = None) -> list[Track]:
        """Tracks of `split` (train, valid or test; None for all), in the manifest's order."""
        if split is not None and split not in SPLITS:
            raise UserError(f"unknown split '{split}'; choose from {', '.join(SPLITS)}")
        return [track for track in self._tracks if split in (None, track.split)]

    def segment(
        self,
        track: Track,
        stem: str,
        start: int,
        length: int,
        gain: float = 1.0,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Samples `start` to `start + length` of one stem, float32 [2, length], +-1 at full scale.

        Positions before the first sample and past the last one are zeros. The samples are
        multiplied by `gain` and, with `out` (of that shape), written there in the same pass.
        """
        first, last = max(0, start), min(track.samples, start + length)
        segment = np.empty((2, length), np.float32) if out is None else out
        if last - first < length:
            segment[:] = 0
        if first < last:
            samples = self._map(track)[STEMS.index(stem), first:last]
            scale = gain * (track.mixture_scale if stem == "mixture" else 1.0) / FULL_SCALE
            part = segment[:, first - start : last - start]
            np.multiply(samples.T, np.float32(scale), out=part, casting="same_kind")
        return segment

    def mixture(self, track: Track, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Samples `start` to `stop` (all) of the mixture of `track`, float32 [2, samples]."""
        return self._stems(track, ("mixture",), start, stop)[0]

    def references(self, track: Track, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Samples `start` to `stop` (all) of the sources of `track`, float32 [4, 2, samples]."""
        return self._stems(track, self.sources, start, stop)

    def _stems(
        self, track: Track, stems: Sequence[str], start: int, stop: int | None
    ) -> np.ndarray:
        stop = track.samples if stop is None else stop
        result = np.stack([self.segment(track, stem, start, stop - start) for stem in stems])
        # Without the map, the pages that were read leave the memory of this process.
        self._maps.pop(track.file, None)
        return result

    def _map(self, track: Track) -> np.ndarray:
        samples = self._maps.get(track.file)
        if samples is None:
            path = self.root / track.file
            size = path.stat().st_size if path.exists() else None
            if size != track.bytes:
                problem = "is missing" if size is None else f"has {size} of {track.bytes} bytes"
                raise UserError(
                    f"track '{track.name}': {path} {problem}; delete {self.root / MANIFEST} and "
                    "prepare the tracks again"
                )
            samples = np.load(path, mmap_mode="r")
            if samples.shape != (len(STEMS), track.samples, 2) or samples.dtype != np.int16:
                raise UserError(f"track '{track.name}': {path} does not match the manifest")
            self._maps[track.file] = samples
        return samples

    def __getstate__(self) -> dict[str, Any]:
        """Exclude the memory maps: each process that unpickles the store opens its own."""
        return {**self.__dict__, "_maps": {}}


def manifest(samplerate: int, tracks: Sequence[Track]) -> dict[str, Any]:
    """The content of manifest.json."""
    return {
        "format": FORMAT,
        "samplerate": samplerate,
        "stems": list(STEMS),
        "tracks": [asdict(track) for track in tracks],
    }
