"""Pictures and sounds of the page, rendered in parallel while there is room for them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

BATCH = 16
# In the order in which they get room.
PICTURES, PROBE_SOUNDS, EXCERPTS = range(3)


class Pending(NamedTuple):
    """A picture or sound to be rendered into `clip[key]`, and its place in the queue."""

    seed: int
    kind: int
    clip: dict[str, Any]
    key: str
    render: Callable[[], str]


@dataclass
class Media:
    """Pictures and sounds that wait to be rendered."""

    pending: list[Pending] = field(default_factory=list)

    def add(
        self, seed: int, kind: int, clip: dict[str, Any], key: str, render: Callable[[], str]
    ) -> None:
        """Put the data URI that `render` returns under `clip[key]` if there is room, else None."""
        clip[key] = None
        self.pending.append(Pending(seed, kind, clip, key, render))

    def render(self, room: float, workers: int) -> int:
        """Render until `room` characters are used up; return the number of media left out.

        The first seed goes first, pictures before the probes' sounds, these before excerpts;
        `workers` are rendered at once.
        """
        queue = sorted(self.pending, key=lambda entry: (entry.seed, entry.kind))
        left_out = 0
        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(queue), BATCH):
                batch = queue[start : start + BATCH]
                if room <= 0:
                    left_out += len(batch)
                    continue
                uris = pool.map(lambda entry: entry.render(), batch)
                for entry, uri in zip(batch, uris, strict=True):
                    room -= len(uri)
                    entry.clip[entry.key] = uri if room > 0 else None
                    left_out += room <= 0
        return left_out
