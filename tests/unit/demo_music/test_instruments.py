"""The band: spectra, stereo image and rests of drums, bass, chords and arpeggios."""

import numpy as np
import pytest
from sound_prints import assert_print

from upsampling.demo_music import instruments
from upsampling.demo_music.composition import BEATS_PER_BAR, compose
from upsampling.demo_music.styles import FEELS
from upsampling.demo_music.synthesis import SAMPLERATE, hertz

SAMPLES = 6 * SAMPLERATE
# Of one stroke of each drum, and of 8 s by a player, style and seed: see `sound_print`.
STROKES = {
    "kick": [0.373109, -0.584031, 1.73232],
    "snare": [0.177303, 1.2159, 1.06332],
    "rim": [0.127221, 1.49589, -0.790007],
    "hat": [0.105128, -0.483527, -0.868157],
    "open": [0.123809, 0.621373, 0.207745],
    "crash": [0.154018, 0.739558, -0.431866],
    "tom": [0.234114, 1.04245, -0.324137],
}
PARTS = {
    ("drums", "pop", 0): [0.152614, -0.798861, 0.751666, 0.157928, -1.2587, 0.67493],
    ("drums", "house", 1): [0.176269, 0.853154, -1.30216, 0.185998, 0.989706, -0.970667],
    ("drums", "bossa", 2): [0.12881, 1.82571, -0.562378, 0.141385, 1.70741, -0.00306605],
    ("drums", "shuffle", 3): [0.11528, 0.220099, -0.925404, 0.123657, 0.526459, -0.843453],
    ("drums", "funk", 4): [0.17179, 0.550899, -0.0214809, 0.181626, 0.972119, -0.120283],
    ("bass", "pop", 0): [0.30646, -0.645096, 0.10395, 0.30646, -0.645096, 0.10395],
    ("bass", "ballad", 2): [0.207414, -0.24923, -0.956056, 0.207414, -0.24923, -0.956056],
    ("bass", "funk", 1): [0.205403, 0.113308, -0.676073, 0.205403, 0.113308, -0.676073],
    ("pad", "pop", 0): [0.245836, 0.0612771, 1.23935, 0.245358, -0.208916, -0.205666],
    ("pad", "shuffle", 1): [0.25776, -1.09423, -0.090298, 0.241365, 0.548944, 0.229991],
    ("keys", "rock", 10): [0.109464, -0.421486, -0.131908, 0.110093, -0.967841, -0.293738],
    ("keys", "ballad", 11): [0.0828485, -0.284005, 1.32287, 0.0822644, -0.0898416, 0.941055],
    ("keys", "hip-hop", 12): [0.106331, -0.444442, 0.909669, 0.106694, -0.741552, 0.995052],
    ("keys", "funk", 21): [0.102892, 0.449128, 1.00338, 0.101488, 0.392619, 0.899718],
    ("pluck", "pop", 0): [0.123354, -2.09892, -0.626025, 0.1276, 0.0563537, -0.363362],
    ("pluck", "house", 1): [0.131211, 0.0202254, 0.145337, 0.128315, 0.145636, -1.11209],
    ("pluck", "hip-hop", 2): [0.106116, -0.640204, -1.97652, 0.106561, -0.386427, -2.79382],
    ("pluck", "bossa", 3): [0.124802, -1.77387, 0.0804711, 0.130129, -1.05192, 0.479473],
    ("other", "rock", 0): [0.155035, 1.92406, -0.108671, 0.177266, 1.45086, 0.536374],
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
