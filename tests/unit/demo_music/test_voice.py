"""The voice: formants where the table has them, harmonic sound, pitch and rests of its notes."""

import numpy as np
import pytest
from scipy import signal

from upsampling.demo_music.synthesis import CONTROL_RATE, SAMPLERATE, hertz
from upsampling.demo_music.voice import VOWELS, control_tracks, formant_gain, sing, smooth


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
        starts, ends, pitches, velocities, np.random.default_rng(0), 3 * CONTROL_RATE
    )
    assert formants.shape == (3 * CONTROL_RATE, 5)
    assert len(breath) == 3 * SAMPLERATE
    held = slice(int(1.8 * CONTROL_RATE), int(2.4 * CONTROL_RATE))
    assert np.median(pitch[held]) == pytest.approx(64, abs=0.5)
    assert loudness[: int(0.3 * CONTROL_RATE)].max() < 1e-3
    assert loudness[int(2.6 * CONTROL_RATE) :].max() < 1e-3
    assert loudness[held].min() > 0.3


def test_a_held_note_is_sung_at_its_frequency():
    sound = sing(
        np.array([0.0]), np.array([2.0]), np.array([57.0]), np.array([1.0]), 1.0,
        np.random.default_rng(0), 2 * SAMPLERATE,
    )  # fmt: skip
    piece = sound[SAMPLERATE // 2 : 3 * SAMPLERATE // 2]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2
    correlation = np.fft.irfft(spectrum)
    lags = np.arange(SAMPLERATE // 400, SAMPLERATE // 100)
    period = lags[np.argmax(correlation[lags])]
    # Vibrato and drift stay within a semitone.
    assert abs(12 * np.log2(SAMPLERATE / period / float(hertz(57)))) < 1
