"""Whether files are opened, as Linux tells (inotify(7)), by whatever library."""

import ctypes
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
IN_OPEN = 0x20
# Watch, mask, cookie and length of a name, which events of a file itself do not have.
EVENT = struct.Struct("iIII")


class Watch:
    """Tells whether one of its files was opened since it began."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._opened = False

    @property
    def opened(self) -> bool:
        """Whether a file was opened, by any process."""
        try:
            events = os.read(self._descriptor, 1 << 20)
        except BlockingIOError:
            events = b""
        self._opened |= any(mask & IN_OPEN for _, mask, _, _ in EVENT.iter_unpack(events))
        return self._opened


@contextmanager
def watch(paths: Iterable[Path]) -> Iterator[Watch]:
    """Watch the files that exist among `paths`."""
    descriptor = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for path in paths:
            if path.is_file() and LIBC.inotify_add_watch(descriptor, bytes(path), IN_OPEN) < 0:
                raise OSError(ctypes.get_errno(), "inotify_add_watch", str(path))
        yield Watch(descriptor)
    finally:
        os.close(descriptor)
