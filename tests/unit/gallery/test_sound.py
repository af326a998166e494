"""Sounds are played at one level, and their coding keeps the tones."""

import base64
import io
import subprocess

import numpy as np
import pytest
import soundfile
from gallery_results import RATE, tone

from upsampling.errors import UserError
from upsampling.gallery import sound
from upsampling.measures.from_waveform import tone_level
from upsampling.measures.spectra import mean_spectrum

DB = 0.01
# Of Opus at 96 kbit/s.
OPUS_DB = 0.5


def decode(uri: str) -> bytes:
    return base64.b64decode(uri.partition(";base64,")[2])


def rms_level(samples) -> float:
    return 10 * np.log10(np.mean(np.square(samples)))


def test_sounds_are_played_at_one_level_without_their_constant_part():
    for level, constant in ((-60.0, 0.2), (-8.0, 0.0), (-35.0, -0.5)):
        played, loudness = sound.match_level(tone(11025, level, constant=constant))
        assert loudness.level == pytest.approx(level, abs=DB)
        assert loudness.constant == pytest.approx(constant, abs=1e-4)
        assert loudness.gain == pytest.approx(sound.TARGET_DBFS - level, abs=DB)
        assert rms_level(played) == pytest.approx(sound.TARGET_DBFS, abs=DB)
        assert not loudness.silent


def test_peaks_limit_the_gain():
    click = np.zeros(RATE)
    click[1000] = 0.5
    played, loudness = sound.match_level(click)
    assert rms_level(played) < sound.TARGET_DBFS - 10
    assert np.abs(played).max() == pytest.approx(sound.PEAK)
    assert loudness.gain == pytest.approx(20 * np.log10(sound.PEAK / 0.5), abs=DB)


def test_a_silent_output_stays_what_it_is():
    played, loudness = sound.match_level(np.full(RATE, 0.25))
    assert not played.any()
    assert (loudness.level, loudness.gain, loudness.silent) == (-200.0, 0.0, True)
    faint = tone(11025, sound.AUDIBLE_DBFS - 3)
    played, loudness = sound.match_level(faint)
    assert loudness.silent
    np.testing.assert_allclose(played, faint, atol=1e-9)


@pytest.mark.parametrize("frequency", [2756.25, 11025.0, 16537.5])
def test_flac_keeps_tones_to_a_hundredth_of_a_decibel(frequency):
    rng = np.random.default_rng([0, round(frequency)])
    samples = tone(frequency, -60) + 10 ** (-40 / 20) * rng.standard_normal(2 * RATE)
    matched, loudness = sound.match_level(samples)
    played, rate = soundfile.read(io.BytesIO(decode(sound.flac(matched, RATE))))
    assert rate == RATE
    assert np.abs(played - matched).max() <= 2**-15
    levels = [tone_level(mean_spectrum(s, RATE)[1], frequency, RATE) for s in (samples, played)]
    assert levels[1] - levels[0] == pytest.approx(loudness.gain, abs=DB)


def test_opus_keeps_length_and_tones_and_is_reproducible():
    rng = np.random.default_rng(0)
    music = 10 ** (-30 / 20) * rng.standard_normal((2 * RATE, 2)).cumsum(axis=0) / 30
    music += tone(11025, -45)[:, None]
    uri = sound.opus(music, RATE)
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "f32le", "-ar", str(RATE), "pipe:1"],
        input=decode(uri),
        capture_output=True,
        check=True,
    )
    played = np.frombuffer(done.stdout, "<f4").reshape(-1, 2)
    assert len(played) == pytest.approx(len(music), abs=2)
    levels = [tone_level(mean_spectrum(s[:, 0], RATE)[1], 11025, RATE) for s in (music, played)]
    assert levels[1] == pytest.approx(levels[0], abs=OPUS_DB)
    assert sound.opus(music, RATE) == uri


def test_tones_are_flac_and_noise_is_opus():
    noise = 0.1 * np.random.default_rng(1).standard_normal(RATE)
    assert sound.flac_or_opus(tone(11025, -30, 1.0), RATE).startswith("data:audio/flac;base64,")
    assert sound.flac_or_opus(np.zeros(RATE), RATE).startswith("data:audio/flac;base64,")
    assert sound.flac_or_opus(noise, RATE).startswith("data:audio/ogg;base64,")


def test_a_missing_encoder_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="ffmpeg is not on PATH"):
        sound.opus(np.zeros((RATE, 1)), RATE)


def test_a_rate_that_opus_refuses_is_told_in_one_line():
    with pytest.raises(UserError, match="ffmpeg cannot encode Opus"):
        sound.opus(np.zeros((100, 0)), RATE)


def test_levels_are_those_that_the_page_tells():
    """-26 dBFS RMS, -1 dBFS peak, audible from -80 dBFS on, Opus at 96 kbit/s."""
    played, _ = sound.match_level(tone(11025, -40))
    assert rms_level(played) == pytest.approx(-26, abs=DB)
    click = np.zeros(RATE)
    click[1000] = 0.5
    assert np.abs(sound.match_level(click)[0]).max() == pytest.approx(0.8912509, rel=1e-6)
    at_the_limit = 1e-4 * np.resize([1.0, -1.0], RATE)
    assert not sound.match_level(at_the_limit)[1].silent
    assert sound.match_level(0.999 * at_the_limit)[1].silent
    assert (sound.AUDIBLE_DBFS, sound.OPUS_RATE) == (-80, "96k")


def test_channels_lose_their_own_constants():
    samples = np.stack([tone(11025, -30) + 0.2, tone(2756.25, -30) - 0.1], axis=1)
    played, loudness = sound.match_level(samples)
    assert loudness.constant == pytest.approx(0.05, abs=1e-4)
    np.testing.assert_allclose(played.mean(axis=0), 0, atol=1e-9)
    assert loudness.level == pytest.approx(-30, abs=DB)


@pytest.mark.parametrize(("characters", "kind"), [(128_000, "flac"), (128_001, "opus")])
def test_flac_takes_up_to_256_kilobits_a_second(monkeypatch, characters, kind):
    """In base64, a character has 6 bits: 128,000 of them are 3 s at 256 kbit/s."""
    monkeypatch.setattr(sound, "flac", lambda *_: "x" * characters)
    monkeypatch.setattr(sound, "opus", lambda *_: "opus")
    played = sound.flac_or_opus(np.zeros(3 * RATE), RATE)
    assert played == ("opus" if kind == "opus" else "x" * characters)
