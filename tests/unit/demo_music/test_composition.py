"""Scores: arrangement, clock, and notes that belong to the chords and the key."""

import hashlib
import json
from collections import Counter

import numpy as np
import pytest

from upsampling.demo_music.composition import (
    BEATS_PER_BAR,
    Song,
    arrange,
    bass_notes,
    compose,
    drum_hits,
    melody_notes,
    pattern_notes,
)
from upsampling.demo_music.styles import FEELS

CLOCK_TOLERANCE = 1e-12
VELOCITY_TOLERANCE = 1e-8
# Of 12 songs in each style: a digest of their scores, mean tempo, mean velocity,
# and the mean time in s of the sixty-fourths of their first bars.
SCORES = {
    "pop": ("238639ea363a5bf8", 107.883730574, 0.753696313, 1.096817830),
    "rock": ("bff6d0ff5b229aa9", 134.637665330, 0.816011711, 0.878714336),
    "ballad": ("6b5f2e54c71ebf46", 78.366191159, 0.713735424, 1.512262781),
    "house": ("b1964b2116f5a630", 120.809919088, 0.680384090, 0.978092641),
    "hip-hop": ("493671fbd0d7602b", 88.708754650, 0.741616746, 1.347801616),
    "funk": ("67b8bad42c080adf", 104.559868087, 0.672214978, 1.137391400),
    "bossa": ("a6df3587921e60bd", 119.798882134, 0.630930090, 0.986826009),
    "shuffle": ("3b5d5ff15f3af0b1", 101.060030393, 0.817504394, 1.201082211),
}


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
    middle = 0.5 + swung.feel.swing / 6
    for beat, expected in ((0.25, middle / 2), (0.5, middle), (0.75, (1 + middle) / 2)):
        late = swung.clock(beat) * swung.tempo / 60
        assert late == pytest.approx(expected, abs=CLOCK_TOLERANCE)
    straight = next(song for song in scores if song.feel.name == "pop")
    assert straight.clock(beats) == pytest.approx(beats * 60 / straight.tempo, abs=CLOCK_TOLERANCE)


def test_ties_are_the_hyphens_after_a_note():
    assert pattern_notes("x--.-x-") == [(0, "x", 2), (5, "x", 1)]


def test_equal_seeds_give_equal_songs():
    first, second = (compose(np.random.default_rng(5), 20.0, FEELS[2]) for _ in range(2))
    assert first == second
    assert compose(np.random.default_rng(6), 20.0, FEELS[2]) != first


def score_in_integers(song: Song, rng: np.random.Generator) -> dict[str, list]:
    """A score without velocities: times in sixteenths, lengths in eightieths of a beat."""
    parts = {
        "bass": bass_notes(song, rng),
        **drum_hits(song, rng),
        "low": melody_notes(song, rng, 54),
        "high": melody_notes(song, rng, 63),
    }
    notes = {
        part: [[round(4 * n.start), round(80 * n.length), round(8 * n.pitch)] for n in part_notes]
        for part, part_notes in sorted(parts.items())
    }
    rests = {source: sorted(bars) for source, bars in sorted(song.rests.items())}
    chords = [[int(pitch) for pitch in song.chord(bar)] for bar in range(song.bars)]
    plan = {"form": song.sections, "chords": chords, "tonic": song.tonic, "rests": rests}
    return notes | plan


@pytest.mark.parametrize("number", range(len(FEELS)), ids=lambda number: FEELS[number].name)
def test_scores_are_those_that_published_numbers_stand_on(scores, number):
    """Another score is other music: all measured numbers of the documentation would change."""
    songs = scores[number :: len(FEELS)]
    integers, velocities = [], []
    for seed, song in enumerate(songs):
        integers.append(score_in_integers(song, np.random.default_rng(seed)))
        rng = np.random.default_rng(seed)
        notes = [*bass_notes(song, rng), *melody_notes(song, rng, 60)]
        notes += [hit for hits in drum_hits(song, rng).values() for hit in hits]
        velocities.append(np.mean([note.velocity for note in notes]))
    digest = hashlib.sha256(json.dumps(integers).encode()).hexdigest()[:16]
    tempo = np.mean([song.tempo for song in songs])
    seconds = np.mean([song.clock(np.arange(0, 4, 1 / 16)) for song in songs])
    expected = SCORES[FEELS[number].name]
    assert digest == expected[0]
    assert [tempo, np.mean(velocities), seconds] == pytest.approx(
        expected[1:], rel=VELOCITY_TOLERANCE
    )


def test_arrangements_of_any_length_are_those_of_their_seed():
    arrangements = []
    for bars in range(1, 101):
        sections, rests = arrange(bars, np.random.default_rng(bars))
        arrangements.append([sections, [sorted(silent) for silent in rests.values()]])
    digest = hashlib.sha256(json.dumps(arrangements).encode()).hexdigest()[:16]
    assert digest == "8034eadc8a01f799"
