"""Curves of artifacts through training: means and spreads over seeds, and their legend."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artifact_histories import history, write
from drawn_figures import assert_drawn
from figure_drawing import draw

from upsampling.errors import UserError
from upsampling.figures.artifact_history import artifact_curves, look

ROWS = [{"name": "tonal", "title": "Tonal $x$ & co"}, {"name": "silent", "title": "Silent"}]
LEVELS = {0: -40.0, 1: -70.0, 2: -80.0}


@pytest.fixture
def inputs(tmp_path):
    """Two seeds of each row; the second was measured at fewer epochs."""
    fewer = {epoch: LEVELS[epoch] - 2 for epoch in (0, 2)}
    silent = dict.fromkeys(LEVELS, -200.0)
    runs = [
        history(LEVELS, 12.0, (0.1, 0.3, 0.2)),
        history(fewer, 14.0, (0.1, 0.5, 0.2)),
        history(silent),
        history(silent),
    ]
    return [write(tmp_path / f"{place}.csv", rows) for place, rows in enumerate(runs)]


def test_curves_are_means_and_spreads_over_seeds(tmp_path, inputs):
    arrays = draw(tmp_path, "artifact_history", inputs, rows=ROWS, seeds=[0, 1])["all"]
    assert arrays["variants"].tolist() == ["tonal", "silent"]
    assert arrays["epochs"].tolist() == [0, 1, 2]
    assert arrays["silence_dbfs"].tolist() == [[-41.0, -70.0, -81.0], [-200.0] * 3]
    np.testing.assert_allclose(arrays["silence_dbfs_spread"][0], [2**0.5, np.nan, 2**0.5])
    assert arrays["noise_db"].tolist() == [[13.0, 12.0, 13.0], [0.0] * 3]
    np.testing.assert_allclose(arrays["largest_imbalance"][0], [0.4, 0.3, 0.4])
    np.testing.assert_allclose(arrays["imbalance_2"][0], [0.4, 0.3, 0.4])
    assert arrays["imbalance_1_spread"][1, 0] == 0
    assert "imbalance_4" not in arrays


def test_lines_are_drawn_through_the_means(inputs):
    drawing = artifact_curves({"rows": ROWS, "seeds": [0, 1]}, inputs, "artifact_history")
    panel = drawing.figure.axes[0]
    tonal, silent = panel.get_lines()
    assert tonal.get_ydata().tolist() == [-41.0, -70.0, -81.0]
    # Silence lies on the lower edge, with levels below those of 24-bit audio.
    assert -200 < silent.get_ydata()[0] < -140
    assert len(drawing.figure.axes) == 6
    plt.close(drawing.figure)


def test_unmeasured_runs_give_an_empty_figure(tmp_path):
    empty = [write(tmp_path / "none.csv", [])] * 2
    arrays = draw(tmp_path, "artifact_history", empty, rows=ROWS, seeds=[0])["all"]
    assert arrays["epochs"].shape == (0,)
    assert arrays["silence_dbfs"].shape == (2, 0)


def test_a_run_per_row_and_seed_is_needed(tmp_path, inputs):
    with pytest.raises(UserError, match="artifact_history: 4 input files needed, 3 given"):
        draw(tmp_path, "artifact_history", inputs[:3], rows=ROWS, seeds=[0, 1])


def test_the_drawing_is_that_of_the_page(tmp_path, inputs):
    assert_drawn("artifact_history", "artifact_history", inputs, rows=ROWS, seeds=[0, 1])
    many = [write(tmp_path / "many.csv", history({epoch: -40.0 - epoch for epoch in range(40)}))]
    assert_drawn("artifact_history_many", "artifact_history", many, rows=ROWS[:1], seeds=[0])
    empty = [write(tmp_path / "none.csv", [])] * 2
    assert_drawn("artifact_history_none", "artifact_history", empty, rows=ROWS, seeds=[0])


def test_colors_and_markers_repeat_after_eight_and_lines_tell_the_rounds():
    shown = [look(place, 1) for place in range(40)]
    assert shown[0]["color"] == shown[8]["color"] == "#0072b2"
    assert (shown[0]["marker"], shown[7]["marker"], shown[8]["marker"]) == ("o", "*", "o")
    rounds = [shown[place]["linestyle"] for place in (7, 8, 16, 24, 32)]
    assert rounds == ["-", "--", "-.", ":", "-"]
    assert (look(1, 24)["marker"], look(1, 25)["marker"]) == ("s", "")
