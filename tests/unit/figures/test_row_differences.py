"""The figure of differences per track has the numbers of the tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_figures import assert_drawn
from figure_drawing import draw

from upsampling.errors import UserError
from upsampling.scoring import significance

SOURCES = ("drums", "bass", "other", "vocals")
ROUNDING = 1e-12


def write_tables(folder: Path, rows: dict[str, float], tracks: int = 9) -> list[Path]:
    """Comparisons and track scores of rows that differ from each other by known offsets."""
    rng = np.random.default_rng(0)
    base = rng.standard_normal((tracks, 4))
    names = [f"t{n}" for n in range(tracks)]
    frames = {}
    for key, offset in rows.items():
        noise = 0.1 * rng.standard_normal(base.shape)
        frames[key] = [
            pd.DataFrame(base + offset + noise + shift, names, list(SOURCES)) for shift in (0, 0.5)
        ]
    paths = [folder / "comparisons.csv", folder / "track_scores.csv"]
    table = significance.compare(frames, SOURCES, draws=200)
    table.to_csv(paths[0], index=False, na_rep="nan")
    significance.tidy(frames).to_csv(paths[1], index=False, na_rep="nan")
    return paths


def drawn(folder: Path, inputs: list[Path], **settings: object) -> dict[str, np.ndarray]:
    return draw(folder, "track_differences", inputs, **settings)["all"]


def test_arrays_are_row_minus_reference_best_first(tmp_path: Path) -> None:
    inputs = write_tables(tmp_path, {"low": -1.0, "reference": 0.0, "high": 2.0})
    titles = {"high": "A & b $x$"}
    arrays = drawn(tmp_path, inputs, reference="reference", titles=titles)
    assert arrays["rows"].tolist() == ["high", "low"]
    assert arrays["tracks"].tolist() == [f"t{n}" for n in range(9)]
    scores = pd.read_csv(inputs[1]).groupby(["row", "track"])["value"].mean().unstack()
    expected = scores.loc[["high", "low"]] - scores.loc["reference"]
    np.testing.assert_allclose(arrays["differences"], expected, atol=ROUNDING)
    assert ((arrays["low"] < arrays["difference"]) & (arrays["difference"] < arrays["high"])).all()
    np.testing.assert_allclose(arrays["difference"], [2, -1], atol=0.2)
    table = significance.read_comparisons(inputs[0]).set_index(["first", "second"])
    assert arrays["low"][0] == -table.loc[("reference", "high"), "high"]
    assert arrays["low"][1] == table.loc[("low", "reference"), "low"]


def test_a_single_row_and_few_tracks_are_drawn_too(tmp_path: Path) -> None:
    arrays = drawn(tmp_path, write_tables(tmp_path, {"only": 0.0}), reference="only")
    assert arrays["rows"].size == 0
    inputs = write_tables(tmp_path, {"a": 0.0, "b": 1.0}, tracks=2)
    arrays = drawn(tmp_path, inputs, reference="a")
    assert np.isnan(arrays["low"]).all()
    assert np.isfinite(arrays["difference"]).all()


def test_mistakes_are_named(tmp_path: Path) -> None:
    inputs = write_tables(tmp_path, {"a": 0.0, "b": 1.0})
    with pytest.raises(UserError, match="no scores of the reference 'c'"):
        drawn(tmp_path, inputs, reference="c")
    with pytest.raises(UserError, match="2 input files needed"):
        drawn(tmp_path, inputs[:1], reference="a")
    with pytest.raises(UserError, match=r"comparisons\.csv cannot be read as a table: .*row"):
        drawn(tmp_path, [inputs[0], inputs[0]], reference="a")


def test_the_drawing_is_that_of_the_page(tmp_path: Path) -> None:
    inputs = write_tables(tmp_path, {"low": -1.0, "reference": 0.0, "high": 2.0, "same": 0.01})
    titles = {"high": "High", "reference": "Ref"}
    assert_drawn(
        "track_differences", "track_differences", inputs, reference="reference", titles=titles
    )
    alone = write_tables(tmp_path, {"only": 0.0})
    assert_drawn("track_differences_none", "track_differences", alone, reference="only")
