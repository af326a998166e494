"""Patterns fill a bar, with the symbols that the composer knows, and scales are those of theory."""

from itertools import pairwise

import pytest

from upsampling.demo_music.composition import STEPS_PER_BAR
from upsampling.demo_music.styles import (
    CHORUS_RHYTHMS,
    FEELS,
    PROGRESSIONS,
    SCALES,
    VERSE_RHYTHMS,
    Feel,
)

# Semitones from one degree to the next, the octave included.
STEPS = {
    "major": "2212221",
    "minor": "2122122",
    "dorian": "2122212",
    "mixolydian": "2212212",
}
by_name = pytest.mark.parametrize("feel", FEELS, ids=lambda feel: feel.name)


@by_name
def test_drum_patterns_fill_a_bar(feel: Feel):
    for part in (feel.verse, feel.chorus):
        assert set(part) <= {"kick", "snare", "rim", "hat", "open"}
        for pattern in part.values():
            assert len(pattern) == STEPS_PER_BAR
            assert set(pattern) <= set("Xxo.")


@by_name
def test_bass_patterns_fill_a_bar_and_hold_only_notes(feel: Feel):
    for pattern in feel.bass:
        assert len(pattern) == STEPS_PER_BAR
        assert set(pattern) <= set("rfop-.")
        assert ".-" not in pattern
        assert pattern[0] != "-"


@by_name
def test_modes_instruments_and_swing_exist(feel: Feel):
    assert set(feel.modes) <= set(SCALES) == set(PROGRESSIONS)
    assert set(feel.sounds) <= {"pad", "keys", "pluck"}
    assert feel.bass_sound in ("saw", "string")
    assert feel.tempo[0] < feel.tempo[1]
    assert 0 <= feel.swing <= 1


@pytest.mark.parametrize("rhythm", VERSE_RHYTHMS + CHORUS_RHYTHMS)
def test_rhythms_fill_a_bar_and_hold_only_syllables(rhythm: str):
    assert len(rhythm) == STEPS_PER_BAR
    assert set(rhythm) <= set("x-.")
    assert ".-" not in rhythm


@pytest.mark.parametrize("mode", SCALES)
def test_scales_have_the_steps_of_their_modes(mode: str):
    degrees = (*SCALES[mode], 12)
    steps = [high - low for low, high in pairwise(degrees)]
    assert "".join(map(str, steps)) == STEPS[mode]


def test_progressions_have_four_chords_of_the_scale():
    for progressions in PROGRESSIONS.values():
        assert len(progressions) > 2
        assert all(len(chords) == 4 and {*chords} <= {*range(7)} for chords in progressions)


# Capitals are major chords. VII and III of the minor modes stand a semitone below those of major.
NUMERALS = {
    "major": ("I V vi IV", "I vi IV V", "vi IV I V", "I iii IV V", "ii V I vi"),
    "minor": ("i VI III VII", "i iv VII III", "i VII VI VII", "i v VI iv", "VI VII i i"),
    "dorian": ("i IV i IV", "i VII IV i", "i III IV VII"),
    "mixolydian": ("I VII IV I", "I IV VII IV", "I v VII IV"),
}
# Beats per minute; swing, and the beats that it divides.
TEMPOS = {
    "pop": (98, 116, 0, 0.5),
    "rock": (124, 144, 0, 0.5),
    "ballad": (70, 84, 0, 0.5),
    "house": (117, 126, 0, 0.5),
    "hip-hop": (82, 95, 0.5, 0.5),
    "funk": (98, 110, 0.25, 0.5),
    "bossa": (112, 128, 0, 0.5),
    "shuffle": (88, 108, 0.62, 1),
}


@pytest.mark.parametrize("mode", NUMERALS)
def test_progressions_are_those_of_songbooks(mode: str):
    degrees = ("I", "II", "III", "IV", "V", "VI", "VII")
    scale = SCALES[mode]
    for chords, names in zip(PROGRESSIONS[mode], NUMERALS[mode], strict=True):
        assert [degrees[chord] for chord in chords] == names.upper().split()
        for chord, name in zip(chords, names.split(), strict=True):
            third = (scale[(chord + 2) % 7] - scale[chord]) % 12
            assert (third == 4) == name.isupper()


def test_tempos_and_swing_are_those_of_their_styles():
    assert {f.name: (*f.tempo, f.swing, f.swing_beats) for f in FEELS} == TEMPOS
