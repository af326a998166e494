"""Test signals: definitions, seeds, and the excerpt of the paper's music."""

import hashlib

import numpy as np
import pytest
from sound_prints import assert_print

from upsampling.errors import UserError
from upsampling.probes.signals import (
    CONSTANT,
    FORMANTS,
    MUSIC_FILE,
    SIGNALS,
    _resonate,
    probe_signal,
)

MUSIC_SHA256 = "d13812bd468b514a334964901308b5a86f76a1d1352051a1eb029994bf52660d"
SEEDED = {"white_noise", "percussive", "speech_like"}


@pytest.mark.parametrize("samplerate", [4000, 44100])
@pytest.mark.parametrize("name", SIGNALS)
def test_every_signal_is_finite_float32_of_the_given_length(name: str, samplerate: int) -> None:
    samples = probe_signal(name, 1.3, samplerate, seed=5)
    assert samples.dtype == np.float32
    assert samples.shape == (round(1.3 * samplerate),)
    assert np.isfinite(samples).all()
    assert np.max(np.abs(samples)) <= 1
    assert (name == "silence") == (not samples.any())


@pytest.mark.parametrize("name", SIGNALS)
def test_signals_are_functions_of_the_seed_and_only_random_ones_depend_on_it(name: str) -> None:
    first, repeated, other = (probe_signal(name, 2, 8000, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, repeated)
    assert np.array_equal(first, other) == (name not in SEEDED)


def test_ones_and_constant() -> None:
    assert (probe_signal("ones", 1, 4000) == 1).all()
    assert (probe_signal("constant", 1, 4000) == np.float32(CONSTANT)).all()


def test_white_noise_is_uniform_and_white() -> None:
    noise = probe_signal("white_noise", 10, 10000, seed=3).astype(np.float64)
    # Var U(-1, 1) = 1/3; the standard error of the estimate is sqrt((1/5 - 1/9) / n).
    standard_error = np.sqrt((1 / 5 - 1 / 9) / len(noise))
    assert np.mean(noise**2) == pytest.approx(1 / 3, abs=4 * standard_error)
    assert noise.min() < -0.999
    assert noise.max() > 0.999
    correlation = np.mean(noise[1:] * noise[:-1]) * 3
    assert abs(correlation) < 4 / np.sqrt(len(noise))


def test_sweep_rises_exponentially_from_20_hz() -> None:
    from scipy.signal import hilbert

    samplerate, seconds = 8000, 4
    sweep = probe_signal("sweep", seconds, samplerate)
    phase = np.unwrap(np.angle(hilbert(sweep.astype(np.float64))))
    frequencies = np.diff(phase) * samplerate / (2 * np.pi)
    for part in (0.4, 0.5, 0.8):
        expected = 20 * (0.45 * samplerate / 20) ** part
        around = int(part * len(frequencies))
        measured = np.median(frequencies[around - 50 : around + 50])
        assert measured == pytest.approx(expected, rel=0.01)


def test_music_is_the_committed_clip() -> None:
    assert hashlib.sha256(MUSIC_FILE.read_bytes()).hexdigest() == MUSIC_SHA256
    music = probe_signal("music", 3, 4000)
    assert music.shape == (12000,)
    assert np.max(np.abs(music)) == pytest.approx(0.595, abs=5e-4)


def test_longer_music_repeats_the_clip_back_and_forth() -> None:
    music = probe_signal("music", 7, 4000)
    assert np.array_equal(music[12000:24000], music[:12000][::-1])
    assert np.array_equal(music[24000:], music[:4000])


def test_resampled_music_has_nothing_above_its_2_khz() -> None:
    power = np.abs(np.fft.rfft(probe_signal("music", 3, 44100) * np.hanning(132300))) ** 2
    frequencies = np.fft.rfftfreq(132300, 1 / 44100)
    above = power[frequencies > 2100].sum() / power.sum()
    assert 10 * np.log10(above) < -60


def test_percussion_hits_four_times_a_second() -> None:
    hits = probe_signal("percussive", 4, 16000).reshape(-1, 4000).astype(np.float64)
    energy = np.sum(hits.reshape(len(hits), 4, 1000) ** 2, axis=2)
    assert (energy[:, 0] > 10 * energy[:, 3]).all()


@pytest.mark.parametrize("formant", [270.0, 1090.0, 3010.0])
def test_formants_are_pairs_of_poles_of_unit_gain_at_0_hz(formant: float) -> None:
    from scipy.signal import lfilter

    sound = np.random.default_rng(0).normal(size=4000)
    pole = np.exp((-np.pi * 90.0 + 2j * np.pi * formant) / 16000)
    denominator = np.poly([pole, pole.conj()]).real
    expected = lfilter([denominator.sum()], denominator, sound)
    assert np.allclose(_resonate(sound, formant, 16000), expected, atol=1e-9)


def test_speech_has_pauses_and_most_energy_below_4_khz() -> None:
    speech = probe_signal("speech_like", 10, 44100, seed=0).astype(np.float64)
    syllables = speech.reshape(-1, 44100 // 4)
    silent = np.all(syllables == 0, axis=1)
    assert 0 < np.count_nonzero(silent) < len(syllables) / 2
    power = np.abs(np.fft.rfft(speech)) ** 2
    low = power[np.fft.rfftfreq(len(speech), 1 / 44100) < 4000].sum()
    assert low / power.sum() > 0.9


PRINTS = [
    ("sweep", [0.3535514, 1.00387, -1.043669]),
    ("percussive", [0.1787047, 0.2840373, -0.05915677]),
    ("speech_like", [0.08293867, -0.947777, -0.5663413]),
]


@pytest.mark.parametrize(("name", "expected"), PRINTS)
def test_synthetic_signals_stay_as_they_are(name: str, expected: list[float]) -> None:
    """Measures of other runs are compared with: 12 s, in which every vowel occurs."""
    assert_print(probe_signal(name, 12, 16000, seed=3), expected)


def test_formants_are_those_of_peterson_and_barney() -> None:
    """Table II, mean of men: /a/ /i/ /u/ /e/ /o/ as in hod, heed, who'd, head and hawed."""
    assert FORMANTS == (
        (730, 1090, 2440),
        (270, 2290, 3010),
        (300, 870, 2240),
        (530, 1840, 2480),
        (570, 840, 2410),
    )


def test_mistakes_are_refused_in_one_line() -> None:
    with pytest.raises(UserError, match=r"white_nois.*did you mean 'white_noise'"):
        probe_signal("white_nois", 1, 4000)
    with pytest.raises(UserError, match="less than one sample"):
        probe_signal("ones", 0, 4000)
