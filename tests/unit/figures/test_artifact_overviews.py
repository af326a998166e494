"""Overviews of artifacts: before and after training as in Table 2, and every initialisation."""

import numpy as np
import pandas as pd
import pytest
from drawn_figures import assert_drawn
from figure_drawing import draw
from table2_example import ROWS, example_artifacts

from upsampling.errors import UserError
from upsampling.figures.artifact_overviews import LIMITS, PANEL_TITLES
from upsampling.measures.artifact_rows import ROW_COLUMNS
from upsampling.measures.init_statistics import OUTERMOST_MEASURES
from upsampling.tables.table2 import summarize

TITLES = [{"name": row.variant, "title": row.label} for row in ROWS]
LINE = 11025.0
SEEDS = 20


def drawn(folder, name: str, table: pd.DataFrame) -> dict[str, np.ndarray]:
    table.to_csv(folder / "in.csv", index=False)
    return draw(folder, name, [folder / "in.csv"], rows=TITLES)["all"]


def test_changes_are_drawn_as_the_table_has_them(tmp_path):
    arrays = drawn(tmp_path, "artifact_changes", example_artifacts())
    assert arrays["variants"].tolist() == ["loud", "quiet", "untrained"]
    table = summarize(example_artifacts(), [row.variant for row in ROWS])
    for name in ("unseen_trained", "silence_level_initialised", "notch_initialised_spread"):
        np.testing.assert_array_equal(arrays[name], table[name].to_numpy(float))


def test_initialisations_are_drawn_value_by_value(tmp_path):
    values = np.random.default_rng(0).normal(size=SEEDS)
    rows = [
        ["loud", seed, "initialised", "white_noise", "notch_depth", LINE, values[seed], "dB"]
        for seed in reversed(range(SEEDS))
    ]
    rows += [
        ["quiet", seed, "initialised", "silence", "tone_level", LINE, -200.0, "dBFS"]
        for seed in range(SEEDS)
    ]
    rows += [
        ["loud", None, stage, "weights", "tone_to_constant", LINE, value, "dB"]
        for stage, value in (("expected_q05", -12), ("expected_q50", 2), ("expected_q95", 23))
    ]
    arrays = drawn(tmp_path, "init_statistics", pd.DataFrame(rows, columns=ROW_COLUMNS))
    np.testing.assert_array_equal(arrays["notch_depth"][0], values)
    assert np.isnan(arrays["notch_depth"][1:]).all()
    assert (arrays["tone_level"][1] == -200).all()
    assert np.isnan(arrays["tone_to_constant"]).all()


def test_every_measure_of_init_statistics_has_a_panel():
    measures = {name for names in OUTERMOST_MEASURES.values() for name in names}
    assert measures | {"shift_error_sample"} == set(PANEL_TITLES)


def test_limits_are_those_of_the_standard():
    """ECMA-418-1: above 1 kHz a tone is prominent from 8 dB TNR, or 9 dB PR, on."""
    assert LIMITS["tone_to_noise_ratio"] == pytest.approx(8)
    assert LIMITS["prominence_ratio"] == pytest.approx(9)


def test_one_table_is_needed(tmp_path):
    with pytest.raises(UserError, match="artifact_changes: 1 input files needed, 0 given"):
        draw(tmp_path, "artifact_changes", [], rows=TITLES)


def test_the_drawings_are_those_of_the_page(tmp_path):
    """Below the least values of a panel, marks are arrows, and equal values have no violin."""
    example_artifacts().to_csv(tmp_path / "in.csv", index=False)
    assert_drawn("artifact_changes", "artifact_changes", [tmp_path / "in.csv"], rows=TITLES)
    rng = np.random.default_rng(0)
    rows: list[list[object]] = []
    for place, measure in enumerate(PANEL_TITLES):
        for variant, center in (("loud", -20.0), ("quiet", -200.0), ("untrained", -58.0)):
            spread = 0 if (variant, place % 2) == ("untrained", 0) else 5
            values = center + place + spread * rng.normal(size=6)
            rows += [
                [variant, seed, "initialised", "", measure, LINE, value, "dB"]
                for seed, value in enumerate(values)
            ]
        stages = (
            {"expected": 3.0}
            if place % 2
            else dict(
                zip(("expected_q05", "expected_q50", "expected_q95"), (-12, 2, 23), strict=True)
            )
        )
        rows += [["loud", None, s, "", measure, LINE, v, "dB"] for s, v in stages.items()]
    pd.DataFrame(rows, columns=ROW_COLUMNS).to_csv(tmp_path / "in.csv", index=False)
    assert_drawn("init_statistics", "init_statistics", [tmp_path / "in.csv"], rows=TITLES)
