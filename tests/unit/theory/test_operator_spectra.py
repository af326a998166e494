"""Every variant's operator: its output for a constant and noise is the predicted one."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from noted import assert_noted, described, without_rounding

from upsampling.config.experiment import Experiment
from upsampling.config.figures import OperatorSpectra
from upsampling.errors import UserError
from upsampling.theory.operator_spectra import operator_spectra

NOTED = Path(__file__).with_name("noted")
CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())
# Those that the default configuration leaves out, too.
VARIANTS = {name: entry | {"enabled": True} for name, entry in CONFIG["variants"].items()}
EXPERIMENT = Experiment(CONFIG | {"variants": VARIANTS})
SETTINGS = EXPERIMENT.settings.figures.operator_spectra
OPERATORS = json.loads(EXPERIMENT.theory("operator_spectra"))["operators"]
NOT_LINEAR = {"istft_head"}
SPECTRUM_DB = 0.7
LINE_DB = 0.5
FLOOR_DB = -110.0


@pytest.fixture(scope="module")
def spectra() -> dict[str, np.ndarray]:
    return operator_spectra(SETTINGS, OPERATORS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_spectra_and_tones_are_as_predicted(spectra, variant):
    measured = spectra[f"{variant}_measured"]
    assert (f"{variant}_predicted" in spectra) == (variant not in NOT_LINEAR)
    if variant in NOT_LINEAR:
        return
    predicted = spectra[f"{variant}_predicted"]
    loud = predicted > FLOOR_DB
    assert np.median(np.abs(measured - predicted)[loud]) < SPECTRUM_DB
    levels = spectra[f"{variant}_levels"]
    bins = np.rint(spectra[f"{variant}_lines"] / spectra["frequencies"][1]).astype(int)
    around = np.median(measured[bins[:, None] + np.array([-40, -30, -20, -10])], axis=1)
    clear = levels > around + 20
    np.testing.assert_allclose(measured[bins][clear], levels[clear], atol=LINE_DB)


def test_tones_and_valleys_are_where_the_paper_has_them(spectra):
    """Secs. 2-4: transposed and subpixel convolutions are tonal, interpolators leave valleys."""
    bins = np.rint(np.array([11025, 22050]) / spectra["frequencies"][1]).astype(int)
    for variant in ("transposed", "subpixel", "modified_transposed", "stretch", "lazy_wavelet"):
        assert (spectra[f"{variant}_levels"] > -45).any()
    for variant in ("nearest", "linear", "subpixel_zoh", "subpixel_icnr"):
        assert (spectra[f"{variant}_levels"] < FLOOR_DB).all()
        measured = spectra[f"{variant}_measured"]
        assert (measured[bins] < np.median(measured) - 20).all()


def test_too_short_a_signal_is_refused():
    with pytest.raises(UserError, match=r"figures\.operator_spectra: 0\.01 s are too short"):
        operator_spectra(OperatorSpectra(seconds=0.01), OPERATORS)


def test_whole_spectra_are_those_that_were_noted(spectra):
    assert_noted(NOTED / "operators.txt", described(without_rounding(spectra, FLOOR_DB)))
