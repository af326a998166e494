"""Each kind of spectral replica, measured against its prediction."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from noted import assert_noted, described, without_rounding

from upsampling.config.experiment import Experiment
from upsampling.config.figures import Replicas
from upsampling.config.model import Last
from upsampling.errors import UserError
from upsampling.theory.replicas import KINDS, replicas

NOTED = Path(__file__).with_name("noted")
CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())
SETTINGS: Replicas = Experiment(CONFIG).settings.figures.replicas
LINE_DB = 0.05
# Lines of an offset stand in noise.
NOISY_LINE_DB = 0.3
SPECTRUM_DB = 0.7
FLOOR_DB = -100.0


@pytest.fixture(scope="module")
def spectra() -> dict[str, np.ndarray]:
    return replicas(SETTINGS)


def bins_of(spectra: dict[str, np.ndarray], lines: np.ndarray) -> np.ndarray:
    return np.rint(lines / spectra["frequencies"][1]).astype(int)


@pytest.mark.parametrize("row", range(len(SETTINGS.following)))
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_replica_is_where_and_as_loud_as_predicted(spectra, kind, row):
    name = f"{kind}_{row}"
    measured, predicted = spectra[f"{name}_measured"], spectra[f"{name}_predicted"]
    loud = predicted > FLOOR_DB
    assert np.median(np.abs(measured - predicted)[loud]) < SPECTRUM_DB
    bins = bins_of(spectra, spectra[f"{name}_lines"])
    levels = spectra[f"{name}_levels"]
    clear = levels > predicted[bins[0] // 2] + 20 if len(bins) else np.zeros(0, bool)
    if kind == "tones":
        np.testing.assert_allclose(measured[bins][clear], levels[clear], atol=LINE_DB)
        # Peaks stand there and nowhere else.
        peaks = np.flatnonzero(measured > FLOOR_DB)
        assert np.abs(peaks[:, None] - bins[levels > FLOOR_DB]).min(axis=1).max() <= 2
    if kind == "offsets":
        np.testing.assert_allclose(measured[bins][clear], levels[clear], atol=NOISY_LINE_DB)


@pytest.mark.parametrize("bias", [-0.5, 0.3])
def test_offsets_of_a_bias_and_a_relu(bias):
    spectra = replicas(replace(SETTINGS, bias=bias, following=SETTINGS.following[:1]))
    bins = bins_of(spectra, spectra["offsets_0_lines"])
    levels = spectra["offsets_0_levels"]
    np.testing.assert_allclose(spectra["offsets_0_measured"][bins], levels, atol=0.5)
    middle = slice(bins[0] // 4, 3 * bins[0] // 4)
    noise = spectra["offsets_0_measured"][middle] - spectra["offsets_0_predicted"][middle]
    assert abs(np.median(noise)) < NOISY_LINE_DB


def test_zero_insertion_keeps_replicas_and_interpolation_removes_those_of_offsets(spectra):
    spacing = SETTINGS.samplerate / SETTINGS.stride**SETTINGS.layers
    tones = spectra["tones_0_lines"][spectra["tones_0_levels"] > FLOOR_DB]
    # Lines around all multiples of the low rate, and none on them: their constant was taken out.
    assert len(tones) == 24
    assert (np.abs((tones / spacing) % 1) > 0.2).all()
    assert np.allclose(spectra["offsets_0_lines"], spacing * np.arange(1, 9))
    assert np.ptp(spectra["offsets_0_levels"]) < LINE_DB
    # Zeros of linear interpolation fall on every replica of the offset.
    assert spectra["offsets_2_levels"].max() < FLOOR_DB
    # A valley and its replicas: linear interpolation nulls multiples of its rate.
    valleys = spacing / 4 * np.arange(1, 32)
    valleys = valleys[np.abs(valleys / spacing % 1) > 0.2]
    shown = spectra["filtering_0_measured"]
    assert (shown[bins_of(spectra, valleys)] < np.median(shown) - 25).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"following": (Last("linear", {"definition": "align_corners"}),)},
         "figures.replicas: operator 'linear': this interpolation is no filter"),
        ({"seconds": 0.01}, "too short for spectra"),
        ({"following": (Last("haar_wavelet"),), "stride": 3}, "power of two"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(changes, message):
    with pytest.raises(UserError, match=message):
        replicas(replace(SETTINGS, **changes))


def test_whole_spectra_are_those_that_were_noted(spectra):
    assert_noted(NOTED / "replicas.txt", described(without_rounding(spectra, FLOOR_DB)))
