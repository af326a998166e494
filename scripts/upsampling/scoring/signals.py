"""Audio of any length in bounded memory: pieces are read when they are used."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.errors import UserError


class TimeSlices:
    """Audio `[..., samples]` that `read(start, stop)` returns in pieces, indexed by samples."""

    def __init__(self, shape: tuple[int, ...], read: Callable[[int, int], np.ndarray]) -> None:
        self.shape, self.read = shape, read

    def __getitem__(self, key: tuple[Any, slice]) -> np.ndarray:
        start, stop, _ = key[1].indices(self.shape[-1])
        return self.read(start, max(start, stop))


class Frames:
    """Audio `[sources, channels, samples]`, indexed by sources and samples as its transpose is.

    The transpose is `[sources, samples, channels]`, museval's order of axes.
    """

    def __init__(self, audio: TimeSlices) -> None:
        sources, channels, samples = audio.shape
        self.shape = (sources, samples, channels)
        self._audio = audio

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        sources, span = key if isinstance(key, tuple) else (key, slice(None))
        return np.swapaxes(self._audio[..., span], 1, 2)[sources]


class SignalFile(TimeSlices):
    """Float32 audio `[sources, channels, samples]` in a file without a name, indexed by samples.

    The file lies in `folder` and is gone when it is closed or its process ends, however that ends.
    A disk that is full is a `UserError`.
    """

    def __init__(self, folder: Path, shape: tuple[int, int, int]) -> None:
        super().__init__(shape, self._read)
        self._folder, self._frame = folder, 4 * shape[0] * shape[1]
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115

    def __enter__(self) -> "SignalFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __setitem__(self, key: tuple[Any, slice], piece: np.ndarray) -> None:
        """Write `piece`, `[sources, channels, stop - start]`."""
        samples_first = np.moveaxis(piece.astype(np.float32, copy=False), -1, 0)
        try:
            self._file.seek(key[1].indices(self.shape[-1])[0] * self._frame)
            self._file.write(np.ascontiguousarray(samples_first).data)
            self._file.flush()
        except OSError as error:
            raise UserError(f"a temporary file in {self._folder}: {error.strerror}") from error

    def _read(self, start: int, stop: int) -> np.ndarray:
        self._file.seek(start * self._frame)
        content = self._file.read((stop - start) * self._frame)
        samples_first = np.frombuffer(content, np.float32).reshape(-1, *self.shape[:2])
        return np.ascontiguousarray(np.moveaxis(samples_first, 0, -1))
