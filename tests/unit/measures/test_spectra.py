"""Spectra: the appendix's STFT conventions; the mean spectrum against SciPy and closed forms."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import get_window, welch

from upsampling.errors import UserError
from upsampling.files import load_arrays, save_arrays
from upsampling.measures.spectra import (
    FLOOR_DB,
    HOP,
    N_FFT,
    Spectrogram,
    hann,
    mean_spectrum,
    reference_magnitude,
    spectrogram,
    stft,
)
from upsampling.probes.signals import probe_signal

ROUNDING = 1e-9


def sine(amplitude: float, bin_: int, count: int, n_fft: int) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * bin_ * np.arange(count) / n_fft + 0.3)


def test_stft_without_centering_is_the_dft_of_left_aligned_hann_frames() -> None:
    noise = probe_signal("white_noise", 3, 4000).astype(np.float64)
    frames = (len(noise) - N_FFT) // HOP + 1
    window = get_window("hann", N_FFT)
    expected = [np.fft.rfft(noise[t * HOP : t * HOP + N_FFT] * window) for t in range(frames)]
    assert np.allclose(stft(noise, center=False), np.transpose(expected), atol=ROUNDING)


@pytest.mark.parametrize("center", [False, True])
def test_stft_is_librosas(center: bool) -> None:
    import librosa

    noise = probe_signal("white_noise", 2, 4000).astype(np.float64)
    expected = librosa.stft(
        noise, n_fft=N_FFT, hop_length=HOP, window="hann", center=center, pad_mode="reflect"
    )
    assert np.allclose(stft(noise, center), expected, atol=ROUNDING)


def test_centering_adds_frames_and_keeps_a_constant_constant() -> None:
    ones = probe_signal("ones", 3, 4000)
    assert stft(ones, center=False).shape == (1025, (12000 - N_FFT) // HOP + 1)
    assert stft(ones, center=True).shape == (1025, 12000 // HOP + 1)
    # Reflected padding of a constant is that constant: only the window's bins are not zero.
    assert np.abs(stft(ones, center=True)[2:]).max() < ROUNDING


@pytest.mark.parametrize(("gain", "level"), [(1.0, 0.0), (0.5, -6.0206), (0.001, -60.0)])
def test_levels_are_relative_to_the_inputs_maximum(gain: float, level: float) -> None:
    tone = sine(0.7, 100, 8192, N_FFT)
    shown = spectrogram(gain * tone, 8000, reference_magnitude(tone))
    assert np.allclose(shown.decibels[100], level, atol=1e-3)
    assert shown.frequencies[100] == pytest.approx(100 * 8000 / N_FFT)
    assert np.allclose(shown.times, np.arange(13) * 512 / 8000)


def test_silence_is_at_the_floor_and_relative_to_a_full_scale_sine() -> None:
    silence = probe_signal("silence", 3, 4000)
    assert (spectrogram(silence, 4000, 1.0).decibels == FLOOR_DB).all()
    full_scale = reference_magnitude(sine(1.0, 100, 8192, N_FFT))
    assert reference_magnitude(silence) == pytest.approx(full_scale, rel=1e-4)


def test_short_signals_are_refused() -> None:
    with pytest.raises(UserError, match="2047 samples is too short"):
        stft(np.ones(2047), center=False)


def test_files_are_reproducible_and_read_back(tmp_path: Path) -> None:
    shown = spectrogram(probe_signal("music", 3, 4000), 4000, 1.0)
    for name in ("a.npz", "b.npz"):
        save_arrays(tmp_path / name, shown.arrays())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    loaded = Spectrogram(**load_arrays(tmp_path / "a.npz"))
    for name, array in shown.arrays().items():
        assert np.array_equal(getattr(loaded, name), array)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert set(stored) == {"decibels", "frequencies", "times", "samplerate"}


@pytest.mark.parametrize("count", [40000, 16384, 10000])
def test_mean_spectrum_agrees_with_welch(count: int) -> None:
    noise = probe_signal("white_noise", count / 8000, 8000, seed=2).astype(np.float64)
    width = min(count, 16384)
    frequencies, power = mean_spectrum(noise, 8000)
    _, expected = welch(
        noise,
        fs=8000,
        nperseg=width,
        nfft=16384,
        noverlap=width - 8192,
        detrend=False,
        scaling="spectrum",
        return_onesided=False,
    )
    assert np.allclose(power, expected[: len(power)], rtol=1e-9, atol=0)
    assert frequencies[-1] == 4000


@pytest.mark.parametrize(("bin_", "sides"), [(0, 1), (1000, 2), (8192, 1)])
def test_a_sine_of_rms_r_has_r_squared_over_its_sides(bin_: int, sides: int) -> None:
    tone = 0.25 * np.cos(2 * np.pi * bin_ * np.arange(50000) / 16384)
    power = mean_spectrum(tone, 16000)[1]
    assert power[bin_] * sides == pytest.approx(np.mean(tone**2), rel=1e-3)


def test_white_noise_has_its_variance_times_the_window_bandwidth() -> None:
    noise = probe_signal("white_noise", 40, 16384, seed=1)
    power = mean_spectrum(noise, 16384, n_fft=1024)[1]
    assert power.mean() == pytest.approx(1.5 / 3 / 1024, rel=0.01)


def test_mean_spectrum_refuses_short_and_infinite_signals() -> None:
    with pytest.raises(UserError, match="not finite"):
        mean_spectrum(np.array([0.0, np.nan] * 10000), 8000)
    with pytest.raises(UserError, match=r"8191 samples is too short.*at least 8192"):
        mean_spectrum(np.ones(8191), 8000)


def test_the_shortest_signals_are_one_frame_or_half_of_one() -> None:
    assert stft(np.ones(2048), center=False).shape == (1025, 1)
    assert mean_spectrum(np.ones(8192), 8000)[1].shape == (8193,)
    np.testing.assert_allclose(hann(2048), get_window("hann", 2048), atol=1e-15)


def test_conventions_are_those_of_the_appendix() -> None:
    """An FFT of 2048, a hop of 512; empty bins at -300 dB; half a window's sum for a sine."""
    assert (N_FFT, HOP, FLOOR_DB) == (2048, 512, -300)
    assert reference_magnitude(np.zeros(4096)) == 512
    faint = np.full(4096, 1e-14)
    assert reference_magnitude(faint) == pytest.approx(1024e-14, rel=1e-9, abs=0)
