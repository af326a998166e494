"""Artifact measures against closed forms: planted tones, polyphase sums, planted notches."""

import numpy as np
import pytest
import torch

from upsampling.decibels import SILENCE_DB
from upsampling.errors import UserError
from upsampling.measures.from_waveform import (
    comb_frequencies,
    comb_prominences,
    comb_spacings,
    level,
    measure_waveform,
    notch_depth,
    prominence,
    stationarity,
    tone_level,
    with_floor,
)
from upsampling.measures.spectra import frame_transforms, mean_spectrum
from upsampling.probes.signals import probe_signal

SAMPLERATE = 44100
DEMUCS = (4,) * 6
# Averaging 31 half-overlapping frames leaves about 0.9 dB of spread to a single bin of noise.
NOISE_TOLERANCE_DB = 1.0
EXACT_DB = 0.01


def noise(rms: float, seconds: float = 6.0, seed: int = 0) -> np.ndarray:
    return (
        probe_signal("white_noise", seconds, SAMPLERATE, seed).astype(np.float64) * rms * np.sqrt(3)
    )


def tone(frequency: float, amplitude: float, seconds: float = 6.0) -> np.ndarray:
    time = np.arange(round(seconds * SAMPLERATE)) / SAMPLERATE
    return amplitude * np.cos(2 * np.pi * frequency * time + 0.4)


def upsampled_ones(kernel: np.ndarray, stride: int) -> np.ndarray:
    """Steady part of a transposed convolution's output for ones."""
    inputs = torch.ones(1, 1, 20000, dtype=torch.float64)
    weight = torch.from_numpy(kernel)[None, None]
    output = torch.nn.functional.conv_transpose1d(inputs, weight, stride=stride)
    return output[0, 0, len(kernel) : -len(kernel)].numpy()


def values(measurements: list, name: str) -> dict[float | None, float]:
    return {m["frequency_hz"]: m["value"] for m in measurements if m["measure"] == name}


def test_comb_spacings_of_the_published_models() -> None:
    demucs = [11025, 2756.25, 689.0625, 172.265625, 43.06640625, 10.7666015625]
    assert comb_spacings(DEMUCS, 44100) == demucs
    assert comb_spacings((8, 8, 2, 2), 22050) == [11025, 5512.5, 689.0625, 86.1328125]
    assert comb_spacings((1, 4, 1), 8000) == [2000]


def test_combs_reach_half_the_samplerate_and_contain_the_coarser_ones() -> None:
    assert comb_frequencies(11025, 44100).tolist() == [11025, 22050]
    coarse, fine = (set(comb_frequencies(s, 44100)) for s in comb_spacings((4, 4), 44100))
    assert coarse < fine
    assert comb_frequencies(8000 / 6, 8000)[-1] == pytest.approx(4000)


@pytest.mark.parametrize("frequency", [11025.0, 2756.25])
def test_a_planted_tone_is_recovered_within_a_decibel(frequency: float) -> None:
    amplitude, rms, n_fft = 0.01, 0.05, 16384
    _, power = mean_spectrum(noise(rms) + tone(frequency, amplitude), SAMPLERATE)
    expected = 10 * np.log10(1 + (amplitude**2 / 4) / (1.5 * rms**2 / n_fft))
    measured = prominence(power, np.array([frequency]), SAMPLERATE)[0]
    assert measured == pytest.approx(expected, abs=NOISE_TOLERANCE_DB)
    expected_level = 10 * np.log10(amplitude**2 / 2)
    measured_level = tone_level(power, frequency, SAMPLERATE)
    assert measured_level == pytest.approx(expected_level, abs=NOISE_TOLERANCE_DB)


def test_white_noise_has_no_comb() -> None:
    measurements = measure_waveform(noise(0.1), SAMPLERATE, DEMUCS)
    for spacing, mean in values(measurements, "comb_prominence_mean").items():
        assert spacing is not None
        lines = len(comb_frequencies(spacing, SAMPLERATE))
        # Two means of `lines` bins of about 1 dB spread each, and four standard errors.
        assert abs(mean) < 4 * np.sqrt(2 / lines)


def test_a_periodic_pattern_has_the_prominence_of_its_lines() -> None:
    pattern, rms = np.array([0.02, -0.01, 0.03, -0.04]), 0.05
    output = noise(rms) + np.resize(pattern, 6 * SAMPLERATE)
    scores = values(measure_waveform(output, SAMPLERATE, (4, 4)), "comb_prominence_mean")
    lines = np.abs(np.fft.rfft(pattern)[1:] / 4) ** 2
    expected = np.mean(10 * np.log10(1 + lines / (1.5 * rms**2 / 16384)))
    assert scores[11025.0] == pytest.approx(expected, abs=NOISE_TOLERANCE_DB)
    # Of the eight lines of the finer comb, two are those of the pattern.
    assert scores[2756.25] == pytest.approx(scores[11025.0] / 4, abs=2)


def test_a_tone_of_a_deeper_layer_is_no_control_of_the_outermost() -> None:
    """5512.5 Hz is halfway between two lines of the outer comb, but a line of the inner one."""
    output = noise(0.05) + tone(5512.5, 0.3)
    scores = values(measure_waveform(output, SAMPLERATE, (4, 4)), "comb_prominence_mean")
    assert abs(scores[11025.0]) < 3
    assert scores[2756.25] > 5


def test_harmonic_music_off_the_lines_has_a_mean_of_zero() -> None:
    """Harmonics of 27.5 Hz (the lowest A) up to half the sampling rate: another comb."""
    rng = np.random.default_rng(7)
    music = noise(0.001, seconds=2)
    for harmonic in range(1, 800):
        music += tone(27.5 * harmonic, rng.uniform(0.001, 0.01), seconds=2)
    _, power = mean_spectrum(music, SAMPLERATE)
    spacings = comb_spacings(DEMUCS, SAMPLERATE)[:5]
    lines = comb_frequencies(spacings[4], SAMPLERATE)
    mean, _ = comb_prominences(power, spacings, SAMPLERATE)[4]
    assert abs(mean) < NOISE_TOLERANCE_DB
    # Single lines coincide with harmonics, so the mean needs its controls.
    assert prominence(power, lines, SAMPLERATE).max() > 10


@pytest.mark.parametrize(
    ("length", "stride", "expected"),
    [(3, 2, [-9.54]), (8, 6, [-13.3, -18.1, -np.inf]), (8, 4, [-np.inf] * 2), (4, 2, [-np.inf])],
)
def test_tones_of_constant_kernels_stand_at_their_polyphase_sums(
    length: int, stride: int, expected: list[float]
) -> None:
    """Level of line k relative to 0 Hz: |DFT(p)_k| / |DFT(p)_0| of the polyphase sums p."""
    sums = np.array([len(range(j, length, stride)) for j in range(stride)], dtype=float)
    lines = np.abs(np.fft.rfft(sums))[1:] / sums.sum()
    output = upsampled_ones(np.ones(length), stride)
    _, power = mean_spectrum(output, 6000, n_fft=12288)
    for k, (line, stated) in enumerate(zip(lines, expected, strict=True), start=1):
        measured = power[k * 12288 // stride] / power[0]
        if line < 1e-12:
            assert measured < 1e-12
            continue
        assert 10 * np.log10(measured) == pytest.approx(20 * np.log10(line), abs=EXACT_DB)
        assert 10 * np.log10(measured) == pytest.approx(stated, abs=0.06)


def test_random_kernels_on_ones_give_their_polyphase_lines() -> None:
    kernel = np.random.default_rng(1).normal(size=8)
    sums = kernel.reshape(2, 4).sum(axis=0)
    _, power = mean_spectrum(upsampled_ones(kernel, 4), SAMPLERATE)
    for k, frequency in enumerate((11025.0, 22050.0), start=1):
        amplitude = np.abs(np.fft.fft(sums)[k]) / 4
        expected = 10 * np.log10(amplitude**2 * (2 if k == 1 else 1))
        assert tone_level(power, frequency, SAMPLERATE) == pytest.approx(expected, abs=EXACT_DB)


@pytest.mark.parametrize(("gain", "depth"), [(0.01, 20.0), (100.0, -20.0), (1.0, 0.0)])
def test_a_planted_notch_has_its_depth(gain: float, depth: float) -> None:
    power = np.full(8193, 1e-6)
    power[4096] *= gain
    power[4094:4096] *= 50
    assert notch_depth(power, 11025.0, SAMPLERATE) == pytest.approx(depth, abs=EXACT_DB)


def test_nearest_neighbor_upsampling_of_noise_leaves_notches() -> None:
    low = noise(0.2, seconds=1.5)
    measurements = measure_waveform(np.repeat(low, 4), SAMPLERATE, (4,))
    depths = values(measurements, "notch_depth")
    assert set(depths) == {11025.0, 22050.0}
    assert min(depths.values()) > 25
    assert all(
        abs(depth) < 4
        for depth in values(measure_waveform(noise(0.2), SAMPLERATE, (4,)), "notch_depth").values()
    )


def test_level_is_the_rms() -> None:
    assert level(np.ones(10)) == pytest.approx(0)
    assert level(tone(1000, 0.1)) == pytest.approx(-23.01, abs=EXACT_DB)
    assert level(np.zeros(10)) == SILENCE_DB


@pytest.mark.parametrize("name", ["silence", "ones"])
def test_silent_and_constant_outputs_have_finite_measurements_without_tones(name: str) -> None:
    measurements = measure_waveform(probe_signal(name, 2, SAMPLERATE), SAMPLERATE, DEMUCS)
    assert all(np.isfinite(measurement["value"]) for measurement in measurements)
    for measured in ("tone_prominence", "comb_prominence_mean", "comb_prominence_max"):
        assert np.abs(list(values(measurements, measured).values())).max() < EXACT_DB
    assert values(measurements, "level")[None] == (SILENCE_DB if name == "silence" else 0)


def test_measurements_of_demucs() -> None:
    measurements = measure_waveform(noise(0.1), SAMPLERATE, DEMUCS)
    assert {(r["measure"], r["unit"]) for r in measurements} == {
        ("level", "dBFS"),
        ("tone_prominence", "dB"),
        ("tone_level", "dBFS"),
        ("stationarity", "1"),
        ("tone_to_noise_ratio", "dB"),
        ("prominence_ratio", "dB"),
        ("notch_depth", "dB"),
        ("comb_prominence_mean", "dB"),
        ("comb_prominence_max", "dB"),
    }
    assert list(values(measurements, "tone_level")) == [
        11025,
        22050,
        2756.25,
        689.0625,
        172.265625,
        43.06640625,
    ]
    # The sixth comb's lines, 4 bins apart, lie within each other's guard.
    assert (
        list(values(measurements, "comb_prominence_mean")) == comb_spacings(DEMUCS, SAMPLERATE)[:5]
    )
    assert [r["measure"] for r in measure_waveform(noise(0.1), SAMPLERATE, (1,))] == ["level"]


def test_prominence_does_not_depend_on_the_gain() -> None:
    output = noise(0.05) + tone(11025, 0.02)
    loud, quiet = (measure_waveform(gain * output, SAMPLERATE, (4,)) for gain in (1.0, 1 / 256))
    for one, other in zip(loud, quiet, strict=True):
        shift = 20 * np.log10(256) if one["unit"] == "dBFS" else 0
        assert one["value"] - other["value"] == pytest.approx(shift, abs=1e-6)


def test_broken_outputs_are_refused() -> None:
    with pytest.raises(UserError, match="not finite"):
        measure_waveform(np.full(20000, np.inf), SAMPLERATE, DEMUCS)


def test_stationarity_of_a_tone_a_gated_tone_and_noise() -> None:
    """1, the share of frames with a tone, and (1 + (1 - 1 / T) / 3) / T of T frames."""
    line = np.array([2756.25])

    def steady(output: np.ndarray) -> float:
        return float(stationarity(frame_transforms(output), line, SAMPLERATE)[0])

    assert steady(tone(2756.25, 0.1)) == pytest.approx(1, abs=1e-9)
    # Two of eight frames keep the tone.
    gated = tone(2756.25, 0.1, seconds=9 * 8192 / SAMPLERATE)
    frames = frame_transforms(gated)
    frames[2:] = 0
    assert float(stationarity(frames, line, SAMPLERATE)[0]) == pytest.approx(2 / 8, abs=1e-9)
    assert steady(np.zeros(50_000)) == 0
    shares = [steady(noise(0.1, seed=seed)) for seed in range(60)]
    count = len(frame_transforms(noise(0.1)))
    expected = (1 + (1 - 1 / count) / 3) / count
    # Four standard errors of the mean of 60 draws from an exponential distribution.
    assert np.mean(shares) == pytest.approx(expected, rel=4 / np.sqrt(60))


def test_lines_between_bins_are_as_stationary() -> None:
    frames = frame_transforms(tone(44100 / 6, 0.1))
    assert stationarity(frames, np.array([44100 / 6]), 44100)[0] == pytest.approx(1, abs=1e-3)


def test_rounding_is_neither_tone_nor_noise() -> None:
    """A constant with the rounding of double precision, periodic as vector units compute it."""
    rounding = np.resize([1.0, -1.0, 0, 0], 100_000) * np.spacing(0.01)
    output = 0.01 + rounding
    assert np.ptp(output) > 0
    for measurement in measure_waveform(output, SAMPLERATE, DEMUCS):
        if "prominence" in measurement["measure"] and measurement["measure"] != "prominence_ratio":
            assert abs(measurement["value"]) < 1


@pytest.mark.parametrize(("dtype", "range_db"), [(np.float64, 180), (np.float32, 140)])
def test_bins_have_a_floor_below_the_whole_signal(dtype: type, range_db: float) -> None:
    """Lines below the range of the precision are not prominent; lines above it are."""
    for distance, prominent in ((range_db + 20, False), (range_db - 40, True)):
        faint = tone(5512.5, 10 ** (-distance / 20), seconds=2)
        power = mean_spectrum(tone(1000 * 44100 / 16384, 1.0, seconds=2) + faint, SAMPLERATE)[1]
        floored = with_floor(power, range_db)
        assert floored.min() >= power.sum() * 10 ** (-range_db / 10) * (1 - 1e-12)
        line = prominence(floored, np.array([5512.5]), SAMPLERATE)[0]
        assert (line > 10) == prominent
    measurements = measure_waveform(noise(0.1).astype(dtype), SAMPLERATE, (4,))
    assert all(np.isfinite(m["value"]) for m in measurements)


def test_prominence_is_that_of_its_formula_up_to_both_ends_of_the_spectrum() -> None:
    """Over the median of the bins 3 to 30 away that there are; a random spectrum of 513 bins."""
    power = np.random.default_rng(3).exponential(size=513)
    for line in (0, 2, 3, 20, 29, 31, 256, 482, 484, 510, 512):
        around = [power[b] for b in range(513) if 3 <= abs(b - line) <= 30]
        expected = 10 * np.log10(power[line] / np.median(around))
        found = prominence(power, np.array([line * 1000.0 / 1024]), 1000)
        assert found == pytest.approx([expected], abs=1e-9)


def test_notch_depth_is_that_of_its_formula_up_to_both_ends_of_the_spectrum() -> None:
    """A third-octave is a sixth of an octave to each side; 6 bins at least."""
    power = np.random.default_rng(4).exponential(size=513)
    for line in (0, 4, 20, 60, 200, 480, 512):
        below, above = line - line * 2 ** (-1 / 6), line * 2 ** (1 / 6) - line
        band = [
            power[b]
            for b in range(513)
            if abs(b - line) >= 3 and -max(round(below), 6) <= b - line <= max(round(above), 6)
        ]
        expected = 10 * np.log10(np.median(band) / power[line])
        measured = notch_depth(power, line * 1000.0 / 1024, 1000)
        assert measured == pytest.approx(expected, abs=1e-9)


def test_combs_are_statistics_of_lines_less_those_of_bins_halfway() -> None:
    power = np.random.default_rng(5).exponential(size=8193)
    spacings = comb_spacings((2, 4), 16384)
    assert spacings == [4096, 2048]
    lines, controls = (
        prominence(power, np.array(places), 16384)
        for places in ([2048.0, 4096, 6144, 8192], [1024.0, 3072, 5120, 7168])
    )
    found = comb_prominences(power, spacings, 16384)
    for (mean, maximum), chosen in zip(found, ([1, 3], [0, 1, 2, 3]), strict=True):
        assert mean == pytest.approx(lines[chosen].mean() - controls[chosen].mean(), abs=1e-9)
        assert maximum == pytest.approx(lines[chosen].max() - controls[chosen].max(), abs=1e-9)


def test_levels_have_a_floor_of_minus_200_db_and_lines_their_sides() -> None:
    power = np.full(513, 1e-30)
    assert [tone_level(power, f, 1000) for f in (0.0, 250.0, 500.0)] == [-200] * 3
    power[:] = 0.01
    levels = [tone_level(power, f, 1000) for f in (0.0, 250.0, 500.0)]
    assert levels == pytest.approx([-20, -20 + 10 * np.log10(2), -20])
    # 180 dB below a sum of 1, but never below -200 dB.
    line = np.zeros(513)
    line[100] = 1.0
    assert with_floor(line)[0] == pytest.approx(1e-18, rel=1e-9, abs=0)
    assert with_floor(1e-3 * line)[0] == pytest.approx(1e-20, rel=1e-9, abs=0)


def test_combs_need_lines_eight_bins_apart() -> None:
    """At 16384 points of 16384 Hz, a spacing of 8 Hz is measured and one of 4 Hz is not."""
    output = np.random.default_rng(6).uniform(-0.1, 0.1, 20000)
    measurements = measure_waveform(output, 16384, (2, 8, 256))
    assert sorted(values(measurements, "comb_prominence_mean")) == [8, 64]
    tones = sorted(values(measurements, "tone_level"))
    assert tones == [8.0, *(64.0 * np.arange(1, 129))]
    assert len(measure_waveform(output, 16384, (4096,))) == 1


def test_two_frames_can_be_steady_and_one_cannot() -> None:
    for samples, expected in ((16384 + 8192, 1.0), (16384, 0.0)):
        frames = frame_transforms(tone(2756.25, 0.1)[:samples])
        found = stationarity(frames, np.array([2756.25]), SAMPLERATE)
        assert found == pytest.approx([expected], abs=1e-9)


@pytest.mark.parametrize(("dtype", "prominent"), [(np.float64, True), (np.float32, False)])
def test_the_range_is_that_of_the_precision_of_the_output(dtype: type, prominent: bool) -> None:
    """A line 160 dB below the loudest one lies below the rounding of single precision alone."""
    output = tone(1000 * 44100 / 16384, 1.0) + tone(11025.0, 1e-8)
    found = measure_waveform(output.astype(dtype), SAMPLERATE, (4,))
    assert (values(found, "tone_prominence")[11025.0] > 10) == prominent
    assert (values(found, "stationarity")[11025.0] > 0.9) == prominent
