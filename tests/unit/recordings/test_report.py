"""Reports of recordings: numbers and arrays of the measurement, and words that claim no origin."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audit_results import audit_recordings, content
from noted import assert_noted, described
from planted_combs import RATE, comb, noise, write

from upsampling.recordings.command import audit_recording
from upsampling.recordings.report import CAVEAT, as_json, printable, summary, text, verdict

NOTED = Path(__file__).with_name("noted")
# Reports round; so does another processor, before them.
HUNDREDTH = 0.0101
# The noise's share of lines, and the spread of its mean over a few frames.
LINE_DB = 0.1
NOISE_DB = 1.0


@pytest.fixture(scope="module")
def audits(tmp_path_factory):
    """By name: a comb given and found blind, and noise without one."""
    folder = tmp_path_factory.mktemp("audits")
    loud = write(folder / "comb.wav", noise(8.0, rms=0.01) + comb(8.0, RATE / 512, -60))
    clean = write(folder / "noise.wav", noise(8.0))
    return {
        "given": audit_recording(loud, strides=(8, 8, 4, 2)),
        "blind": audit_recording(loud),
        "coarse": audit_recording(
            write(folder / "coarse.wav", noise(7.1236, rms=0.01) + comb(7.1236, RATE / 64, -60)),
            strides=(8, 4, 2),
        ),
        "spacing": audit_recording(loud, spacing=RATE / 512),
        "none given": audit_recording(clean, strides=(8, 8, 4, 2)),
        "none blind": audit_recording(clean),
    }


def test_a_given_comb_is_reported_with_its_numbers(audits):
    data = json.loads(json.dumps(as_json(audits["given"]), allow_nan=False))
    assert data["found"]
    assert [one["spacing_hz"] for one in data["combs"]] == [22050, 5512.5, 689.0625, 86.1328125]
    finest = data["combs"][-1]
    assert finest["stands_out"]
    assert finest["samplerate_over_spacing"] == 512
    assert "Descript Audio Codec, 44.1 kHz" in finest["decoders"]
    assert finest["excess_db"] == pytest.approx(audits["given"].combs[-1].excess_db, abs=1e-3)
    assert data["combs"][0]["excess_db"] is None
    levels = [line["level_dbfs"] for line in finest["lines"]]
    assert sorted(levels)[len(levels) // 2] == pytest.approx(-60, abs=1)
    assert all(5000 <= line["frequency_hz"] <= 16000 for line in finest["lines"])
    assert all(0 <= line["stationarity"] <= 1 for line in finest["lines"])
    assert data["blind"] is None
    assert data["peak"] == round(audits["given"].spectrum.peak, 6) == pytest.approx(0.1, abs=0.1)


def test_a_blind_audit_reports_its_search(audits):
    data = as_json(audits["blind"])
    best = data["blind"]["best"][0]
    assert best["spacing_hz"] == pytest.approx(RATE / 512)
    assert best["score"] > data["blind"]["threshold"]
    assert data["combs"][-1]["spacing_hz"] == pytest.approx(RATE / 512)
    same = as_json(audits["spacing"])["combs"][-1]
    assert data["combs"][-1]["excess_db"] == pytest.approx(same["excess_db"], abs=0.2)


@pytest.mark.parametrize("name", ["none given", "none blind"])
def test_nothing_found_is_said(audits, name):
    assert not as_json(audits[name])["found"]
    assert verdict(audits[name]).startswith("No comb")


def test_words_say_what_was_measured_and_claim_no_origin(audits):
    sentence = verdict(audits["blind"])
    assert "86.13 Hz, 44100 Hz / 512, stands out by" in sentence
    assert "between 5 and 16 kHz" in sentence
    assert "Decoders with such a comb: " in sentence
    assert "not its origin" in CAVEAT
    for word in ("generated", "fake", "artificial", "AI", "proves"):
        assert word not in sentence
    shown = text(audits["blind"])
    assert sentence in shown
    assert "stationarity" in shown
    assert any(line.split()[:2] == ["86.133", "512"] for line in shown.splitlines())


def test_the_summary_counts(audits):
    table = summary([audits["blind"], audits["none blind"]], ["bad.wav: silent"])
    lines = table.splitlines()
    assert lines[0].split() == ["file", "finest", "comb", "Hz", "rate/spacing", "excess", "dB"]
    assert summary([], ["bad.wav: silent"]).startswith("file  finest comb")
    assert "86.133" in lines[1]
    assert "none" in lines[2]
    assert lines[-1] == ("1 of 2 recordings have a comb that stands out; 1 could not be audited.")


@pytest.mark.parametrize("name", ["coarse", "blind", "none given", "none blind"])
def test_whole_reports_are_those_that_were_noted(audits, name):
    one = audits[name]
    named = dataclasses.replace(one, recording=dataclasses.replace(one.recording, path=Path("a")))
    data = as_json(named)
    assert data["seconds"] == round(named.spectrum.samples / RATE, 3)
    for found in data["combs"]:
        found["lines"] = found["lines"][:12]
    lines = [*text(named).splitlines(), *described(data)]
    assert_noted(NOTED / f"{name}.txt", lines, lambda line: HUNDREDTH)


def test_long_names_are_cut_at_their_beginning_to_the_width_of_the_column(audits):
    names = ["short.wav", 60 * "x", f"folder/{58 * 'y'}"]
    one = audits["none blind"]
    paths = [dataclasses.replace(one.recording, path=Path(name)) for name in names]
    shown = [dataclasses.replace(one, recording=path) for path in paths]
    _, *lines, _ = summary(shown, []).splitlines()
    cut = [names[0].ljust(60), names[1], f"..{58 * 'y'}"]
    assert lines == [f"{name}  {'none':>14}" for name in cut]


def test_names_are_one_printable_line():
    assert printable("a\nb\x1b[31m\udcff") == "a\ufffdb\ufffd[31m\ufffd"
    assert printable("Ünïcode – 音楽.wav") == "Ünïcode – 音楽.wav"


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
