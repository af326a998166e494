"""Statements of Sec. 6: verdicts from scores, comparisons and tones whose values are given."""

import pandas as pd
import pytest

from upsampling.measures.artifact_rows import ROW_COLUMNS
from upsampling.scoring import significance
from upsampling.tables import statements
from upsampling.tables.table1 import ScoreRow

ROWS = [
    ScoreRow("Transposed", "transposed", family="transposed"),
    ScoreRow("Nearest", "nearest", family="nearest"),
    ScoreRow("Linear", "linear", family="interpolation"),
    ScoreRow("Subpixel", "subpixel", family="subpixel"),
    ScoreRow("Modified", "modified", family="transposed", original="transposed"),
    ScoreRow("Own", "own"),
    ScoreRow("Quoted"),
]
# Table 1 of the paper.
PRINTED = {
    "transposed": 5.35, "nearest": 5.17, "linear": 4.62, "subpixel": 5.38, "modified": 5.37,
    "own": 1.0,
}  # fmt: skip
# Levels of the loudest tone before and after training, by seed.
LEVELS = {
    "transposed": [(-30.0, -60.0), (-32.0, -65.0)],
    "subpixel": [(-15.0, -71.0), (-14.0, -80.0)],
    "modified": [(-200.0, -200.0)],
    "nearest": [(-191.0, -189.0), (-190.0, -195.0)],
    "linear": [(-200.0, -200.0)],
    "own": [(-10.0, -10.0)],
}


def table(**sdr: float) -> pd.DataFrame:
    values = PRINTED | sdr
    rows = [(row.variant, values.get(row.variant)) for row in ROWS]
    return pd.DataFrame(rows, columns=["variant", "sdr"])


def comparisons(*differing: tuple[str, str]) -> pd.DataFrame:
    names = list(PRINTED)
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    rows = [(*pair, 8, 0.0, 0.0, 0.0, 0.01, 0.01, pair in differing) for pair in pairs]
    return pd.DataFrame(rows, columns=significance.COMPARISON_COLUMNS)


def artifacts(**levels: list[tuple[float, float]]) -> pd.DataFrame:
    rows = []
    for variant, seeds in (LEVELS | levels).items():
        for seed, stages in enumerate(seeds):
            for stage, level in zip(("initialised", "trained"), stages, strict=True):
                values = {"variant": variant, "seed": seed, "stage": stage, "measure": "tone_level"}
                # A softer tone of another layer, and a louder one in the output for noise.
                for probe, frequency, value in (
                    ("silence", 11025.0, level),
                    ("silence", 2756.25, max(level - 20, -200.0)),
                    ("white_noise", 11025.0, 0.0),
                ):
                    rows.append(
                        values | {"probe": probe, "frequency_hz": frequency, "value": value}
                    )
    return pd.DataFrame(rows, columns=ROW_COLUMNS)


def test_the_papers_table_bears_out_its_own_statements():
    text = statements.footnote(ROWS, table(), comparisons(), artifacts())
    assert text.startswith("Statements of Sec. 6 that hold in this run: 5 of 5. (1) ")
    assert "does not hold" not in text
    assert (
        "holds (at least 5.35 dB against at most 5.17 dB; not told apart on these tracks)" in text
    )
    assert "models: holds (5.17 dB against 4.62 dB; not told apart on these tracks)" in text
    assert "holds (Modified: +0.02 dB, not told apart)" in text
    assert "holds (Transposed: -65.0 dBFS; Subpixel: -80.0 dBFS)" in text
    assert "holds (at most -189.0 dBFS)" in text
    assert "Own" not in text
    assert text.endswith("Tones count above -144 dBFS, the rounding of 24-bit audio.")


def test_a_run_that_contradicts_the_paper_says_so():
    text = statements.footnote(
        ROWS,
        table(linear=5.36, nearest=5.0),
        comparisons(("transposed", "modified"), ("transposed", "linear")),
        artifacts(transposed=[(-30.0, -150.0)], subpixel=[(-30.0, -144.6)], linear=[(-99, -99)]),
    )
    assert "hold in this run: 0 of 5." in text
    assert "does not hold (at least 5.35 dB against at most 5.36 dB);" in text
    assert "does not hold (5.00 dB against 5.36 dB; not told apart" in text
    assert "originals: does not hold (Modified: +0.02 dB, told apart)" in text
    assert "survive training in silence: does not hold (Transposed: -150.0 dBFS;" in text
    # One of two interpolators has no tone.
    assert "no tones in silence: holds in part (at most -99.0 dBFS)" in text


def test_equal_scores_are_not_above_each_other():
    text = statements.footnote(ROWS, table(nearest=4.62), None, None)
    assert "does not hold (4.62 dB against 4.62 dB)" in text


def test_a_tone_must_survive_with_every_seed():
    one = artifacts(transposed=[(-30.0, -60.0), (-30.0, -190.0)])
    text = statements.footnote(ROWS, table(), None, one)
    assert "holds in part (Transposed: -190.0 dBFS; Subpixel: -80.0 dBFS)" in text


def test_models_without_tones_before_training_have_none_to_keep():
    silent = artifacts(transposed=[(-200.0, -200.0)])
    text = statements.footnote(ROWS, table(), None, silent)
    assert "holds (Subpixel: -80.0 dBFS)" in text


@pytest.mark.parametrize(
    ("variants", "numbers"),
    [
        (["transposed", "nearest", "linear", "subpixel"], "4 of 4"),
        (["transposed", "nearest"], "3 of 3"),
        (["nearest", "linear"], "2 of 2"),
        (["transposed"], "1 of 1"),
        # Its original is not among the rows.
        (["modified"], None),
        (["own"], None),
        ([], None),
    ],
)
def test_statements_without_rows_are_left_out(variants, numbers):
    rows = [row for row in ROWS if row.variant in variants]
    given = table()
    text = statements.footnote(
        rows, given[given["variant"].isin(variants)], comparisons(), artifacts()
    )
    assert f"in this run: {numbers}." in text if numbers else text == ""


def test_tables_that_are_not_given_leave_their_statements_out():
    text = statements.footnote(ROWS, table(), None, None)
    assert "2 of 2" in text
    assert "told apart" not in text
    unmeasured = comparisons().assign(p=float("nan"))
    assert statements.footnote(ROWS, table(), unmeasured, None) == text
    # No probe of silence.
    noise = artifacts()[lambda rows: rows["probe"] != "silence"]
    assert statements.footnote(ROWS, table(), None, noise) == text
