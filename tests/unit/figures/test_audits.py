"""The figure of an audit shows the lines of the report in the colors of their layers."""

import json

import numpy as np
import pytest
from audit_results import audit_network, audit_recordings, content
from drawn_figures import assert_drawn
from figure_drawing import draw

from upsampling.errors import UserError
from upsampling.files import save_arrays

# Powers of one period by two transforms.
ROUNDING_DB = 1e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("figures")


def test_lines_have_the_reports_levels_and_layers(folder):
    paths = audit_network(folder)
    panels = draw(folder, "audit", list(paths), title="A $ <vocoder>")
    assert set(panels) == {"sound", "lines"}
    assert panels["sound"]["samplerate"] == 24000
    shown = panels["lines"]
    np.testing.assert_allclose(shown["frequencies"], 1200.0 * np.arange(1, 11))
    lines = content(paths[0])["silence"]["lines"]
    assert len(lines) == 10
    for line, level, layer in zip(lines, shown["decibels"], shown["layers"], strict=True):
        assert level == pytest.approx(line["level_dbfs"], abs=ROUNDING_DB)
        expected = line["layers"][0] if len(line["layers"]) == 1 else "several layers"
        assert layer == expected


def test_a_repaired_network_is_a_second_row(folder):
    repair = str(folder / "repaired.safetensors")
    paths = audit_network(folder, "--repair", repair)
    panels = draw(folder, "audit", list(paths))
    assert panels["lines"]["decibels_repaired"].max() < panels["lines"]["decibels"].max() - 100
    assert panels["sound"]["decibels_repaired"].shape == panels["sound"]["decibels"].shape


def test_recordings_show_the_clearest_one(folder):
    panels = draw(folder, "audit", list(audit_recordings(folder)))
    frequencies, decibels = panels["lines"]["frequencies"], panels["lines"]["decibels"]
    inside = (frequencies > 5000) & (frequencies < 16000)
    loudest = frequencies[inside][np.argsort(decibels[inside])[-100:]]
    # The loudest bins are the lines of the planted comb and the Hann window's neighbors of them.
    ratio = loudest * 512 / 44100
    assert np.abs(ratio - np.rint(ratio)).max() < 0.02


def test_both_files_are_needed(folder):
    with pytest.raises(UserError, match="2 input files needed"):
        draw(folder, "audit", [folder / "network.json"])


# One period of 24 samples: lines are 333.33 Hz apart.
RATE = 8000
NETWORK = {
    "layers": [{"name": "first"}, {"name": "second"}],
    "attribution": {"input": "silence", "combs_hz": [2000.0, 1000.0]},
    "combs": [{"made_by": ["second"]}, {"made_by": ["first", "second"]}],
    "silence": {
        "floor_dbfs": -200.0,
        "lines": [{"frequency_hz": 333.333333, "layers": ["first"]},
                  {"frequency_hz": 1666.666667, "layers": []}],
    },
    "repair": {"summary": "repaired"},
}  # fmt: skip
COMB = {"stands_out": True, "spacing_hz": 2000.0,
        "lines": [{"frequency_hz": 2000.0}, {"frequency_hz": 4000.0}]}  # fmt: skip
RECORDINGS = {
    "recordings": [
        {"file": "other.wav", "combs": [], "band_hz": [0.0, 1.0]},
        {
            "file": "folder/song.wav",
            "combs": [COMB, COMB | {"stands_out": False}, COMB | {"spacing_hz": 1000.0}],
            "band_hz": [500.0, 3000.0],
        },
    ]
}


def written(folder, name, report, **arrays):
    """The report and the arrays of an audit whose content is known."""
    paths = [folder / f"{name}.json", folder / f"{name}.npz"]
    paths[0].write_text(json.dumps(report))
    save_arrays(paths[1], arrays | {"samplerate": RATE})
    return paths


def test_the_drawings_are_those_of_the_page(tmp_path):
    rng = np.random.default_rng(0)
    sounds = {
        "sound": rng.normal(size=RATE).astype(np.float32),
        "sound_repaired": 0.1 * rng.normal(size=RATE).astype(np.float32),
    }
    period = 0.01 * rng.normal(size=(2, 24)) + 1e-9
    periods = {"silence": period, "silence_repaired": 1e-5 * period, "constants": 2 * period[None]}
    network = written(tmp_path, "network", NETWORK, **sounds, **periods)
    assert_drawn("audit_network", "audit", network, title="vocoder")
    constant = NETWORK | {"attribution": NETWORK["attribution"] | {"input": "a constant"}}
    del constant["repair"]
    silent = {"constants": np.zeros((1, 2, 24)), "sound": sounds["sound"][:2047]}
    assert_drawn("audit_silent", "audit", written(tmp_path, "silent", constant, **silent))
    spectrum = {
        "frequencies": np.arange(41) * 100.0, "decibels": rng.uniform(-90, -40, 41), "place": 1
    }  # fmt: skip
    recording = written(tmp_path, "song", RECORDINGS, sound=sounds["sound"], **spectrum)
    assert_drawn("audit_recording", "audit", recording, title="songs")


def test_a_comb_without_its_makers_is_told(tmp_path):
    report = NETWORK | {"combs": NETWORK["combs"][:1]}
    period = np.random.default_rng(0).normal(size=(2, 24))
    paths = written(tmp_path, "cut", report, sound=period[0], sound_repaired=period[0],
                    silence=period, silence_repaired=period)  # fmt: skip
    with pytest.raises(UserError, match="figure 'audit' cannot be drawn from"):
        draw(tmp_path, "audit", paths)
