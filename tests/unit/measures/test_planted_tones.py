"""Tones of known level planted in music, real and synthetic; music without them has none."""

import functools

import numpy as np
import pytest

from upsampling.measures.from_waveform import comb_prominences, comb_spacings, tone_level
from upsampling.measures.spectra import mean_spectrum
from upsampling.probes.signals import probe_signal

SAMPLERATE = 44100
STRIDES = (4,) * 5
TOLERANCE_DB = 1.0
# A comb of two lines: the mean of two bins of music less two control bins.
CLEAN_DB = 8.0
FINE_CLEAN_DB = 2.0
PIECES = ["vibe_ace", "falcon_69", "synthetic 0", "synthetic 1", "synthetic 2"]


@functools.cache
def music(name: str) -> np.ndarray:
    """Six seconds of one channel of a piece, [samples] at 44.1 kHz."""
    if name == "vibe_ace":
        return probe_signal("music", 6, SAMPLERATE).astype(np.float64)
    if name == "falcon_69":
        from upsampling.tracks.decoder import ensure_ffmpeg

        ensure_ffmpeg()
        import stempeg

        stems, rate = stempeg.read_stems(stempeg.example_stem_path(), stem_id=0)
        assert rate == SAMPLERATE
        return stems[: 6 * SAMPLERATE, 0].astype(np.float64)
    from upsampling.demo_music.songs import make_song

    return make_song(0, "test", int(name.split()[1]), 8.0)[0, : 6 * SAMPLERATE, 0] / 32768


def planted(name: str, frequency: float, above_db: float) -> tuple[np.ndarray, float]:
    """Music with a sine `above_db` above the music in its bin, and the sine's level in dBFS."""
    clean = music(name)
    _, power = mean_spectrum(clean, SAMPLERATE)
    level = max(tone_level(power, frequency, SAMPLERATE), -120.0) + above_db
    time = np.arange(len(clean)) / SAMPLERATE
    sine = np.sin(2 * np.pi * frequency * time + 1.0)
    return clean + 10 ** (level / 20) * np.sqrt(2) * sine, level


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("frequency", [11025.0, 2756.25, 689.0625, 172.265625])
@pytest.mark.parametrize("above_db", [20.0, 40.0])
def test_a_planted_tone_is_recovered_within_a_decibel(name, frequency, above_db) -> None:
    """Music 20 dB below a tone adds at most 0.9 dB."""
    output, level = planted(name, frequency, above_db)
    _, power = mean_spectrum(output, SAMPLERATE)
    assert tone_level(power, frequency, SAMPLERATE) == pytest.approx(level, abs=TOLERANCE_DB)


@pytest.mark.parametrize("name", PIECES)
def test_clean_music_has_no_comb(name) -> None:
    _, power = mean_spectrum(music(name), SAMPLERATE)
    spacings = comb_spacings(STRIDES, SAMPLERATE)
    scores = [mean for mean, _ in comb_prominences(power, spacings, SAMPLERATE)]
    assert abs(scores[0]) < CLEAN_DB
    # The mean over a finer comb has more lines and less spread.
    assert max(abs(score) for score in scores[2:]) < FINE_CLEAN_DB


@pytest.mark.parametrize("name", PIECES)
def test_a_planted_comb_has_its_prominence(name) -> None:
    """Both lines 30 dB above the music around them: that, up to the music's own prominence."""
    spacings = comb_spacings(STRIDES, SAMPLERATE)
    _, clean = mean_spectrum(music(name), SAMPLERATE)
    before = comb_prominences(clean, spacings, SAMPLERATE)[0][0]
    output = music(name).copy()
    time = np.arange(len(output)) / SAMPLERATE
    for frequency, sides in ((11025.0, 2), (22050.0, 1)):
        line = round(frequency * 16384 / SAMPLERATE)
        around = np.median(clean[max(line - 30, 0) : line + 31])
        amplitude = np.sqrt(sides * around * 1e3 * (2 if sides == 2 else 1))
        output += amplitude * np.cos(2 * np.pi * frequency * time)
    _, power = mean_spectrum(output, SAMPLERATE)
    after = comb_prominences(power, spacings, SAMPLERATE)[0][0]
    assert after == pytest.approx(30, abs=CLEAN_DB)
    assert abs(before) < CLEAN_DB
