"""Scores: arrangement, clock, and notes that belong to the chords and the key."""

from collections import Counter

import numpy as np
import pytest

from upsampling.demo_music.composition import (
    BEATS_PER_BAR,
    arrange,
    bass_notes,
    compose,
    count_ties,
    drum_hits,
    melody_notes,
)
from upsampling.demo_music.styles import FEELS

CLOCK_TOLERANCE = 1e-12


def test_every_source_rests_somewhere_and_plays_mostly(scores):
    for source in ("drums", "bass", "other", "vocals"):
        shares = np.array([len(song.rests[source]) / song.bars for song in scores])
        assert shares.max() < 0.5
        assert 0.02 < shares.mean() < 0.35


def test_songs_differ_in_tempo_key_and_chords(scores):
    assert len({round(song.tempo) for song in scores}) > 25
    assert len({song.tonic for song in scores}) == 12
    assert len({song.scale for song in scores}) == 4
    assert len({song.chords for song in scores}) > 30


def test_a_song_is_just_long_enough(scores):
    for song in scores:
        bar_seconds = BEATS_PER_BAR * 60 / song.tempo
        assert 0 <= song.bars * bar_seconds - 30.0 < bar_seconds


@pytest.mark.parametrize("bars", [1, 3, 8, 40, 100])
def test_an_arrangement_names_the_section_of_each_bar(bars):
    sections, rests = arrange(bars, np.random.default_rng(0))
    assert len(sections) == bars
    assert set(sections) <= {"intro", "verse", "chorus", "break"}
    # Only the first cycle of a long song has an intro.
    assert sections.count("intro") <= 4
    for silent in rests.values():
        assert {sections[bar] for bar in silent} <= {"intro", "break"}


def test_melodies_stay_in_key_and_bass_plays_roots(scores):
    for number, song in enumerate(scores):
        allowed = {song.pitch(degree) % 12 for degree in range(7)}
        tune = melody_notes(song, np.random.default_rng(number), 60)
        assert {note.pitch % 12 for note in tune} <= allowed
        bass = bass_notes(song, np.random.default_rng(number))
        rooted = [note.pitch % 12 == song.chord(int(note.start // 4))[0] for note in bass]
        assert np.mean(rooted) > 0.3
        assert min(note.pitch for note in bass) >= 26


def test_melodies_stay_near_their_center(scores):
    for center in (54, 63):
        pitches = [
            n.pitch for s in scores for n in melody_notes(s, np.random.default_rng(1), center)
        ]
        assert abs(np.mean(pitches) - center) < 4
        assert max(pitches) - min(pitches) < 36


def test_no_source_has_a_note_in_its_rests(scores):
    for number, song in enumerate(scores):
        rng = np.random.default_rng(number)
        played = {
            "bass": bass_notes(song, rng),
            "vocals": melody_notes(song, rng, 60),
            "drums": [hit for hits in drum_hits(song, rng).values() for hit in hits],
        }
        for source, notes in played.items():
            assert {int(n.start // BEATS_PER_BAR) for n in notes}.isdisjoint(song.rests[source])


def test_drums_follow_the_pattern_outside_fills(scores):
    """In a bar that ends no section, each pattern's symbols are the hits of its drum."""
    song = next(s for s in scores if s.feel.name == "pop")
    hits = drum_hits(song, np.random.default_rng(0))
    bar = next(
        n for n, section in enumerate(song.sections)
        if section == "verse" and not song.section_end(n) and n not in song.rests["drums"]
    )  # fmt: skip
    for drum, pattern in song.feel.verse.items():
        steps = [4 * (h.start - 4 * bar) for h in hits[drum] if 4 * bar <= h.start < 4 * bar + 4]
        assert steps == [step for step, symbol in enumerate(pattern) if symbol != "."]


def test_fills_end_sections_and_crashes_open_choruses(scores):
    for number, song in enumerate(scores):
        hits = drum_hits(song, np.random.default_rng(number))
        starts = Counter(int(hit.start // BEATS_PER_BAR) for hit in hits.get("crash", []))
        for bar in starts:
            assert song.sections[bar] == "chorus"
            assert bar == 0 or song.section_end(bar - 1)
        for hit in hits.get("tom", []):
            assert song.section_end(int(hit.start // BEATS_PER_BAR))


def test_clock_swings_between_beats_but_not_on_them(scores):
    for song in scores[: len(FEELS)]:
        beats = np.arange(0, 8, 0.01)
        assert np.all(np.diff(song.clock(beats)) > 0)
        whole = np.arange(9.0)
        assert song.clock(whole) == pytest.approx(whole * 60 / song.tempo, abs=CLOCK_TOLERANCE)
    swung = next(song for song in scores if song.feel.name == "shuffle")
    late = swung.clock(0.5) * swung.tempo / 60
    assert late == pytest.approx(0.5 + swung.feel.swing / 6, abs=CLOCK_TOLERANCE)


def test_ties_are_the_hyphens_after_a_note():
    assert [count_ties("x--.-x-", step) for step in range(7)] == [2, 1, 0, 1, 0, 1, 0]


def test_equal_seeds_give_equal_songs():
    first, second = (compose(np.random.default_rng(5), 20.0, FEELS[2]) for _ in range(2))
    assert first == second
    assert compose(np.random.default_rng(6), 20.0, FEELS[2]) != first
