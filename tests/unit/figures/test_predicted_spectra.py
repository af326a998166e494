"""Figures of operators, replicas and gradients store the arrays that they show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from drawn_figures import assert_drawn
from figure_drawing import draw

from upsampling.config.experiment import Experiment
from upsampling.config.figures import LossGradient, OperatorSpectra
from upsampling.config.losses import CriticSettings
from upsampling.errors import UserError
from upsampling.files import save_arrays
from upsampling.theory.loss_gradients import loss_gradients
from upsampling.theory.operator_spectra import operator_spectra
from upsampling.theory.replicas import KINDS, replicas

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())
FIGURES = Experiment(CONFIG).settings.figures
OPERATORS = {
    name: {"operator": name, "bias": True} for name in ("transposed", "istft_head", "sinc")
}


def stored(folder: Path, arrays: dict) -> list[Path]:
    save_arrays(folder / "spectra.npz", arrays)
    return [folder / "spectra.npz"]


@pytest.fixture(scope="module")
def operators() -> dict[str, np.ndarray]:
    return operator_spectra(OperatorSpectra(seconds=0.5), OPERATORS)


def test_operators_have_a_panel_each(operators, tmp_path):
    titles = [{"name": name, "title": name} for name in OPERATORS]
    panels = draw(tmp_path, "operator_spectra", stored(tmp_path, operators), panels=titles)
    assert set(panels) == set(OPERATORS)
    np.testing.assert_array_equal(panels["transposed"]["levels"], operators["transposed_levels"])
    assert set(panels["istft_head"]) == {"frequencies", "measured"}


def test_replicas_have_a_panel_per_kind_and_operator(tmp_path):
    arrays = replicas(replace(FIGURES.replicas, seconds=0.5))
    panels = draw(tmp_path, "replicas", stored(tmp_path, arrays), rows=["a", "b", "c"])
    assert set(panels) == {f"{kind}_{row}" for kind in KINDS for row in (1, 2, 3)}
    for kind in KINDS:
        for name in ("measured", "predicted", "lines", "levels"):
            np.testing.assert_array_equal(panels[f"{kind}_2"][name], arrays[f"{kind}_1_{name}"])


def test_gradients_have_a_panel_per_loss_and_network(tmp_path):
    critic = CriticSettings(layers=2, stride=4, kernel_size=10, channels=4, seed=1)
    arrays = loss_gradients(LossGradient(critic, "white_noise", "percussive", 8192, 2.0))
    panels = draw(tmp_path, "loss_gradient", stored(tmp_path, arrays), layers=2, stride=4)
    np.testing.assert_allclose(panels["score_strided"]["lines"], 512 * np.arange(1, 9))
    assert panels["score_dense"]["lines"].size == 0
    np.testing.assert_array_equal(panels["waveform"]["measured"], arrays["waveform_measured"])
    assert panels["coverage"]["lengths"].tolist() == list(range(4, 19))


@pytest.mark.parametrize(
    ("figure", "settings", "message"),
    [
        ("operator_spectra", {}, "operator_spectra: no panels; list them"),
        ("replicas", {"rows": ["a"]}, "replicas: rows: one title per operator"),
        ("replicas", {}, "replicas: rows: one title per operator"),
    ],
)
def test_mistakes_are_told_in_one_line(figure, settings, message, operators, tmp_path):
    with pytest.raises(UserError, match=message):
        draw(tmp_path, figure, stored(tmp_path, operators), **settings)


KHZ = 1000.0 * np.arange(101) / 10


def spectrum(rng: np.random.Generator, prefix: str, **changes: list[float]) -> dict:
    """A panel's arrays: lines above and below the noise beside them, and below the axis."""
    return {
        f"{prefix}_measured": rng.uniform(-160, -20, 101),
        f"{prefix}_predicted": rng.uniform(-80, -70, 101),
        f"{prefix}_lines": np.array([2000.0, 4000.0, 8000.0]),
        f"{prefix}_levels": np.array(changes.get("levels", [-10.0, -90.0, -150.0])),
    }


def test_the_drawings_are_those_of_the_page(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"frequencies": KHZ}
    names = ("a", "b", "c", "d", "e")
    for name in names:
        arrays |= spectrum(rng, name)
    for name in ("b", "e"):
        for kind in ("predicted", "lines", "levels"):
            del arrays[f"{name}_{kind}"]
    panels = [{"name": name, "title": f"operator {name} of a long title"} for name in names]
    paths = stored(tmp_path, arrays)
    assert_drawn("operator_spectra", "operator_spectra", paths, panels=panels)
    assert_drawn("operator_spectra_2", "operator_spectra", paths, panels=panels[:2])
    arrays = {"frequencies": KHZ}
    for kind in KINDS:
        for row in (0, 1):
            arrays |= spectrum(rng, f"{kind}_{row}")
    assert_drawn("replicas", "replicas", stored(tmp_path, arrays), rows=["first", "second"])
    arrays = {"frequencies": KHZ, "waveform_measured": rng.uniform(-90, 0, 101)}
    for place, name in enumerate(("score", "features")):
        for network in ("strided", "dense"):
            arrays |= spectrum(rng, f"{name}_{network}", levels=[10.0 + place, -50.0, -70.0])
    arrays |= {
        "coverage_lengths": np.arange(4, 9),
        "coverage_ones": np.array([-5.0, -300.0, -9.0, -100.0, -12.0]),
        "coverage_random": rng.uniform(-10, 5, 5),
    }
    assert_drawn("loss_gradient", "loss_gradient", stored(tmp_path, arrays))


def test_a_line_without_its_level_is_told(tmp_path):
    arrays = {"frequencies": KHZ} | spectrum(np.random.default_rng(0), "a", levels=[-10.0])
    with pytest.raises(UserError, match="figure 'operator_spectra' cannot be drawn from"):
        draw(tmp_path, "operator_spectra", stored(tmp_path, arrays), panels=[{"name": "a"}])


def test_a_single_operator_has_replicas_too(tmp_path):
    rng, arrays = np.random.default_rng(0), {"frequencies": KHZ}
    for kind in KINDS:
        arrays |= spectrum(rng, f"{kind}_0")
    panels = draw(tmp_path, "replicas", stored(tmp_path, arrays), rows=["first"])
    assert set(panels) == {f"{kind}_1" for kind in KINDS}
