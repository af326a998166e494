"""Figs. 2-5: the matrix is PyTorch's transposed convolution, its output has the paper's periods."""

import numpy as np
import pytest
import torch
from drawn_figures import assert_drawn
from figure_drawing import draw
from torch.nn import functional

from upsampling.errors import UserError
from upsampling.figures.transposed_diagrams import (
    TransposedSettings,
    transposed_matrix,
    upsampled_ones,
)

ROUNDING = 1e-9


@pytest.mark.parametrize(("length", "stride"), [(3, 3), (3, 2), (3, 1), (8, 6), (8, 4)])
def test_the_matrix_is_pytorchs_transposed_convolution(length, stride):
    rng = np.random.default_rng(length * 10 + stride)
    inputs, weights = rng.normal(size=10), rng.normal(size=length)
    expected = functional.conv_transpose1d(
        torch.from_numpy(inputs)[None, None], torch.from_numpy(weights)[None, None], stride=stride
    )
    product = inputs @ transposed_matrix(weights, stride, 10)
    np.testing.assert_allclose(product, expected[0, 0].numpy(), atol=ROUNDING)


def test_figures_2_to_4_show_the_papers_periods(tmp_path):
    second, third, fourth = (draw(tmp_path, f"figure{n}", [])["a"] for n in (2, 3, 4))
    assert len(np.unique(second["weights"])) == 3
    assert np.array_equal(second["samples"], np.tile(second["weights"], 5))
    assert np.array_equal(third["samples"], [1, 1] + [2, 1] * 5 + [1])
    assert np.array_equal(fourth["samples"], [1, 2, 3, 3, 3, 3, 3, 2, 1])


@pytest.mark.parametrize(
    ("kernel_size", "stride", "overlap"),
    [(8, 6, "partial overlap"), (8, 4, "full overlap"), (8, 8, "no overlap")],
)
def test_overlap_has_the_papers_names(kernel_size, stride, overlap):
    assert TransposedSettings(kernel_size, stride).overlap == overlap


def test_the_steady_part_is_periodic_and_the_borders_are_not():
    settings = TransposedSettings(8, 6, 10, "random")
    samples = upsampled_ones(settings)["samples"]
    first, last = settings.steady
    steady = samples[first:last]
    np.testing.assert_allclose(steady[6:], steady[:-6], atol=ROUNDING)
    assert abs(samples[first - 1] - samples[first + 5]) > 1e-3
    assert abs(samples[last] - samples[last - 6]) > 1e-3


def test_another_seed_draws_other_weights():
    first, other = (upsampled_ones(TransposedSettings(8, 4, 10, "random", s)) for s in (0, 1))
    assert not np.array_equal(first["weights"], other["weights"])
    assert np.max(np.abs(first["weights"])) <= 1 / np.sqrt(8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weights": "twos"}, "unknown weights 'twos'; choose from ones, random"),
        ({"stride": 4}, "set 1 <= stride <= kernel_size and inputs >= 1"),
        ({"inputs": 0}, "with 0 inputs cannot be drawn"),
    ],
)
def test_mistakes_are_told_in_one_line(settings, message, tmp_path):
    with pytest.raises(UserError, match=message):
        draw(tmp_path, "figure2", [], **settings)


@pytest.mark.parametrize(
    ("case", "settings"),
    [
        ("figure2", {}),
        ("figure3", {}),
        ("figure4", {}),
        ("figure2_long", {"kernel_size": 8, "stride": 4, "inputs": 6, "seed": 1}),
        ("figure3_short", {"inputs": 2}),
    ],
)
def test_the_drawings_are_those_of_the_page(case, settings):
    """`long` has a tick at each fifth sample, `short` is too short for a period."""
    assert_drawn(case, case.partition("_")[0], [], **settings)


def test_one_input_is_enough_for_a_diagram():
    samples = upsampled_ones(TransposedSettings(3, 3, 1, "ones"))["samples"]
    assert samples.tolist() == [1, 1, 1]


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


def test_figure5_is_that_of_the_page():
    assert_drawn("figure5", "figure5", [])


def test_a_single_row_of_figure5_is_drawn_too(tmp_path):
    rows = [{"kernel_size": 4, "stride": 2, "weights": "ones"}]
    panels = draw(tmp_path, "figure5", [], rows=rows, inputs=2)
    assert panels["1"]["samples"].tolist() == [1, 1, 2, 2, 1, 1]
