"""Media get room in order: by seed, then by kind."""

import threading
import time

from upsampling.gallery.media import EXCERPTS, PICTURES, PROBE_SOUNDS, Media


def test_media_without_room_are_left_out_in_order():
    media = Media()
    clips: list[dict] = [{}, {}, {}]
    queue = ((1, PICTURES, clips[0]), (0, EXCERPTS, clips[1]), (0, PROBE_SOUNDS, clips[2]))
    for seed, kind, clip in queue:
        media.add(seed, kind, clip, "sound", lambda: "x" * 40)
    assert [clip["sound"] for clip in clips] == [None] * 3
    assert media.render(100, workers=2) == 1
    assert [clip["sound"] is None for clip in clips] == [True, False, False]


def test_nothing_is_rendered_without_room():
    media = Media()
    rendered = []
    # Sixteen at a time.
    for _ in range(21):
        media.add(0, PICTURES, {}, "picture", lambda: rendered.append(1) or "x" * 1000)
    assert media.render(1500, workers=1) == 20
    assert len(rendered) == 16
    assert Media().render(10, workers=1) == 0
    short, rendered = Media(), []
    for _ in range(21):
        short.add(0, PICTURES, {}, "picture", lambda: rendered.append(1) or "x")
    assert short.render(16, workers=1) == 6
    assert len(rendered) == 16


def test_workers_render_at_once_and_keep_the_order():
    media = Media()
    clips: list[dict] = [{} for _ in range(4)]
    barrier = threading.Barrier(2, timeout=10)

    def render(number: int) -> str:
        barrier.wait()
        time.sleep(0.01 * (4 - number))
        return str(number)

    for number, clip in enumerate(clips):
        media.add(0, PICTURES, clip, "picture", lambda number=number: render(number))
    assert media.render(1e6, workers=2) == 0
    assert [clip["picture"] for clip in clips] == ["0", "1", "2", "3"]


def test_the_last_character_of_room_is_kept_free():
    """Of two media of 40 characters, 81 take both, 80 the first."""
    for room, left_out in ((81, 0), (80, 1), (41, 1), (40, 2)):
        media = Media()
        for _ in range(2):
            media.add(0, PICTURES, {}, "picture", lambda: "x" * 40)
        assert media.render(room, workers=1) == left_out
