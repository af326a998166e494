"""The voice: formants where the table has them, harmonic sound, pitch and rests of its notes."""

import numpy as np
import pytest
from scipy import signal
from sound_prints import assert_print

from upsampling.demo_music.composition import Line, compose
from upsampling.demo_music.styles import FEELS
from upsampling.demo_music.synthesis import CONTROL_RATE, SAMPLERATE, hertz
from upsampling.demo_music.voice import (
    BANDWIDTHS,
    CONSONANTS,
    NASAL,
    VOWELS,
    control_tracks,
    formant_gain,
    play_vocals,
    sing,
    smooth,
)

# Of 8 s by style and seed: see `sound_print`. High and low voices, with and without chorus.
VOCALS = {
    ("house", 3): [0.1443165, 2.32742, -0.00323142, 0.1513657, 2.014445, 0.3542437],
    ("pop", 0): [0.121599, -0.6217451, 2.469948, 0.1245236, 0.4588548, 2.131857],
    ("ballad", 2): [0.1174165, 0.4027238, -0.1147242, 0.1185693, 0.9141053, 0.1304061],
    ("pop", 8): [0.1293551, 2.556429, -1.688814, 0.1448241, 1.731429, -1.979482],
}
# Peterson and Barney (1952): averages of 33 men, for "father", "bet", "beet", "bought", "boot"; the
# first formants of the two closed vowels are raised.
FORMANTS = (
    (730, 1090, 2440),
    (530, 1840, 2480),
    (270 + 30, 2290, 3010),
    (570, 840, 2410),
    (300 + 20, 870, 2240),
)


def sounding_frames(sound: np.ndarray, length: int = 4096) -> np.ndarray:
    """Mono frames [frames, length] of a stem that are not far below its loudest."""
    mono = sound.mean(axis=1)
    frames = mono[: len(mono) // length * length].reshape(-1, length)
    level = frames.std(axis=1)
    return frames[level > 0.2 * level.max()]


def test_vocals_are_harmonic_with_moving_formants(songs):
    for song in songs:
        frames = sounding_frames(song[4])
        power = np.abs(np.fft.rfft(frames * np.hanning(4096), 8192)) ** 2
        correlation = np.fft.irfft(power)
        lags = slice(SAMPLERATE // 900, SAMPLERATE // 80)
        periodic = correlation[:, lags].max(axis=1) / correlation[:, 0]
        assert np.median(periodic) > 0.5
        frequencies = np.fft.rfftfreq(8192, 1 / SAMPLERATE)
        low = power[:, (frequencies > 250) & (frequencies < 1000)].sum(axis=1)
        high = power[:, (frequencies > 1600) & (frequencies < 3000)].sum(axis=1)
        balance = 10 * np.log10(high / low)
        assert np.percentile(balance, 90) - np.percentile(balance, 10) > 8


def test_formants_resonate_at_the_frequencies_of_the_table():
    frequencies = np.arange(50.0, 1000.0, 1.0)[None]
    for vowel in VOWELS:
        gain = formant_gain(frequencies, vowel[None].astype(float), 1.0)[0]
        peaks = frequencies[0][signal.find_peaks(gain)[0]]
        assert np.abs(peaks - vowel[0]).min() < 40


def test_smoothing_keeps_constants_and_widens_a_step():
    constant = np.full((50, 3), 2.5)
    np.testing.assert_allclose(smooth(constant, 0.02), constant, rtol=1e-12)
    step = smooth(np.repeat([0.0, 1.0], 100), 0.02)
    # The slope of a smoothed step is the Gaussian, whose standard deviation is 4 rows here.
    slope = np.diff(step)
    rows = np.arange(len(slope)) - 99
    assert np.sqrt((slope * rows**2).sum()) == pytest.approx(0.02 * CONTROL_RATE, rel=0.05)


def test_notes_have_their_pitch_and_rests_are_silent():
    starts, ends = np.array([0.5, 1.5]), np.array([1.2, 2.5])
    pitches, velocities = np.array([57.0, 64.0]), np.array([0.8, 0.9])
    pitch, loudness, formants, breath = control_tracks(
        Line(starts, ends, pitches, velocities), np.random.default_rng(0), 3 * CONTROL_RATE
    )
    assert formants.shape == (3 * CONTROL_RATE, 5)
    assert len(breath) == 3 * SAMPLERATE
    held = slice(int(1.8 * CONTROL_RATE), int(2.4 * CONTROL_RATE))
    assert np.median(pitch[held]) == pytest.approx(64, abs=0.5)
    assert loudness[: int(0.3 * CONTROL_RATE)].max() < 1e-3
    assert loudness[int(2.6 * CONTROL_RATE) :].max() < 1e-3
    assert loudness[held].min() > 0.3


def test_a_held_note_is_sung_at_its_frequency():
    line = Line(np.array([0.0]), np.array([2.0]), np.array([57.0]), np.array([1.0]))
    sound = sing(line, 1.0, np.random.default_rng(0), 2 * SAMPLERATE)
    piece = sound[SAMPLERATE // 2 : 3 * SAMPLERATE // 2]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2
    correlation = np.fft.irfft(spectrum)
    lags = np.arange(SAMPLERATE // 400, SAMPLERATE // 100)
    period = lags[np.argmax(correlation[lags])]
    # Vibrato and drift stay within a semitone.
    assert abs(12 * np.log2(SAMPLERATE / period / float(hertz(57)))) < 1


@pytest.mark.parametrize(("style", "seed"), VOCALS)
def test_vocals_are_those_that_published_numbers_stand_on(style, seed):
    feel = next(feel for feel in FEELS if feel.name == style)
    song = compose(np.random.default_rng(seed), 8.0, feel)
    sound = play_vocals(song, np.random.default_rng(seed), 8 * SAMPLERATE)
    assert_print(sound, VOCALS[style, seed])


def test_the_table_of_formants_is_that_of_the_literature():
    assert VOWELS[:, :3].tolist() == [list(formants) for formants in FORMANTS]
    # Of a tract of 17 cm, resonances above the third hardly move: near 3.5 and 4.2 kHz.
    assert VOWELS[:, 3].tolist() == [3300, 3400, 3500, 3300, 3300]
    assert VOWELS[:, 4].tolist() == [4200] * 5
    # A nasal has a low murmur; the bandwidths grow with frequency.
    assert NASAL.tolist() == [260, 1100, 2200, 3200, 4200]
    assert BANDWIDTHS.tolist() == [80, 100, 130, 170, 220]


def test_a_resonance_has_the_gain_of_its_quality():
    """At its center f, a resonance of bandwidth b alone has the gain f / b; at 0 Hz all have 1."""
    vowel = VOWELS[:1].astype(float)
    gain = formant_gain(np.array([[1e-6, *VOWELS[0]]], float), vowel, 1.0)[0]
    assert gain[0] == pytest.approx(1, rel=1e-9)
    for number, center in enumerate(VOWELS[0]):
        others = [
            f**2 / np.sqrt((f**2 - center**2) ** 2 + (b * center) ** 2)
            for f, b in zip(VOWELS[0].astype(float), (80, 100, 130, 170, 220), strict=True)
            if f != center
        ]
        expected = center / (80, 100, 130, 170, 220)[number] * np.prod(others)
        assert gain[1 + number] == pytest.approx(expected, rel=1e-9)


def test_consonants_have_the_bands_and_times_of_their_kind():
    """Band in Hz, ms of noise, level, ms of closure: fricatives long, stops short behind a gap."""
    assert {
        name: (*band, round(1000 * length, 3), level, round(1000 * closure, 3))
        for name, (band, length, level, closure) in CONSONANTS.items()
    } == {
        "s": (4500, 11000, 90, 0.3, 20),
        "sh": (2200, 6500, 80, 0.28, 20),
        "t": (3000, 9000, 22, 0.5, 50),
        "k": (1300, 4500, 28, 0.5, 60),
        "h": (700, 5000, 70, 0.12, 0),
    }


def test_the_first_note_of_a_phrase_is_reached_from_below():
    """After a rest of more than 0.15 s, from 1.6 semitones below, within 60 ms."""
    starts, notes = np.array([0.5, 1.4]), (np.array([57.0, 60.0]), np.array([0.8, 0.9]))
    rows = 2 * CONTROL_RATE
    bound, rested = (
        control_tracks(Line(starts, np.array([end, 2.0]), *notes), np.random.default_rng(1), rows)[
            0
        ]
        for end in (1.26, 1.24)
    )
    age = np.arange(rows) / CONTROL_RATE - 1.4
    scoop = np.where(age >= -1e-9, -1.6 * np.exp(-age / 0.06), 0)
    np.testing.assert_allclose(rested - bound, scoop, atol=1e-9)


def test_a_nasal_hums_for_70_ms_and_a_note_swells():
    """One note from 1 s to 1.5 s, of velocity 0.8; seed 2 draws a nasal and the vowel of "bet"."""
    note = Line(*(np.array([value]) for value in (1.0, 1.5, 57.0, 0.8)))
    _, loudness, formants, _ = control_tracks(note, np.random.default_rng(2), 2 * CONTROL_RATE)
    # In rows of 5 ms; the last row of the hum begins before 1.07 s.
    rows = np.arange(2 * CONTROL_RATE)
    hum = (rows >= 200) & (rows < 214)
    swell = 0.8 + 0.2 * np.clip((rows - 200) / 30, 0, 1)
    expected = 0.8 * swell * ((rows >= 200) & (rows < 300)) * np.where(hum, 0.35, 1)
    np.testing.assert_allclose(loudness, smooth(expected, 0.011), atol=1e-9)
    sung = np.where(hum[:, None], NASAL, VOWELS[1]).astype(float)
    np.testing.assert_allclose(formants, smooth(sung, 0.028), atol=1e-9)
