"""The band: spectra, stereo image and rests of drums, bass, chords and arpeggios."""

from dataclasses import replace

import numpy as np
import pytest
from sound_prints import assert_print

from upsampling.demo_music import instruments
from upsampling.demo_music.composition import BEATS_PER_BAR, compose
from upsampling.demo_music.styles import FEELS
from upsampling.demo_music.synthesis import SAMPLERATE, hertz
from upsampling.demo_music.voice import play_vocals

SAMPLES = 6 * SAMPLERATE
# Of one stroke of each drum, and of 8 s by a player, style and seed: see `sound_print`.
STROKES = {
    "kick": [0.3731094, -0.5840307, 1.73232],
    "snare": [0.1773032, 1.215898, 1.063323],
    "rim": [0.1272214, 1.495886, -0.7900068],
    "hat": [0.1051278, -0.4835266, -0.8681574],
    "open": [0.1238094, 0.6213728, 0.207745],
    "crash": [0.1540182, 0.739558, -0.4318661],
    "tom": [0.2341142, 1.04245, -0.3241367],
}
PARTS = {
    ("drums", "pop", 0): [0.1526138, -0.7988613, 0.7516658, 0.1579281, -1.258701, 0.6749298],
    ("drums", "house", 1): [0.1762685, 0.8531542, -1.302163, 0.1859978, 0.9897058, -0.9706666],
    ("drums", "bossa", 2): [0.1288098, 1.825713, -0.5623783, 0.1413853, 1.707415, -0.003066053],
    ("drums", "shuffle", 3): [0.1152801, 0.2200987, -0.9254042, 0.1236572, 0.5264587, -0.8434529],
    ("drums", "funk", 4): [0.1717896, 0.5508986, -0.02148087, 0.1816257, 0.9721192, -0.1202828],
    ("bass", "pop", 0): [0.30646, -0.6450964, 0.1039496, 0.30646, -0.6450964, 0.1039496],
    ("bass", "ballad", 2): [0.2074143, -0.2492299, -0.9560556, 0.2074143, -0.2492299, -0.9560556],
    ("bass", "funk", 1): [0.2054035, 0.1133084, -0.6760733, 0.2054035, 0.1133084, -0.6760733],
    ("pad", "pop", 0): [0.2458364, 0.06127709, 1.239352, 0.2453577, -0.2089164, -0.2056664],
    ("pad", "shuffle", 1): [0.2577605, -1.094225, -0.09029801, 0.2413647, 0.5489443, 0.2299906],
    ("pad", "ballad", 2): [0.2459291, -1.271047, 2.030048, 0.2519249, -2.249193, -0.1723058],
    ("keys", "rock", 10): [0.1094644, -0.4214861, -0.1319078, 0.1100928, -0.9678405, -0.2937378],
    ("keys", "ballad", 11): [0.0828485, -0.2840047, 1.322875, 0.08226445, -0.0898416, 0.9410554],
    ("keys", "hip-hop", 12): [0.106331, -0.4444418, 0.9096692, 0.106694, -0.7415517, 0.9950517],
    ("keys", "funk", 21): [0.1028923, 0.4491277, 1.003377, 0.1014877, 0.3926193, 0.899718],
    ("keys", "ballad", 2): [0.09046958, -0.9317222, -2.033194, 0.09090654, -0.5151121, -2.404346],
    ("pluck", "funk", 5): [0.1594562, 0.2922874, -0.716914, 0.1670818, 1.615925, 0.01700237],
    ("pluck", "pop", 0): [0.1233536, -2.098923, -0.626025, 0.1276004, 0.05635374, -0.3633618],
    ("pluck", "house", 1): [0.1312111, 0.02022543, 0.1453374, 0.1283151, 0.1456362, -1.112093],
    ("pluck", "hip-hop", 2): [0.1061156, -0.6402039, -1.976516, 0.106561, -0.386427, -2.793816],
    ("pluck", "bossa", 3): [0.1248025, -1.773868, 0.0804711, 0.1301286, -1.051924, 0.4794731],
    ("other", "rock", 0): [0.1550353, 1.924059, -0.1086708, 0.1772661, 1.450859, 0.5363745],
}


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


@pytest.mark.parametrize("drum", STROKES)
def test_strokes_are_those_that_published_numbers_stand_on(drum):
    assert_print(instruments.play_drum(np.random.default_rng(1), drum, 50.0), STROKES[drum])


@pytest.mark.parametrize(("player", "style", "seed"), PARTS)
def test_parts_are_those_that_published_numbers_stand_on(player, style, seed):
    feel = next(feel for feel in FEELS if feel.name == style)
    song = compose(np.random.default_rng(seed), 8.0, feel)
    play = getattr(instruments, f"play_{player}")
    sound = play(song, np.random.default_rng(seed), 8 * SAMPLERATE)
    assert_print(sound, PARTS[player, style, seed])


def test_a_player_that_always_rests_gives_stereo_silence():
    song = compose(np.random.default_rng(0), 4.0, FEELS[0])
    rests = dict.fromkeys(song.rests, frozenset(range(song.bars)))
    for player in ("bass", "pad", "keys", "pluck"):
        play = getattr(instruments, f"play_{player}")
        sound = play(replace(song, rests=rests), np.random.default_rng(0), 1000)
        assert sound.shape == (2, 1000)
        assert not sound.any()
    sound = play_vocals(replace(song, rests=rests), np.random.default_rng(0), 1000)
    assert sound.shape == (2, 1000)
    assert not sound.any()
