"""Outputs before and after training: spectrograms, mean spectra, and silence."""

import numpy as np
import pytest
from drawn_figures import assert_drawn
from figure_drawing import draw, write_probe

from upsampling.errors import UserError
from upsampling.measures.spectra import FLOOR_DB

# A period of four samples: lines at 2 and 4 kHz of 8 kHz.
HUM = np.resize([0.01, -0.02, 0.03, -0.01], 24000)
ROWS = [{"name": "silence"}, {"name": "white_noise", "title": "white noise"}]
LINE_DB = 0.01


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probes")
    return [
        write_probe(folder / "silence_initialised.npz", HUM, "silence"),
        write_probe(folder / "silence_trained.npz", 0 * HUM, "silence"),
        write_probe(folder / "noise_initialised.npz", HUM),
        write_probe(folder / "noise_trained.npz", HUM / 10),
    ]


def test_mean_spectra_have_the_lines_of_both_stages(inputs, tmp_path):
    panels = draw(tmp_path, "before_after", inputs, rows=ROWS, strides=[4, 4], title="a $ variant")
    assert set(panels) == {
        f"{row['name']}_{kind}" for row in ROWS for kind in ("initialised", "trained", "mean")
    }
    mean = panels["white_noise_mean"]
    lines = np.isin(mean["frequencies"], [2000, 4000])
    difference = mean["initialised"][lines] - mean["trained"][lines]
    np.testing.assert_allclose(difference, 20, atol=LINE_DB)
    power = np.abs(np.fft.fft(HUM[:4])[1:3] / 4) ** 2
    np.testing.assert_allclose(mean["initialised"][lines], 10 * np.log10(power), atol=LINE_DB)


def test_silence_is_drawn_too(inputs, tmp_path):
    panels = draw(tmp_path, "before_after", inputs, rows=ROWS)
    assert (panels["silence_trained"]["decibels"] == FLOOR_DB).all()
    assert panels["silence_mean"]["trained"].max() == -200


@pytest.mark.parametrize(
    ("rows", "count", "message"),
    [
        ([], 0, "before_after: no rows; list the signals"),
        (ROWS, 3, "before_after: 4 input files needed, 3 given"),
        ([{"nam": "x"}], 2, "unknown key 'nam'"),
    ],
)
def test_mistakes_are_told_in_one_line(rows, count, message, inputs, tmp_path):
    with pytest.raises(UserError, match=message):
        draw(tmp_path, "before_after", inputs[:count], rows=rows)


def test_the_drawing_is_that_of_the_page(tmp_path):
    noise = np.random.default_rng(0).uniform(-1, 1, 24000)
    inputs = [
        write_probe(tmp_path / "0.npz", noise),
        write_probe(tmp_path / "1.npz", 0.1 * noise + 2 * HUM),
        # A row is silent if the first of its inputs is.
        write_probe(tmp_path / "2.npz", 0.01 * noise, "silence"),
        write_probe(tmp_path / "3.npz", 0 * noise),
        write_probe(tmp_path / "4.npz", 2 * noise),
        write_probe(tmp_path / "5.npz", noise, "silence"),
    ]
    rows = [ROWS[1], ROWS[0], {"name": "loud"}]
    settings = {"rows": rows, "strides": [4, 2], "title": "a variant"}
    assert_drawn("before_after", "before_after", inputs, **settings)


def test_a_single_signal_is_drawn_too(inputs, tmp_path):
    panels = draw(tmp_path, "before_after", inputs[2:], rows=ROWS[1:])
    assert set(panels) == {f"white_noise_{kind}" for kind in ("initialised", "trained", "mean")}
