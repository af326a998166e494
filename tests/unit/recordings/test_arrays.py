"""The spectrum and sound of the recording whose comb stands out most."""

import numpy as np
import pytest
import soundfile
from audit_results import audit_recordings, content

# The noise's share of lines, and the spread of its mean over a few frames.
LINE_DB = 0.1
NOISE_DB = 1.0


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    report, arrays = audit_recordings(folder)
    with np.load(arrays, allow_pickle=False) as stored:
        return folder, content(report), dict(stored)


def test_the_recording_with_the_clearest_comb_is_stored(audited):
    folder, report, arrays = audited
    assert report["recordings"][int(arrays["place"])]["file"].endswith("tones.wav")
    samples, rate = soundfile.read(folder / "tones.wav")
    assert arrays["samplerate"] == rate
    assert len(arrays["sound"]) == 6 * rate
    np.testing.assert_allclose(arrays["sound"], samples[: 6 * rate], atol=1e-7)


def test_the_spectrum_has_the_planted_lines(audited):
    _, _, arrays = audited
    step = arrays["frequencies"][1]
    lines = 44100 / 512 * np.arange(60, 180)
    heights = arrays["decibels"][np.rint(lines / step).astype(int)]
    between = arrays["decibels"][np.rint((lines + 43) / step).astype(int)]
    assert np.median(heights) == pytest.approx(-60, abs=LINE_DB)
    # White noise of -40 dBFS in the bins of a Hann window, which are 1.5 bins wide.
    noise = -40 - 10 * np.log10((len(arrays["decibels"]) - 1) / 1.5)
    assert np.median(between) == pytest.approx(noise, abs=NOISE_DB)
