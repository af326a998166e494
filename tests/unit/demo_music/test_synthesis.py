"""Sound generators against sums of sines and closed forms."""

import numpy as np
import pytest
from sound_prints import assert_print

from upsampling.demo_music import synthesis

RATE = synthesis.SAMPLERATE
# Linear interpolation in a table of 64 points errs by (2 pi h / 64)^2 / 8 per unit amplitude.
TABLE_TOLERANCE = 0.03
ROUNDING = 1e-6


def test_pitches_in_hertz():
    expected = [440.0, 880.0, 261.6256]
    assert synthesis.hertz(np.array([69, 81, 60])) == pytest.approx(expected, rel=ROUNDING)


def test_harmonic_tone_is_the_sum_of_its_partials():
    samples = 4410
    amplitudes = np.array([1.0, 0.5, 0.0, 0.25])
    phases = np.array([0.3, -1.0, 0.0, 2.0])
    frequency = np.linspace(200.0, 260.0, samples)
    tone = synthesis.harmonic_tone(
        frequency, lambda times, partials: np.broadcast_to(amplitudes, partials.shape), phases
    )
    phase = 2 * np.pi * np.cumsum(frequency / RATE)
    expected = sum(
        a * np.cos((h + 1) * phase + p)
        for h, (a, p) in enumerate(zip(amplitudes, phases, strict=True))
    )
    assert np.abs(tone - expected).max() < TABLE_TOLERANCE


def test_harmonic_tone_has_no_partial_above_its_limit():
    frequency = np.full(RATE // 4, 3000.0)
    tone = synthesis.harmonic_tone(frequency, lambda t, f: np.ones_like(f), np.zeros(10))
    power = np.abs(np.fft.rfft(tone * np.hanning(len(tone)))) ** 2
    above = np.fft.rfftfreq(len(tone), 1 / RATE) > synthesis.HIGHEST_PARTIAL
    assert power[above].sum() / power.sum() < 1e-4


def test_noise_has_unit_rms_and_lies_in_its_band():
    sound = synthesis.noise(np.random.default_rng(0), RATE, 1000, 4000)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(1, rel=1e-3)
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency = np.fft.rfftfreq(RATE, 1 / RATE)
    inside = (frequency > 900) & (frequency < 4400)
    assert power[inside].sum() / power.sum() > 0.85


def test_decay_rises_falls_by_its_time_constant_and_ends_at_zero():
    envelope = synthesis.decay(RATE, 0.2, attack=0.01)
    assert envelope[0] == envelope[-1] == 0
    assert np.argmax(envelope) == pytest.approx(0.01 * RATE, abs=1)
    early, late = envelope[RATE // 5], envelope[2 * RATE // 5]
    assert early / late == pytest.approx(np.e, rel=ROUNDING)


# Of the right channel in the sum of both: sin / (sin + cos) of 0, 30, 45, 60 and 90 degrees.
SHARES = {-1.0: 0.0, -1 / 3: 0.3660254, 0.0: 0.5, 1 / 3: 0.6339746, 1.0: 1.0}


@pytest.mark.parametrize("pan", SHARES)
def test_panning_keeps_the_power(pan):
    track = np.zeros((2, 1000))
    sound = np.random.default_rng(0).standard_normal(100)
    synthesis.add(track, sound, 200 / RATE, pan)
    np.testing.assert_allclose((track**2).sum(axis=0)[200:300], sound**2, rtol=ROUNDING)
    assert not track[:, :200].any()
    assert not track[:, 300:].any()
    left, right = np.abs(track).sum(axis=1)
    assert right / (left + right) == pytest.approx(SHARES[pan], abs=ROUNDING)


def test_sound_past_the_end_is_dropped():
    track = np.zeros((2, 100))
    synthesis.add(track, np.ones(50), 80 / RATE)
    assert np.count_nonzero(track[0]) == 20
    synthesis.add(track, np.ones(50), 1.0)
    assert np.count_nonzero(track[0]) == 20


def test_the_room_ends():
    click = np.zeros((2, RATE))
    click[:, 100] = 1
    wet = synthesis.room(click, np.random.default_rng(0), 0.3, 0.5)
    assert np.abs(wet[:, 101 : RATE // 5]).max() > 1e-3
    assert np.abs(wet[:, 100 + int(0.3 * RATE) + 1 :]).max() < ROUNDING


def test_the_room_has_its_level_and_differs_left_and_right():
    click = np.zeros((2, RATE))
    click[:, 0] = 1
    wet = synthesis.room(click, np.random.default_rng(0), 0.3, 0.5) - click
    np.testing.assert_allclose(np.sqrt((wet**2).sum(axis=1)), 0.5, rtol=1e-3)
    assert abs(np.corrcoef(wet)[0, 1]) < 0.2


def test_generators_are_those_that_published_numbers_stand_on():
    noise = synthesis.noise(np.random.default_rng(2), 8000, 1000, 4000)
    assert_print(noise, [1, -0.8324695, 0.09770765])
    click = np.zeros((2, 8000))
    click[0, 10] = 1
    wet = synthesis.room(click, np.random.default_rng(3), 0.1, 0.5) - click
    assert_print(wet, [0.002795085, -2.885069, 0.3623072, 0.002795085, 1.071575, -1.584272])
    assert_print(synthesis.decay(8000, 0.05), [0.3661706, -0.9710882, 1.295554])


@pytest.mark.parametrize(
    ("partials", "expected"),
    [(63, [0.001492036, 0.1943224, -0.7846221]), (64, [0.00151145, 0.09460758, -0.7530902])],
)
def test_moving_tones_are_those_that_published_numbers_stand_on(partials, expected):
    """63 partials are just as many as a table of 512 samples is for; 64 get one of 1024."""
    tone = synthesis.harmonic_tone(
        np.linspace(200.0, 240.0, 4410),
        lambda t, f: np.exp(-40 * t) / f,
        np.linspace(0, 400, partials),
    )
    assert_print(tone, expected)


@pytest.mark.parametrize(("fundamental", "sounds"), [(3999.0, True), (4000.0, False)])
def test_partials_sound_below_16_khz(fundamental, sounds):
    only_fourth = np.array([0.0, 0.0, 0.0, 1.0])
    tone = synthesis.harmonic_tone(
        np.full(4410, fundamental), lambda t, f: np.broadcast_to(only_fourth, f.shape), np.zeros(4)
    )
    assert tone.any() == sounds
