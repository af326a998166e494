"""The score of a demo song: tempo, key, chords, arrangement, and the notes of every part.

Times are in beats (quarter notes) from the start of the song, four beats to a bar, and pitches are
MIDI note numbers. `Song.clock` turns beats into seconds.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from upsampling.demo_music.styles import CHORUS_RHYTHMS, PROGRESSIONS, SCALES, VERSE_RHYTHMS, Feel

BEATS_PER_BAR = 4
STEPS_PER_BAR = 16
FORM = (("intro", 0.2), ("verse", 0.32), ("chorus", 0.26), ("break", 0.1), ("chorus", 0.12))
SHORTEST_FORM_BARS, LONGEST_FORM_BARS = 6, 16
BREAK_RESTS = (("drums",), ("drums", "bass"), ("bass",), ("other",))
INTRO_RESTS = (("vocals", "drums"), ("vocals", "bass"), ("vocals",), ("vocals", "other"))


class Note(NamedTuple):
    """One note: start and length in beats, MIDI pitch, velocity in 0..1."""

    start: float
    length: float
    pitch: float
    velocity: float


class Line(NamedTuple):
    """Notes as they are played, `[notes]` each: starts and ends in s, MIDI pitches, velocities."""

    starts: np.ndarray
    ends: np.ndarray
    pitches: np.ndarray
    velocities: np.ndarray

    def latest(self, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The latest note at each `time` in s, and the time since its start."""
        current = np.clip(np.searchsorted(self.starts, time, side="right") - 1, 0, None)
        return current, time - self.starts[current]


@dataclass(frozen=True)
class Song:
    """One song's plan: `chords` has a scale degree per bar, `rests` the bars a source is silent."""

    feel: Feel
    tempo: float
    tonic: int
    scale: tuple[int, ...]
    sections: tuple[str, ...]
    chords: tuple[int, ...]
    rests: Mapping[str, frozenset[int]]

    @property
    def bars(self) -> int:
        """Number of bars, the last one cut by the end of the song."""
        return len(self.sections)

    def clock(self, beats: float | np.ndarray) -> np.ndarray:
        """Times in s at which `beats` are played; swing delays every second subdivision."""
        whole, rest = np.divmod(np.asarray(beats, float), self.feel.swing_beats)
        middle = 0.5 + self.feel.swing / 6
        swung = np.interp(rest / self.feel.swing_beats, [0, 0.5, 1], [0, middle, 1])
        return (whole + swung) * self.feel.swing_beats * 60 / self.tempo

    def line(self, notes: Sequence[Note]) -> Line:
        """`notes` in the time of the clock; there must be some."""
        starts, lengths, pitches, velocities = np.array(notes, float).T
        return Line(self.clock(starts), self.clock(starts + lengths), pitches, velocities)

    def bars_of(self, source: str) -> list[int]:
        """The bars in which `source` plays."""
        return [bar for bar in range(self.bars) if bar not in self.rests[source]]

    def pitch(self, degree: int) -> int:
        """MIDI pitch of a scale degree, 0 being the tonic in the octave of middle C."""
        octave, step = divmod(degree, len(self.scale))
        return 60 + self.tonic + 12 * octave + self.scale[step]

    def chord(self, bar: int) -> tuple[int, ...]:
        """Pitch classes of the seventh chord of `bar`, root first."""
        return tuple(self.pitch(self.chords[bar] + third) % 12 for third in (0, 2, 4, 6))

    def section_end(self, bar: int) -> bool:
        """True if another section, or the end of the song, follows `bar`."""
        return bar + 1 == self.bars or self.sections[bar + 1] != self.sections[bar]


def arrange(bars: int, rng: np.random.Generator) -> tuple[list[str], dict[str, frozenset[int]]]:
    """Return the section of each bar and, per source, the bars in which it is silent."""
    cycles = max(1, round(bars / LONGEST_FORM_BARS))
    edges = np.round(np.linspace(0, bars, cycles + 1)).astype(int)
    sections: list[str] = []
    rests: dict[str, set[int]] = {"drums": set(), "bass": set(), "other": set(), "vocals": set()}
    for cycle, (first, last) in enumerate(pairwise(edges)):
        ends = np.round(first + np.cumsum([share for _, share in FORM]) * (last - first))
        silent = {
            "intro": INTRO_RESTS[rng.integers(len(INTRO_RESTS))],
            "break": BREAK_RESTS[rng.integers(len(BREAK_RESTS))],
        }
        if last - first < SHORTEST_FORM_BARS:
            silent = {"intro": ("vocals",)}
        for (name, _), end in zip(FORM, ends.astype(int), strict=True):
            section = "verse" if name == "intro" and cycle else name
            for bar in range(len(sections), end):
                sections.append(section)
                for source in silent.get(section, ()):
                    rests[source].add(bar)
    return sections, {source: frozenset(silent) for source, silent in rests.items()}


def compose(rng: np.random.Generator, seconds: float, feel: Feel) -> Song:
    """Plan a song of at least `seconds` in the style `feel`."""
    tempo = rng.uniform(*feel.tempo)
    bars = int(np.ceil(seconds * tempo / 60 / BEATS_PER_BAR))
    mode = str(rng.choice(feel.modes))
    progressions = PROGRESSIONS[mode]
    order = rng.permutation(len(progressions))
    by_section = {"intro": 0, "verse": 0, "chorus": 1, "break": 2}
    sections, rests = arrange(bars, rng)
    chords = [progressions[order[by_section[s]]][bar % 4] for bar, s in enumerate(sections)]
    tonic = int(rng.integers(-5, 7))
    return Song(feel, tempo, tonic, SCALES[mode], tuple(sections), tuple(chords), rests)


def pattern_notes(pattern: str) -> list[tuple[int, str, int]]:
    """Step, symbol and number of ties (hyphens) of each note of a pattern of one bar."""
    notes = re.finditer("[a-z]-*", pattern)
    return [(note.start(), note[0][0], len(note[0]) - 1) for note in notes]


def bass_notes(song: Song, rng: np.random.Generator) -> list[Note]:
    """The bass line: chord roots, fifths and octaves, passing notes into the next bar's root."""
    notes = []
    for bar in song.bars_of("bass"):
        root = 28 + (song.chord(bar)[0] - 28) % 12
        following = 28 + (song.chord(min(bar + 1, song.bars - 1))[0] - 28) % 12
        passing = following + int(rng.choice([-2, -1, 2]))
        pitches = {"r": root, "f": root + 7, "o": root + 12, "p": passing}
        pattern = song.feel.bass[song.sections[bar] == "chorus"]
        for step, symbol, ties in pattern_notes(pattern):
            velocity = rng.uniform(0.75, 1.0) * (1.0 if step % 4 == 0 else 0.85)
            start = BEATS_PER_BAR * bar + step / 4
            notes.append(Note(start, (ties + 0.85) / 4, pitches[symbol], velocity))
    return notes


def drum_hits(song: Song, rng: np.random.Generator) -> dict[str, list[Note]]:
    """Hits per drum (pitch is that of toms); fills close sections, crashes open them."""
    loudness = {"X": 1.0, "x": 0.72, "o": 0.35}
    hits: dict[str, list[Note]] = defaultdict(list)
    for bar in song.bars_of("drums"):
        section, start = song.sections[bar], BEATS_PER_BAR * bar
        patterns = dict(song.feel.chorus if section == "chorus" else song.feel.verse)
        if section in ("intro", "break"):
            patterns.pop("snare", None)
        fill_from = STEPS_PER_BAR
        if song.section_end(bar) and section != "break":
            fill_from = int(rng.choice([8, 12, 12, 14]))
            for step in range(fill_from, STEPS_PER_BAR):
                drum = "snare" if rng.random() < 0.4 else "tom"
                tom = 58 - 9 * (step - fill_from) / (STEPS_PER_BAR - fill_from)
                hits[drum].append(Note(start + step / 4, 0.25, tom, rng.uniform(0.5, 0.95)))
        if section == "chorus" and (bar == 0 or song.section_end(bar - 1)):
            hits["crash"].append(Note(start, 1, 0, 0.8))
        for drum, pattern in patterns.items():
            for step, symbol in enumerate(pattern[:fill_from]):
                if symbol in loudness:
                    velocity = loudness[symbol] * rng.uniform(0.88, 1.0)
                    hits[drum].append(Note(start + step / 4, 0.25, 0, velocity))
    return hits


def melody_notes(song: Song, rng: np.random.Generator, center: int) -> list[Note]:
    """The tune: a two-bar motif per kind of section, repeated over the chords around `center`."""
    motifs: dict[str, list[tuple[str, np.ndarray]]] = {}
    for section, rhythms in (("verse", VERSE_RHYTHMS), ("chorus", CHORUS_RHYTHMS)):
        bars = [str(rng.choice(rhythms)) for _ in range(2)]
        motifs[section] = [(r, rng.choice([-2, -1, -1, 0, 1, 1, 2], size=16)) for r in bars]
    home = int(np.argmin([abs(song.pitch(degree) - center) for degree in range(-14, 14)])) - 14
    notes: list[Note] = []
    degree = home
    for bar in song.bars_of("vocals"):
        section = "chorus" if song.sections[bar] == "chorus" else "verse"
        rhythm, steps = motifs[section][bar % 2]
        target = home + (2 if section == "chorus" else 0)
        degree = target + (degree - target) // 2
        chord = song.chord(bar)[:3]
        for step, _, ties in pattern_notes(rhythm):
            degree = int(np.clip(degree + steps[step], target - 4, target + 5))
            if step % 8 == 0:
                near = [d for d in (degree, degree - 1, degree + 1) if song.pitch(d) % 12 in chord]
                degree = near[0] if near else degree
            velocity = rng.uniform(0.75, 0.95) * (1.0 if section == "chorus" else 0.85)
            start = BEATS_PER_BAR * bar + step / 4
            notes.append(Note(start, (ties + 0.95) / 4, song.pitch(degree), velocity))
    return notes
