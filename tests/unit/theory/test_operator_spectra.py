"""Every variant's operator: what it makes of a constant and noise is what its weights predict."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from upsampling.config.experiment import Experiment
from upsampling.errors import UserError
from upsampling.figures.registry import render
from upsampling.files import save_arrays
from upsampling.theory.operator_spectra import operator_spectra

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
SETTINGS = json.loads(Experiment(CONFIG).probe("responses"))
# What is not linear.
MEASURED_ONLY = {"istft_head"}
SPECTRUM_DB = 0.7
LINE_DB = 0.5
FLOOR_DB = -110.0


@pytest.fixture(scope="module")
def probed() -> dict[str, np.ndarray]:
    return operator_spectra(**SETTINGS)


@pytest.mark.parametrize("variant", CONFIG["variants"])
def test_spectra_and_tones_are_as_predicted(probed, variant):
    measured = probed[f"{variant}_measured"]
    assert (f"{variant}_predicted" in probed) == (variant not in MEASURED_ONLY)
    if variant in MEASURED_ONLY:
        return
    predicted = probed[f"{variant}_predicted"]
    loud = predicted > FLOOR_DB
    assert np.median(np.abs(measured - predicted)[loud]) < SPECTRUM_DB
    levels = probed[f"{variant}_levels"]
    bins = np.rint(probed[f"{variant}_lines"] / probed["frequencies"][1]).astype(int)
    around = np.median(measured[bins[:, None] + np.array([-40, -30, -20, -10])], axis=1)
    clear = levels > around + 20
    np.testing.assert_allclose(measured[bins][clear], levels[clear], atol=LINE_DB)


def test_tones_and_valleys_are_where_the_paper_has_them(probed):
    """Secs. 2-4: transposed and subpixel convolutions are tonal, interpolators leave valleys."""
    bins = np.rint(np.array([11025, 22050]) / probed["frequencies"][1]).astype(int)
    for variant in ("transposed", "subpixel", "modified_transposed", "stretch", "lazy_wavelet"):
        assert (probed[f"{variant}_levels"] > -45).any()
    for variant in ("nearest", "linear", "subpixel_zoh", "subpixel_icnr"):
        assert (probed[f"{variant}_levels"] < FLOOR_DB).all()
        measured = probed[f"{variant}_measured"]
        assert (measured[bins] < np.median(measured) - 20).all()


def test_the_figure_has_a_panel_per_variant(probed, tmp_path):
    save_arrays(tmp_path / "probed.npz", probed)
    panels = [{"name": name, "title": name} for name in ("transposed", "istft_head", "sinc")]
    files = [tmp_path / "responses.pdf", tmp_path / "responses.png"]
    render("responses", {"panels": panels}, [tmp_path / "probed.npz"], *files, tmp_path)
    with np.load(tmp_path / "responses_transposed.npz") as shown:
        np.testing.assert_array_equal(shown["levels"], probed["transposed_levels"])
    with np.load(tmp_path / "responses_istft_head.npz") as shown:
        assert set(shown) == {"frequencies", "measured"}
    with pytest.raises(UserError, match="no panels"):
        render("responses", {}, [tmp_path / "probed.npz"], *files, tmp_path)


def test_too_short_a_signal_is_refused():
    with pytest.raises(UserError, match="too short"):
        operator_spectra(**SETTINGS | {"seconds": 0.01})
