"""The band: spectra, stereo image and rests of drums, bass, chords and arpeggios."""

import numpy as np
import pytest

from upsampling.demo_music import instruments
from upsampling.demo_music.composition import BEATS_PER_BAR, compose
from upsampling.demo_music.styles import FEELS
from upsampling.demo_music.synthesis import SAMPLERATE, hertz

SAMPLES = 6 * SAMPLERATE


def spectrum_share(sound: np.ndarray, low: float, high: float) -> float:
    """Share of the energy of [samples, ...] between two frequencies in Hz."""
    power = np.abs(np.fft.rfft(sound.astype(float), axis=0)) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLERATE)
    return float(power[(frequencies >= low) & (frequencies < high)].sum() / power.sum())


def test_bass_is_low_and_drums_are_broadband(songs):
    for song in songs:
        assert spectrum_share(song[2], 0, 400) > 0.9
        assert spectrum_share(song[1], 0, 200) > 0.15
        assert spectrum_share(song[1], 2000, SAMPLERATE / 2) > 0.01
        drums, bass = (spectrum_share(song[n], 6000, SAMPLERATE / 2) for n in (1, 2))
        assert drums > 10 * bass


def test_other_is_stereo_and_bass_is_in_the_middle(songs):
    for song in songs:
        assert np.array_equal(song[2][:, 0], song[2][:, 1])
        other = song[3].astype(float)
        assert np.corrcoef(other[:, 0], other[:, 1])[0, 1] < 0.95


@pytest.mark.parametrize(
    ("drum", "low", "high", "share"),
    [("kick", 30, 300, 0.9), ("rim", 300, 3000, 0.7), ("hat", 4000, 22050, 0.9),
     ("crash", 4000, 22050, 0.9), ("tom", 40, 400, 0.8)],
)  # fmt: skip
def test_each_drum_sounds_in_its_band_and_dies_away(drum, low, high, share):
    stroke = instruments.play_drum(np.random.default_rng(0), drum, 50.0)
    assert spectrum_share(stroke, low, high) > share
    assert np.abs(stroke[:2000]).max() > 3 * np.abs(stroke[-2000:]).max()
    other = instruments.play_drum(np.random.default_rng(1), drum, 50.0)
    assert not np.array_equal(stroke, other)


def test_the_bass_plays_the_pitches_of_its_notes():
    """The strongest partials of a bar of held roots are harmonics of the root."""
    song = compose(np.random.default_rng(0), 6.0, FEELS[0])
    sound = instruments.play_bass(song, np.random.default_rng(1), SAMPLES)
    notes = instruments.bass_notes(song, np.random.default_rng(1))
    note = max(notes, key=lambda n: n.length)
    first, last = (
        round(float(song.clock(t)) * SAMPLERATE) for t in (note.start, note.start + note.length)
    )
    piece = sound[0, first:last]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 18))
    strongest = np.argmax(spectrum) * SAMPLERATE / (1 << 18)
    ratio = strongest / float(hertz(note.pitch))
    assert ratio == pytest.approx(round(ratio), abs=0.05)
    assert 1 <= round(ratio) <= 4


def test_voicings_hold_the_chord_within_an_octave():
    for number, feel in enumerate(FEELS):
        song = compose(np.random.default_rng(number), 20.0, feel)
        for bar in range(song.bars):
            pitches = instruments.voicing(song, bar, 62, 4)
            assert {p % 12 for p in pitches} == {*song.chord(bar)}
            assert pitches == sorted(pitches)
            assert 56 <= min(pitches) <= max(pitches) < 68


@pytest.mark.parametrize(
    "play", [instruments.play_pad, instruments.play_keys, instruments.play_pluck]
)
def test_chord_instruments_are_silent_before_their_first_bar(play):
    song = next(
        song for song in (compose(np.random.default_rng(n), 16.0, FEELS[n % 8]) for n in range(99))
        if 0 in song.rests["other"]
    )  # fmt: skip
    first = min(bar for bar in range(song.bars) if bar not in song.rests["other"])
    start = int(float(song.clock(BEATS_PER_BAR * first)) * SAMPLERATE)
    sound = play(song, np.random.default_rng(0), 16 * SAMPLERATE)
    assert sound.shape == (2, 16 * SAMPLERATE)
    assert not sound[:, : start - 1].any()
    assert sound[:, start:].any()
