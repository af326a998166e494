"""Combs of given spacings: planted levels recovered, controls that cancel, frames that fit."""

import numpy as np
import pytest
from planted_combs import RATE, comb, encode, music, noise, write

from upsampling.errors import UserError
from upsampling.measures.from_waveform import comb_spacings
from upsampling.recordings.audio import open_recording
from upsampling.recordings.combs import (
    BAND_HZ,
    FOUND_LINES,
    FRAME_SECONDS,
    MAXIMUM_N_FFT,
    frame_length,
    measure_combs,
    usable_band,
)

DB = 1.0
EXACT_DB = 0.05
HIFIGAN = (8, 8, 4)


def measured(tmp_path, samples, spacings, rate=RATE, band=BAND_HZ):
    path = write(tmp_path / "a.wav", samples, rate)
    return measure_combs(open_recording(path), spacings, band)


@pytest.mark.parametrize("spacing", [86.1328125, 689.0625, 25.0, 93.75, 123.456])
@pytest.mark.parametrize("level", [-30.0, -50.0])
def test_planted_levels_are_recovered_within_a_decibel(tmp_path, spacing, level):
    """Spacings on the bins of some frame (rate / integer), and not: 93.75 is 24 kHz / 256."""
    samples = noise(8.0, rms=10 ** (-50 / 20)) + comb(8.0, spacing, level)
    combs, _ = measured(tmp_path, samples, [spacing])
    lines = np.arange(np.ceil(BAND_HZ[0] / spacing), np.floor(BAND_HZ[1] / spacing) + 1)
    assert combs[0].lines_in_band == len(lines) == len(combs[0].lines)
    assert combs[0].level_dbfs == pytest.approx(level + 10 * np.log10(len(lines)), abs=DB)
    levels = [line.level_dbfs for line in combs[0].lines]
    assert np.median(levels) == pytest.approx(level, abs=DB)
    assert combs[0].found


def test_the_excess_is_the_closed_form(tmp_path):
    """A line of RMS r in white noise v: 1 + (r^2 / 2) / (1.5 v / n) over its surroundings."""
    spacing, level, rms = RATE / 256, -60.0, 0.02
    samples = noise(20.0, rms=rms) + comb(20.0, spacing, level)
    combs, spectrum = measured(tmp_path, samples, [spacing])
    ratio = (10 ** (level / 10) / 2) / (1.5 * rms**2 / spectrum.n_fft)
    # The mean over frames of noise of 1 dB spread, beside the logarithm of the mean.
    assert combs[0].excess_db == pytest.approx(10 * np.log10(1 + ratio), abs=0.4)
    assert combs[0].error_db == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("channels", [1, 2])
def test_white_noise_has_no_comb(tmp_path, channels):
    samples = np.stack([noise(8.0, seed=c) for c in range(channels)], 1)
    spacings = comb_spacings((8, 8, 4, 2), RATE)
    combs, _ = measured(tmp_path, samples, spacings)
    assert not any(one.found for one in combs)
    finest = combs[-1]
    assert abs(finest.excess_db) < 4 * finest.error_db
    # The noise of 127 lines' bins is -46 dBFS; half of it, of either sign, is subtracted.
    assert finest.level_dbfs < -52


def test_each_layer_has_its_own_comb(tmp_path):
    """Of strides 8, 8, 4 at 22.05 kHz the middle layer alone writes lines."""
    rate = 22050
    spacings = comb_spacings(HIFIGAN, rate)
    assert spacings == [5512.5, 689.0625, 86.1328125]
    samples = noise(8.0, rate, rms=1e-3) + comb(8.0, spacings[1], -40, rate)
    outer, middle, inner = measured(tmp_path, samples, spacings, rate)[0]
    assert middle.found
    assert middle.lines_in_band >= FOUND_LINES
    # Of 67 lines of the deepest layer's comb, 8 and the outermost's one are the middle layer's.
    assert inner.excess_db == pytest.approx(middle.excess_db * 9 / 67, abs=1)
    assert inner.level_dbfs < middle.level_dbfs - 30
    # 5512.5 Hz is a multiple of all; alone, it is too little to be found.
    assert outer.lines_in_band == 1
    assert outer.excess_db > 20
    assert not outer.found
    assert all(line.stationarity > 0.95 for line in middle.lines)


def test_a_comb_hidden_in_music_stands_out_and_the_music_does_not(tmp_path):
    song = music(12.0)
    spacing = RATE / 512
    clean, _ = measured(tmp_path, song, [spacing])
    planted, _ = measured(tmp_path, song + comb(12.0, spacing, -66)[:, None], [spacing])
    assert abs(clean[0].excess_db) < 1
    assert not clean[0].found
    assert planted[0].found
    assert planted[0].stationarity > clean[0].stationarity + 0.2


@pytest.mark.parametrize(
    ("codec", "suffix", "bitrate"),
    [("libmp3lame", "mp3", "64k"), ("libmp3lame", "mp3", "192k"), ("aac", "m4a", "64k"),
     ("aac", "m4a", "160k"), ("libopus", "opus", "48k"), ("libopus", "opus", "128k"),
     ("libvorbis", "ogg", "64k"), ("libvorbis", "ogg", "160k")],
)  # fmt: skip
def test_lossy_codecs_leave_no_comb_of_their_own(tmp_path, codec, suffix, bitrate):
    """Frame rates and filter banks: MP3 76.6 Hz and 38.3 Hz, AAC 43.1 and 21.5, Opus 50 and 25."""
    song = write(tmp_path / "song.wav", music(12.0), subtype="PCM_16")
    recording = open_recording(encode(song, tmp_path / f"song.{suffix}", codec, bitrate))
    rate = recording.samplerate
    for spacing in (rate / 576, rate / 1152, rate / 1024, rate / 2048, 50.0, 25.0, rate / 512):
        combs, _ = measure_combs(recording, [spacing])
        assert not combs[0].found, spacing


def test_frames_hold_whole_periods_and_an_even_number_of_samples():
    for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000):
        for stride in (2, 3, 15, 256, 300, 320, 441, 512, 1920, 2048, 4096):
            n_fft = frame_length(rate, rate / stride)
            assert n_fft % stride == 0
            assert n_fft % 2 == 0
            assert 0.7 < n_fft / rate / 1.5 < 1.5 or n_fft >= 8 * stride > rate


@pytest.mark.parametrize(
    ("spacing", "reason"), [(44100 / MAXIMUM_N_FFT, "too fine"), (30000.0, "no line")]
)
def test_combs_too_fine_or_too_coarse_are_one_line(tmp_path, spacing, reason):
    with pytest.raises(UserError, match=rf"a\.wav: .*{reason}"):
        measured(tmp_path, noise(1.0), [spacing])


def test_short_recordings_have_short_frames(tmp_path):
    spacing = RATE / 64
    samples = noise(0.5, rms=1e-3) + comb(0.5, spacing, -40)
    combs, spectrum = measured(tmp_path, samples, [spacing])
    assert spectrum.n_fft <= len(samples)
    assert spectrum.n_fft % 64 == 0
    assert combs[0].found
    with pytest.raises(UserError, match="too short"):
        measured(tmp_path, noise(0.01), [25.0])


def test_the_band_follows_the_sampling_rate():
    assert usable_band(44100) == (5000, 16000)
    assert usable_band(22050) == (5000, 0.98 * 11025)
    low, high = usable_band(16000)
    assert (low, high) == (high / 2, 0.98 * 8000)
    assert usable_band(16000, (6000.0, 7000.0)) == (6000, 7000)


def test_a_band_without_sound_is_one_line(tmp_path):
    time = np.arange(4 * RATE) / RATE
    hum = 0.5 * np.sin(2 * np.pi * 100 * time) * np.hanning(len(time))
    with pytest.raises(UserError, match="nothing sounds between 5000 and 16000 Hz"):
        measured(tmp_path, hum, [689.0625])
    with pytest.raises(UserError, match="choose another --band"):
        measured(tmp_path, noise(4.0), [689.0625], band=(30000.0, 40000.0))


def test_a_constant_is_one_line(tmp_path):
    with pytest.raises(UserError, match="nothing sounds"):
        measured(tmp_path, np.full(4 * RATE, 0.5), [689.0625])


def test_frames_of_other_rates_are_powers_of_two():
    """A decoder's rate over its stride need not divide that of the file."""
    samples = frame_length(44100, 44100 / 100.5)
    assert samples.bit_count() == 1
    assert samples / 44100 == pytest.approx(FRAME_SECONDS, rel=0.42)
