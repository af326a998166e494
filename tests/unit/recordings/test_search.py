"""Combs found without knowing their spacing, and music whose own combs are not taken for one."""

import math
import statistics
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from planted_combs import RATE, comb, encode, music, noise, write
from scipy.signal import correlate

from upsampling.errors import UserError
from upsampling.recordings.audio import open_recording
from upsampling.recordings.combs import FOUND_DB, FOUND_ERRORS, FOUND_LINES
from upsampling.recordings.search import (
    CLIP_DB,
    FRACTIONS,
    MAXIMUM_STRIDE,
    MEDIAN_HZ,
    PLACES,
    PRIMES,
    THRESHOLD,
    finer_comb,
    fold,
    residual_decibels,
    search,
    trial_spacings,
)
from upsampling.recordings.spectrum import RecordingSpectrum


def searched(tmp_path, samples, rate=RATE):
    return search(open_recording(write(tmp_path / "a.wav", samples, rate)))


@pytest.mark.parametrize(
    ("rate", "decoder_rate", "stride"),
    [(44100, 44100, 512), (48000, 48000, 1920), (22050, 22050, 256), (44100, 24000, 320),
     (16000, 16000, 320), (48000, 32000, 640)],
)  # fmt: skip
def test_planted_spacings_are_found(tmp_path, rate, decoder_rate, stride):
    """Of decoders at the recording's rate and at others, before which it was resampled."""
    spacing = decoder_rate / stride
    samples = noise(8.0, rate, rms=0.02) + comb(8.0, spacing, -66, rate)
    found = searched(tmp_path, samples, rate)
    assert found.best.spacing_hz == pytest.approx(spacing)
    assert found.found[-1] == pytest.approx(spacing)
    assert found.best.samplerate / found.best.total_stride == pytest.approx(spacing)


def test_the_spacing_is_where_the_residual_correlates_with_itself(tmp_path):
    """An independent estimate: the autocorrelation of the residual along frequency."""
    spacing = 44100 / 512
    found = searched(tmp_path, noise(8.0, rms=0.02) + comb(8.0, spacing, -60))
    spectrum = found.spectrum
    low, high = (round(edge / spectrum.bin_hz) for edge in found.band_hz)
    residual = residual_decibels(spectrum.power, spectrum.bin_hz)[low:high]
    residual = residual - residual.mean()
    lags = correlate(residual, residual, method="fft")[len(residual) - 1 :]
    first = round(20 / spectrum.bin_hz)
    peak = first + np.argmax(lags[first : round(1.5 * spacing / spectrum.bin_hz)])
    assert peak * spectrum.bin_hz == pytest.approx(found.best.spacing_hz, abs=spectrum.bin_hz)


def test_a_faint_comb_in_music_is_found_and_the_music_has_none(tmp_path):
    song, spacing = music(12.0), 44100 / 512
    assert searched(tmp_path, song).found == []
    planted = searched(tmp_path, song + comb(12.0, spacing, -70)[:, None])
    assert planted.found[-1] == pytest.approx(spacing)


def test_combs_of_several_layers_are_listed(tmp_path):
    """Strides 8, 8, 4 at 22.05 kHz: 86.13 Hz, and the louder 689.06 Hz."""
    rate = 22050
    samples = noise(8.0, rate, rms=0.01) + comb(8.0, rate / 256, -76, rate)
    samples += comb(8.0, rate / 32, -60, rate)
    found = searched(tmp_path, samples, rate).found
    assert found[-1] == pytest.approx(rate / 256)
    assert any(one == pytest.approx(rate / 32) for one in found)


def test_a_strong_comb_is_not_taken_for_a_finer_one(tmp_path):
    samples = noise(8.0, rms=0.01) + comb(8.0, 689.0625, -40)
    assert searched(tmp_path, samples).found[-1] == pytest.approx(689.0625)


def test_a_comb_in_silence_is_found(tmp_path):
    found = searched(tmp_path, comb(6.0, 44100 / 256, -60))
    assert found.found[-1] == pytest.approx(44100 / 256)


def test_loops_on_a_tempo_are_no_decoder(tmp_path):
    """A drum loop in sixteenths, 125 beats a minute: lines every 8.33 Hz, every third on 25 Hz."""
    period = round(RATE * 60 / 125 / 4)
    rng = np.random.default_rng(5)
    hit = rng.normal(0, 0.1, period) * np.exp(-np.arange(period) / 400)
    samples = np.tile(hit, 120) + noise(120 * period / RATE, rms=1e-4)
    assert searched(tmp_path, samples).found == []


def test_harmonics_of_a_steady_note_are_no_decoder(tmp_path):
    """A sawtooth on the lowest A: a comb of 55 Hz, which no total stride gives."""
    time = np.arange(8 * RATE) / RATE
    saw = sum(np.sin(2 * np.pi * 55.0 * k * time) / k for k in range(1, 380)) / 4
    assert searched(tmp_path, saw + noise(8.0, rms=1e-3)).found == []


@pytest.mark.parametrize(
    ("codec", "suffix", "bitrate"),
    [("libmp3lame", "mp3", "64k"), ("libmp3lame", "mp3", "128k"), ("libmp3lame", "mp3", "256k"),
     ("aac", "m4a", "64k"), ("aac", "m4a", "128k"), ("libopus", "opus", "48k"),
     ("libopus", "opus", "128k"), ("libvorbis", "ogg", "64k"), ("libvorbis", "ogg", "160k")],
)  # fmt: skip
@pytest.mark.parametrize("index", [0, 1])
def test_lossy_codecs_are_no_decoders(tmp_path, codec, suffix, bitrate, index):
    song = write(tmp_path / "song.wav", music(12.0, index), subtype="PCM_16")
    found = search(open_recording(encode(song, tmp_path / f"song.{suffix}", codec, bitrate)))
    assert found.found == []
    assert found.best.score < THRESHOLD


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("libmp3lame", "mp3"), ("aac", "m4a"), ("libopus", "opus"), ("libvorbis", "ogg")],
)
def test_a_comb_outlives_lossy_codecs(tmp_path, codec, suffix):
    spacing = 44100 / 512
    samples = music(12.0) + comb(12.0, spacing, -62)[:, None]
    song = write(tmp_path / "song.wav", samples / 1.2, subtype="PCM_16")
    found = search(open_recording(encode(song, tmp_path / f"song.{suffix}", codec, "128k")))
    assert found.found[-1] == pytest.approx(spacing)


def test_trial_spacings_are_rates_over_smooth_strides():
    trials = list(trial_spacings(44100))
    assert len({spacing for spacing, _, _ in trials}) == len(trials)
    for spacing, rate, stride in trials:
        assert spacing == rate / stride
        for p in PRIMES:
            while stride % p == 0:
                stride //= p
        assert stride == 1
    # 100 Hz is 44100 / 441 as well, whose stride is not such a product; 48 kHz / 480 is.
    assert {(100.0, 16000, 160), (86.1328125, 44100, 512)} <= set(trials)


def test_a_finer_comb_is_added_where_its_own_lines_stand_out(tmp_path):
    """Every second line of 25 Hz is loud, those between are faint; or they are not there."""
    rate, loud = 48000, comb(12.0, 50.0, -70, 48000)
    faint = comb(12.0, 25.0, -88, rate)
    background = noise(12.0, rate, rms=0.005)
    assert searched(tmp_path, background + loud + faint, rate).found[-1] == pytest.approx(25)
    assert searched(tmp_path, background + loud, rate).found[-1] == pytest.approx(50)


@pytest.mark.parametrize(("between", "finer"), [(4.0, 50.0), (0.0, None)])
def test_a_finer_comb_stands_out_over_the_bins_between_its_lines(between, finer):
    """Lines of 100 Hz, and `between` dB at the odd multiples of 50 Hz, in noise."""
    rate, n_fft = 48000, 48000
    decibels = np.random.default_rng(0).normal(0, 0.5, n_fft // 2 + 1)
    decibels[::100] += 10.0
    decibels[50::100] += between
    power = 10 ** (decibels / 10)
    spectrum = RecordingSpectrum(power, np.zeros(0), rate, n_fft, 10, 10 * n_fft, 1.0, -20.0)
    assert finer_comb(spectrum, 100.0, (5000.0, 16000.0)) == finer


def test_the_score_is_a_height_over_its_standard_error():
    residual = np.random.default_rng(0).normal(0, 0.5, 20000)
    residual[::100] += 4.0
    places = [0.0, *sorted({n / d for d in range(2, 25) for n in range(1, d)})]
    values = [[residual[round((k + p) * 100)] for p in places] for k in range(50, 160)]
    columns = list(zip(*values, strict=True))
    height = statistics.mean(columns[0]) - max(map(statistics.mean, columns[1:]))
    variances = [statistics.variance(column) for column in columns]
    error = math.sqrt(max(variances[0], statistics.mean(variances)) / 110)
    score, _ = fold(residual, 1.0, 100.0, (5000.0, 16000.0))
    assert score == pytest.approx(height / error, rel=1e-9)


def test_places_between_lines_are_fractions_of_small_denominators():
    fractions = [Fraction(float(place)).limit_denominator(1000) for place in PLACES]
    assert max(one.denominator for one in fractions) == 24
    assert len(fractions) == sum(math.gcd(n, d) == 1 for d in range(2, 25) for n in range(1, d))


def test_shoulders_of_a_line_are_no_places_between_lines():
    """A window spreads each line over three bins at either side."""
    rng = np.random.default_rng(0)
    residual = np.abs(rng.normal(0, 0.5, 10000))
    for offset in range(-2, 3):
        residual[15 + offset :: 15] += 4.0
    score, excess = fold(residual, 2.0, 30.0, (5000.0, 16000.0))
    assert score > THRESHOLD
    assert excess == pytest.approx(4.0, abs=0.2)


@pytest.mark.parametrize(("rate", "bins"), [(16000, 32768), (22050, 32768), (96000, 131072)])
def test_a_bin_is_no_wider_than_suits_and_a_power_of_two_per_rate(tmp_path, rate, bins):
    """0.75 Hz suits."""
    found = searched(tmp_path, noise(10.0, rate), rate)
    assert found.spectrum.bin_hz == rate / bins <= 0.75


def test_a_bin_is_as_narrow_as_four_frames_of_its_length_allow(tmp_path):
    """65,536 samples at 44.1 kHz suit a bin of 0.75 Hz; with a sample less, twice the width."""
    for missing, bins in ((0, 65536), (1, 32768)):
        found = searched(tmp_path, noise((4 * 65536 - missing) / RATE))
        assert found.spectrum.bin_hz == RATE / bins


@pytest.mark.parametrize(("lines", "scores"), [(8, False), (7, True)])
def test_lines_of_a_coarser_comb_are_no_finer_one_if_four_lines_tell(lines, scores):
    """Only even lines are loud; of eight lines four are odd, of seven three."""
    residual = np.abs(np.random.default_rng(0).normal(0, 0.1, 20000))
    residual[::200] += 4.0
    band = (5000.0, 5000.0 + 100 * lines)
    assert (fold(residual, 1.0, 100.0, band)[0] > 0) == scores


def test_lines_that_are_no_louder_than_their_surroundings_score_nothing():
    assert fold(np.full(20000, 0.2), 1.0, 100.0, (5000.0, 16000.0)) == (0.0, 0.0)


@pytest.mark.parametrize("offset", [0, 5])
def test_folding_finds_the_height_of_the_lines(offset):
    """Lines of 4 dB every 100 bins in noise: 4 dB at their phase, and nothing at another."""
    rng = np.random.default_rng(0)
    residual = np.abs(rng.normal(0, 0.5, 20000))
    residual[offset::100] += 4.0
    score, excess = fold(residual, 1.0, 100.0, (5000.0, 16000.0))
    if offset:
        assert score < THRESHOLD
    else:
        assert excess == pytest.approx(4.0, abs=0.2)
        # 110 lines of a spread of 0.3 dB.
        assert score == pytest.approx(4.0 / (0.5 * 0.6 / np.sqrt(110)), rel=0.25)


def test_short_recordings_have_wider_bins_or_are_one_line(tmp_path):
    samples = noise(2.0, rms=1e-3) + comb(2.0, 689.0625, -50)
    found = searched(tmp_path, samples)
    assert 0.75 < found.spectrum.bin_hz < 3.6
    assert found.found[-1] == pytest.approx(689.0625)
    with pytest.raises(UserError, match="too short"):
        searched(tmp_path, noise(0.1))


def test_the_documentation_states_the_criteria():
    path = Path(__file__).parents[3] / "docs" / "audit_recordings.md"
    text = " ".join(path.read_text().split())
    assert f"scores above {THRESHOLD:g} is found" in text
    assert f"denominator up to {FRACTIONS}" in text
    assert f"running median ({MEDIAN_HZ:g} Hz), at most {CLIP_DB[1]:g} dB" in text
    assert f"strides up to {MAXIMUM_STRIDE}" in text
    found = f"above {FOUND_DB:g} dB and above {FOUND_ERRORS:g} standard errors"
    assert f"{found}, over {FOUND_LINES} lines or more" in text
