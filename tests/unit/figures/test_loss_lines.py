"""The figure of lines of losses: a spectrum per loss, and a dot per run."""

from dataclasses import asdict

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn_figures import assert_drawn
from figure_drawing import draw
from loss_runs import GRADIENTS, LEVELS, RATE, ROWS, artifacts

from upsampling.errors import UserError
from upsampling.figures.loss_lines import loss_lines_panels, mark
from upsampling.tables.loss_lines import loss_lines

SETTINGS = [asdict(row) for row in ROWS]
FREQUENCIES = np.linspace(0, 11025, 100)


@pytest.fixture
def inputs(tmp_path):
    rng = np.random.default_rng(0)
    spectra = {f"{row.variant}_measured": rng.uniform(-80, 20, 100) for row in ROWS}
    np.savez(tmp_path / "spectra.npz", frequencies=FREQUENCIES, **spectra)
    table = loss_lines(artifacts(), GRADIENTS, ROWS, RATE)
    table.to_csv(tmp_path / "lines.csv", index=False)
    return [tmp_path / "spectra.npz", tmp_path / "lines.csv"]


def test_arrays_are_the_spectra_and_the_table(tmp_path, inputs):
    panels = draw(tmp_path, "loss_lines", inputs, rows=SETTINGS)
    with np.load(inputs[0]) as spectra:
        for row in ROWS:
            expected = spectra[f"{row.variant}_measured"]
            np.testing.assert_array_equal(panels["gradients"][row.variant], expected)
    outputs = panels["outputs"]
    assert outputs["loss"].tolist() == ["l1"] * 3 + ["features"] * 3 + ["features_dense"] * 3
    assert outputs["silence_dbfs"].tolist() == [level for v in LEVELS.values() for level in v]
    assert outputs["seed"].tolist() == [0, 1, 2] * 3


def test_each_run_is_a_dot_and_each_loss_has_a_mean(inputs):
    drawing = loss_lines_panels({"rows": SETTINGS}, inputs, "loss_lines")
    silence = next(axes for axes in drawing.figure.axes if axes.get_title() == "tones in silence")
    lines = silence.get_lines()
    assert [len(line.get_ydata()) for line in lines] == [3, 2] * 3
    assert lines[2].get_ydata().tolist() == list(LEVELS["strided"])
    assert lines[3].get_ydata().tolist() == [-41.0, -41.0]
    titles = [axes.get_title() for axes in drawing.figure.axes]
    assert titles[:3] == [f"gradient of {loss}" for loss in ("l1", "features", "features_dense")]
    plt.close(drawing.figure)


def test_equal_losses_of_two_groups_share_a_spectrum(inputs):
    others = [entry | {"variant": f"{entry['variant']}2", "group": "base2"} for entry in SETTINGS]
    drawing = loss_lines_panels({"rows": [*SETTINGS, *others]}, inputs, "loss_lines")
    assert len(drawing.figure.axes) == 3 + 3
    assert set(drawing.arrays["gradients"]) == {"frequencies", *(row.variant for row in ROWS)}
    plt.close(drawing.figure)


def test_two_files_are_needed(tmp_path, inputs):
    with pytest.raises(UserError, match="loss_lines: 2 input files needed, 1 given"):
        draw(tmp_path, "loss_lines", inputs[:1], rows=SETTINGS)


def test_the_drawing_is_that_of_the_page(inputs):
    others = [entry | {"variant": f"{entry['variant']}2", "group": "base2"} for entry in SETTINGS]
    table = pd.read_csv(inputs[1])
    twice = pd.concat([table, table.assign(group="base2", silence_dbfs=-170.0)])
    twice.to_csv(inputs[1], index=False)
    assert_drawn("loss_lines", "loss_lines", inputs, rows=[*SETTINGS, *others])


def test_groups_differ_in_color_and_marker():
    marks = [mark(place) for place in range(10)]
    assert [entry["marker"] for entry in marks[:6]] == ["o", "s", "^", "D", "v", "o"]
    assert marks[0]["color"] == marks[8]["color"] == "#0072b2"
    assert len({entry["color"] for entry in marks[:8]}) == 8


def test_a_single_loss_is_drawn_too(tmp_path, inputs):
    panels = draw(tmp_path, "loss_lines", inputs, rows=SETTINGS[:1])
    assert set(panels["gradients"]) == {"frequencies", "base"}
