"""The figure of an audit shows the lines of the report in the colors of their layers."""

import numpy as np
import pytest
from audit_results import audit_network, audit_recordings, content
from figure_drawing import draw

from upsampling.errors import UserError

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
