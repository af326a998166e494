"""Streaming spectra against those of whole signals, and the memory that they take."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from planted_combs import RATE, comb, noise, write

from upsampling.errors import UserError
from upsampling.measures.from_waveform import SINGLE_RANGE_DB, stationarity, with_floor
from upsampling.measures.spectra import frame_transforms
from upsampling.recordings import audio
from upsampling.recordings.audio import open_recording
from upsampling.recordings.spectrum import recording_spectrum

ROOT = Path(__file__).parents[3]
N_FFT = 4096
# Of float32 files, and of sums in another order.
RELATIVE = 1e-6
# Ten minutes of stereo at 44.1 kHz would be 420 MB in double precision.
LONG_SECONDS = 600
GROWTH_MB = 60


def test_the_mean_spectrum_is_that_of_the_whole_signal(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "BLOCK_SAMPLES", 5001)
    left, right = noise(2.0) + comb(2.0, 1000, -40), noise(2.0, seed=1)
    path = write(tmp_path / "a.wav", np.stack([left, right], 1))
    spectrum = recording_spectrum(open_recording(path), N_FFT)
    powers = [np.mean(np.abs(frame_transforms(s, N_FFT)) ** 2, 0) for s in (left, right)]
    expected = with_floor(np.mean(powers, axis=0), SINGLE_RANGE_DB)
    np.testing.assert_allclose(spectrum.power, expected, rtol=RELATIVE)
    assert spectrum.frames == (len(left) - N_FFT) // (N_FFT // 2) + 1
    assert spectrum.samples == len(left)
    assert spectrum.seconds == pytest.approx(2.0)
    assert spectrum.peak == pytest.approx(max(np.abs(left).max(), np.abs(right).max()), rel=1e-6)
    rms = np.sqrt(np.mean(np.square([left, right])))
    assert spectrum.level_dbfs == pytest.approx(20 * np.log10(rms), abs=1e-4)


def test_stationarity_is_that_of_the_whole_signal(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "BLOCK_SAMPLES", 3000)
    samples = noise(3.0, rms=0.01) + comb(3.0, 3150, -30)
    lines = np.array([3150.0, 6300.0, 5000.0, 7777.7])
    path = write(tmp_path / "a.wav", samples)
    spectrum = recording_spectrum(open_recording(path), N_FFT, lines)
    expected = stationarity(frame_transforms(samples, N_FFT), lines, RATE)
    np.testing.assert_allclose(spectrum.stationarity, expected, atol=1e-5)
    assert spectrum.stationarity[:2].min() > 0.99
    assert spectrum.stationarity[2:].max() < 0.1


def test_a_steady_line_in_one_channel_is_steady(tmp_path):
    samples = np.stack([comb(2.0, 5512.5, -30), noise(2.0, rms=1e-6)], 1)
    path = write(tmp_path / "a.wav", samples)
    spectrum = recording_spectrum(open_recording(path), N_FFT, np.array([5512.5]))
    assert spectrum.stationarity[0] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [(np.zeros(2 * RATE), "silent"), (noise(0.05), "0.05 s are too short"), (np.zeros(0), "short")],
)
def test_silent_and_short_recordings_are_one_line(tmp_path, samples, reason):
    path = write(tmp_path / "a.wav", samples)
    with pytest.raises(UserError, match=reason):
        recording_spectrum(open_recording(path), N_FFT)


def test_memory_does_not_grow_with_the_recording(tmp_path):
    """Peak memory of ten minutes of stereo less that of ten seconds."""
    ten = np.stack([noise(10.0), noise(10.0, seed=1)], 1).astype("float32")
    peaks = []
    for copies in (1, LONG_SECONDS // 10):
        path = tmp_path / f"{copies}.wav"
        with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
            for _ in range(copies):
                file.write(ten)
        peaks.append(_peak_of_a_search(path))
    assert peaks[1] - peaks[0] < GROWTH_MB


def _peak_of_a_search(path: Path) -> float:
    """Peak memory in MB of a process that searches the recording for combs."""
    script = (
        "import resource, sys\n"
        "from upsampling.recordings.search import search\n"
        "from upsampling.recordings.audio import open_recording\n"
        "search(open_recording(sys.argv[1]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        env={"PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout) / (1024 if sys.platform == "linux" else 2**20)
