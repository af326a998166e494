"""Fig. 5: partial and full overlap, with constant and random weights."""

import numpy as np
from drawn_figures import assert_drawn
from figure_drawing import draw

ROUNDING = 1e-9


def test_figure5_has_the_papers_four_rows(tmp_path):
    panels = draw(tmp_path, "figure5", [])
    rows = [panels[row]["samples"] for row in "1234"]
    assert [len(row) for row in rows] == [62, 62, 44, 44]
    for row, stride in zip(rows, (6, 6, 4, 4), strict=True):
        steady = row[8 - stride : 10 * stride]
        np.testing.assert_allclose(steady[stride:], steady[:-stride], atol=ROUNDING)
    assert set(rows[0]) == {1, 2}
    assert np.array_equal(rows[2], [1] * 4 + [2] * 36 + [1] * 4)
    assert np.ptp(rows[3][4:40]) > 0.1


def test_inputs_and_seed_are_those_of_all_rows(tmp_path):
    rows = [{"kernel_size": 4, "stride": 2, "weights": "random"}] * 2
    first = draw(tmp_path, "figure5", [], rows=rows, inputs=3, seed=1)
    assert set(first) >= {"1", "2"}
    assert len(first["1"]["samples"]) == (3 - 1) * 2 + 4
    np.testing.assert_array_equal(first["1"]["weights"], first["2"]["weights"])
    other = draw(tmp_path, "figure5", [], rows=rows, inputs=3, seed=2)
    assert not np.array_equal(first["1"]["weights"], other["1"]["weights"])


def test_the_drawing_is_that_of_the_page():
    assert_drawn("figure5", "figure5", [])


def test_a_single_row_is_drawn_too(tmp_path):
    rows = [{"kernel_size": 4, "stride": 2, "weights": "ones"}]
    panels = draw(tmp_path, "figure5", [], rows=rows, inputs=2)
    assert panels["1"]["samples"].tolist() == [1, 1, 2, 2, 1, 1]
