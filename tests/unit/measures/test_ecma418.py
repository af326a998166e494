"""ECMA-418-1: critical bands that adjoin each other, ratios of planted tones in closed form."""

import numpy as np
import pytest

from upsampling.measures import ecma418
from upsampling.measures.spectra import mean_spectrum
from upsampling.probes.signals import probe_signal

SAMPLERATE = 44100
N_FFT = 16384
FREQUENCIES = (172.265625, 689.0625, 1000.0, 2756.25, 11025.0)
# The standard approximates edges without a closed form by polynomials.
FIT = 0.08
EXACT_DB = 1e-9
NOISE_DB = 0.6


def width(frequency: float) -> float:
    low, high = ecma418.critical_band(frequency)
    return high - low


def test_critical_bands_are_those_of_hearing() -> None:
    # Zwicker and Terhardt's bandwidths: 100 Hz at low frequencies, 162 Hz at 1 kHz.
    assert width(100.0) == pytest.approx(100.7, abs=0.1)
    assert width(1000.0) == pytest.approx(162.2, abs=0.1)
    low, high = ecma418.critical_band(1000.0)
    assert np.sqrt(low * high) == pytest.approx(1000.0)
    assert np.mean(ecma418.critical_band(300.0)) == pytest.approx(300.0)


@pytest.mark.parametrize("frequency", [300.0, 600.0, 1000.0, 1500.0, 1700.0, 4000.0, 11000.0])
def test_bands_below_and_above_are_critical_bands_around_their_centers(frequency: float) -> None:
    """Widths by the polynomials, against the formula of widths, which is independent."""
    for band in (ecma418.lower_band(frequency), ecma418.upper_band(frequency)):
        center = np.sqrt(band[0] * band[1]) if band[0] > 500 else np.mean(band)
        assert band[1] - band[0] == pytest.approx(width(float(center)), rel=FIT)
    assert ecma418.lower_band(frequency)[1] == ecma418.critical_band(frequency)[0]
    assert ecma418.upper_band(frequency)[0] == ecma418.critical_band(frequency)[1]


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_ratios_of_a_line_over_a_flat_spectrum(frequency: float) -> None:
    """One bin of power 1 + a over bins of power 1: both ratios by counting bins."""
    bin_width = SAMPLERATE / N_FFT
    line = round(frequency / bin_width)
    power = np.ones(N_FFT // 2 + 1)
    power[line] += 1e4
    noise = width(frequency) / bin_width
    expected = 10 * np.log10((1e4 + 5) / noise)
    measured = ecma418.tone_to_noise_ratio(power, frequency, SAMPLERATE)
    assert measured == pytest.approx(expected, abs=EXACT_DB)
    counts = []
    bands = (ecma418.lower_band, ecma418.critical_band, ecma418.upper_band)
    for band in bands:
        low, high = band(frequency)
        inside = np.arange(N_FFT // 2 + 1) * bin_width
        counts.append(np.count_nonzero((inside >= low) & (inside < high)))
    expected = 10 * np.log10((1e4 + counts[1]) / ((counts[0] + counts[2]) / 2))
    measured = ecma418.prominence_ratio(power, frequency, SAMPLERATE)
    assert measured == pytest.approx(expected, abs=EXACT_DB)


def test_a_tone_in_white_noise_has_its_ratio_for_a_hann_window() -> None:
    """Power of the sine over the noise's density times the critical bandwidth."""
    frequency, amplitude, rms = 2756.25, 0.02, 0.1
    noise = probe_signal("white_noise", 6, SAMPLERATE, 3).astype(np.float64) * rms * np.sqrt(3)
    tone = amplitude * np.sin(2 * np.pi * frequency * np.arange(len(noise)) / SAMPLERATE)
    _, power = mean_spectrum(noise + tone, SAMPLERATE)
    masking = rms**2 / (SAMPLERATE / 2) * width(frequency)
    expected = 10 * np.log10(amplitude**2 / 2 / masking)
    measured = ecma418.tone_to_noise_ratio(power, frequency, SAMPLERATE)
    assert measured == pytest.approx(expected, abs=NOISE_DB)
    # Tone and noise in one band, over the noise of a band of about that width.
    expected = 10 * np.log10((amplitude**2 / 2 + masking) / masking)
    measured = ecma418.prominence_ratio(power, frequency, SAMPLERATE)
    assert measured == pytest.approx(expected, abs=NOISE_DB)


def test_low_tones_have_their_lower_band_counted_per_100_hz() -> None:
    power = np.ones(N_FFT // 2 + 1)
    frequency = 150.0
    low, high = ecma418.lower_band(frequency)
    assert (low, high) == (20.0, pytest.approx(150 - width(150.0) / 2))
    measured = ecma418.prominence_ratio(power, frequency, SAMPLERATE)
    # A flat spectrum: equal power in each band of about 100 Hz, up to a bin of 2.7 Hz.
    assert measured == pytest.approx(0, abs=0.3)


def test_assessed_frequencies_and_limits_of_prominence() -> None:
    assert [ecma418.assessed(f, 44100) for f in (43.07, 172.3, 11025.0, 22050.0)] == [
        False,
        True,
        True,
        False,
    ]
    # The band above 11,025 Hz ends at 16 kHz, beyond half of 22.05 kHz.
    assert ecma418.assessed(9000.0, 22050)
    assert not ecma418.assessed(9000.0, 22050, "prominence_ratio")
    limit = ecma418.prominence_limit
    assert [limit(f, "tone_to_noise_ratio") for f in (4000, 1000, 100)] == [8, 8, 16.33]
    assert [limit(f, "prominence_ratio") for f in (4000, 1000, 100)] == [9, 9, 19]


@pytest.mark.parametrize("frequency", [89.1, 171.3, 171.4, 500.0, 500.1, 1599.0, 1600.0, 11200.0])
def test_bands_are_the_standards_to_the_digit(frequency: float) -> None:
    """A second writing of ECMA-418-1's formulas."""
    delta = 25.0 + 75.0 * np.exp(0.69 * np.log(1 + 1.4e-6 * frequency * frequency))
    if frequency <= 500:
        low, high = frequency - 0.5 * delta, frequency + 0.5 * delta
    else:
        low = -0.5 * delta + np.hypot(0.5 * delta, frequency)
        high = low + delta
    assert ecma418.critical_band(frequency) == pytest.approx((low, high), rel=EXACT_DB)
    square = frequency * frequency
    if frequency < 171.4:
        below = 20.0
    elif frequency < 1600:
        below = -149.5 + 1.001 * frequency - 6.90e-5 * square
    else:
        below = 6.8 + 0.806 * frequency - 8.20e-6 * square
    if frequency < 1600:
        above = 149.5 + 1.035 * frequency + 7.70e-5 * square
    else:
        above = 3.3 + 1.215 * frequency + 2.16e-5 * square
    assert ecma418.lower_band(frequency) == pytest.approx((below, low), rel=EXACT_DB)
    assert ecma418.upper_band(frequency) == pytest.approx((high, above), rel=EXACT_DB)


def test_the_edges_of_what_is_assessed_belong_to_it() -> None:
    rate = 48000.0
    inside = [ecma418.assessed(f, rate) for f in (89.0, 89.1, 11200.0, 11200.1)]
    assert inside == [False, True, True, False]
    top = ecma418.critical_band(5000.0)[1]
    assert ecma418.assessed(5000.0, 2 * top)
    assert not ecma418.assessed(5000.0, 2 * top - 0.01)


@pytest.mark.parametrize(("frequency", "scaled"), [(150.0, True), (171.4, True), (171.5, False)])
def test_the_lower_band_is_scaled_to_100_hz_up_to_171_4_hz(frequency: float, scaled: bool) -> None:
    """All power in the bands below and in the middle: 1 per bin of 0.1 Hz."""
    bins = np.arange(20001) * 0.1
    low, edge = ecma418.lower_band(frequency)
    middle = ecma418.critical_band(frequency)[1]
    inside = (bins >= low) & (bins < middle)
    power = np.where(inside, 1.0, 1e-12)
    below = np.count_nonzero(inside & (bins < edge)) * (100 / (edge - low) if scaled else 1)
    expected = 10 * np.log10(np.count_nonzero(inside & (bins >= edge)) / (below / 2))
    measured = ecma418.prominence_ratio(power, frequency, 4000.0)
    assert measured == pytest.approx(expected, abs=1e-6)


def test_the_tone_has_two_bins_on_either_side() -> None:
    power = np.ones(N_FFT // 2 + 1)
    line = round(1000.0 / (SAMPLERATE / N_FFT))
    expected = ecma418.tone_to_noise_ratio(power, 1000.0, SAMPLERATE)
    for distance in (1, 2, 3):
        changed = power.copy()
        changed[line + distance] = 100.0
        ratio = ecma418.tone_to_noise_ratio(changed, 1000.0, SAMPLERATE)
        assert (ratio > expected) == (distance <= 2)
