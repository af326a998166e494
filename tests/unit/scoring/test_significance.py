"""Significant differences: error rates by simulation, corrections and letters by hand."""

import math
from string import ascii_letters

import numpy as np
import pandas as pd
import pytest

from upsampling.errors import UserError
from upsampling.scoring import significance
from upsampling.scoring.bootstrap import LEVEL
from upsampling.scoring.significance import compare, holm, letters, seeds_needed

SOURCES = ("drums", "bass", "other", "vocals")


def frame(values: np.ndarray, names: str = "t") -> pd.DataFrame:
    return pd.DataFrame(values, [f"{names}{n}" for n in range(len(values))], list(SOURCES))


def simulated(rng: np.random.Generator, gains: list[float], tracks: int = 50) -> dict:
    """Rows of one seed whose tracks share a score (2 dB spread) and differ by 0.7 dB at random."""
    base = 5 + 2 * rng.standard_normal((tracks, 4))
    noise = 0.7 / math.sqrt(2)
    rows = [base + gain + noise * rng.standard_normal(base.shape) for gain in gains]
    return {f"row{n}": [frame(row)] for n, row in enumerate(rows)}


@pytest.mark.parametrize(("by", "power"), [("median", 0.65), ("mean", 0.98)])
def test_planted_difference_is_found_and_none_is_not(by: str, power: float) -> None:
    """In 200 simulated tables of 50 tracks: 0.3 dB, and no difference, at the 5 % level.

    The difference of medians has a standard error of 0.11 dB here and that of means one of 0.05 dB,
    for which a normal test would find 0.3 dB in 75 % and all of the tables.
    """
    significant: dict[float, list[bool]] = {0.0: [], 0.3: []}
    covered = []
    for experiment in range(200):
        for gain, results in significant.items():
            rows = simulated(np.random.default_rng([experiment, 1]), [gain, 0.0])
            pair = compare(rows, SOURCES, by, draws=500, seed=experiment).iloc[0]
            results.append(pair["p"] < LEVEL)
            covered.append(pair["low"] <= gain <= pair["high"])
    margin = 2 * math.sqrt(LEVEL * (1 - LEVEL) / 200)
    assert np.mean(significant[0.0]) <= LEVEL + margin
    assert np.mean(significant[0.3]) >= power
    assert 1 - LEVEL - margin <= np.mean(covered) <= 0.995


def test_correction_holds_the_level_for_all_pairs_together() -> None:
    """Six equal rows: at most 5 % of tables have a significant pair among 15."""
    false = []
    for experiment in range(40):
        rows = simulated(np.random.default_rng([experiment, 2]), [0.0] * 6)
        false.append(compare(rows, SOURCES, draws=2000, seed=experiment)["differs"].any())
    assert np.mean(false) <= LEVEL + 2 * math.sqrt(LEVEL * (1 - LEVEL) / 40)


def test_the_spread_of_seeds_counts() -> None:
    """Rows whose seeds scatter by 0.5 dB do not differ by it, however well tracks are paired."""
    false = 0
    for experiment in range(60):
        rng = np.random.default_rng([experiment, 3])
        base = 5 + 2 * rng.standard_normal((50, 4))
        rows = {
            key: [frame(base + 0.5 * rng.standard_normal()) for _ in range(3)] for key in "abcd"
        }
        false += compare(rows, SOURCES, "mean", draws=500)["p"].lt(LEVEL).sum()
    assert false / 360 <= LEVEL + 2 * math.sqrt(LEVEL * (1 - LEVEL) / 60)
    rows["better"] = [frame(base + 3 + shift) for shift in (-0.5, 0.0, 0.5)]
    table = compare(rows, SOURCES, "mean", draws=5000)
    assert table[table["second"] == "better"]["differs"].all()


def test_difference_is_that_of_the_aggregates() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 9, 4))
    first[3, 1] = np.nan
    rows = {"a": [frame(first), frame(first + 1)], "b": [frame(second)]}
    pair = compare(rows, SOURCES, draws=200).iloc[0]
    expected = np.nanmedian(first, axis=0).mean() + 0.5 - np.median(second, axis=0).mean()
    assert pair["difference"] == pytest.approx(expected, abs=1e-12)
    mean = compare(rows, SOURCES, "mean", draws=200).iloc[0]
    expected = np.nanmean(first, axis=0).mean() + 0.5 - second.mean()
    assert mean["difference"] == pytest.approx(expected, abs=1e-12)
    assert mean["low"] < mean["difference"] < mean["high"]
    again = compare(rows, SOURCES, draws=200)
    pd.testing.assert_frame_equal(again, compare(rows, SOURCES, draws=200))


def test_rows_are_compared_on_common_tracks_alone() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((8, 4))
    rows = {"a": [frame(values)], "b": [frame(values[:6] + 1)], "c": [frame(values, "other")]}
    table = compare(rows, SOURCES, draws=100)
    assert table["tracks"].tolist() == [6, 0, 0]
    assert table["difference"][0] == pytest.approx(-1, abs=1e-12)
    assert table["p_corrected"].isna().tolist() == [False, True, True]
    assert table["p_corrected"][0] == table["p"][0]
    assert not table["differs"][1:].any()


def test_five_tracks_cannot_be_significant() -> None:
    values = np.random.default_rng(0).standard_normal((5, 4))
    rows = {"a": [frame(values + 100)], "b": [frame(values)]}
    pair = compare(rows, SOURCES, draws=100).iloc[0]
    assert pair["p"] >= 2**-4
    assert math.isnan(pair["low"])
    assert not pair["differs"]
    rows = {key: [frames[0][:1]] for key, frames in rows.items()}
    assert math.isnan(compare(rows, SOURCES, draws=100).iloc[0]["p"])


def test_equal_rows_have_p_one() -> None:
    values = np.random.default_rng(0).standard_normal((8, 4))
    pair = compare({"a": [frame(values)], "b": [frame(values)]}, SOURCES, draws=100).iloc[0]
    assert (pair["difference"], pair["p"]) == (0.0, 1.0)


def test_holm() -> None:
    corrected = holm(np.array([0.04, 0.01, np.nan, 0.03, 0.9]))
    np.testing.assert_allclose(corrected, [0.09, 0.04, np.nan, 0.09, 0.9])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]


def comparisons(differing: str, all_keys: str = "wxyz") -> pd.DataFrame:
    """All pairs of `all_keys`; those in `differing`, such as "wz xz", differ."""
    pairs = [a + b for n, a in enumerate(all_keys) for b in all_keys[n + 1 :]]
    records = [(a, b, 9, 0, 0, 0, 0.5, 0.5, a + b in differing.split()) for a, b in pairs]
    return pd.DataFrame(records, columns=significance.COMPARISON_COLUMNS)


@pytest.mark.parametrize(
    ("differing", "expected"),
    [
        ("", {"w": "a", "x": "a", "y": "a", "z": "a"}),
        ("wx wy wz xy xz yz", {"w": "a", "x": "b", "y": "c", "z": "d"}),
        ("wy wz xz", {"w": "a", "x": "ab", "y": "bc", "z": "c"}),
        ("wz", {"w": "a", "x": "ab", "y": "ab", "z": "b"}),
        ("wx yz", {"w": "ab", "x": "cd", "y": "ac", "z": "bd"}),
    ],
)
def test_letters_are_shared_by_exactly_the_rows_that_do_not_differ(
    differing: str, expected: dict[str, str]
) -> None:
    table = comparisons(differing)
    result = letters([*"wxyz"], table)
    assert result == expected
    for pair in table.to_dict("records"):
        shared = set(result[pair["first"]]) & set(result[pair["second"]])
        assert bool(shared) != pair["differs"]


def test_letters_of_many_rows_are_fast() -> None:
    """A hundred rows, of which those up to 60 places apart do not differ."""
    keys = [f"row{n:03d}" for n in range(100)]
    records = [
        (a, b, 9, 0, 0, 0, 0.5, 0.5, n + 60 < m)
        for n, a in enumerate(keys)
        for m, b in enumerate(keys)
        if n < m
    ]
    result = letters(keys, pd.DataFrame(records, columns=significance.COMPARISON_COLUMNS))
    assert result["row000"] == "a"
    assert result["row050"] == ascii_letters[:40]
    assert letters(
        keys, pd.DataFrame(records, columns=significance.COMPARISON_COLUMNS).assign(differs=False)
    )


def test_rows_that_were_not_compared_have_no_letter() -> None:
    table = comparisons("wx")
    table.loc[table["second"] == "z", ["p", "p_corrected"]] = np.nan
    assert "z" not in letters([*"wxyz"], table)
    assert letters([], table) == {}


@pytest.mark.parametrize(("difference", "seeds"), [(0.5, 2), (0.2, 4), (0.1, 13)])
def test_seeds_needed_have_the_power_by_simulation(difference: float, seeds: int) -> None:
    spread = 0.084
    assert seeds_needed(difference, spread) == seeds
    rng = np.random.default_rng(0)

    def power(count: int) -> float:
        first, second = spread * rng.standard_normal((2, 4000, count))
        pooled = np.sqrt((first.var(axis=1, ddof=1) + second.var(axis=1, ddof=1)) / count)
        t = (first.mean(axis=1) + difference - second.mean(axis=1)) / pooled
        threshold = {2: 4.303, 3: 2.776, 4: 2.447, 12: 2.074, 13: 2.064}[count]
        return float(np.mean(np.abs(t) > threshold))

    assert power(seeds) >= 0.8 - 0.02
    assert seeds == 2 or power(seeds - 1) < 0.8 + 0.02


def test_comparisons_are_read_back_exactly(tmp_path) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    rows = {"nan": [frame(rng.standard_normal((7, 4)))], "1": [frame(rng.standard_normal((7, 4)))]}
    rows["apart"] = [frame(rng.standard_normal((7, 4)), "other")]
    table = compare(rows, SOURCES, draws=50)
    table.to_csv(tmp_path / "c.csv", index=False, na_rep="nan")
    read = significance.read_comparisons(tmp_path / "c.csv")
    pd.testing.assert_frame_equal(read, table, check_dtype=False, check_exact=True)
    (tmp_path / "c.csv").write_text("first,second\na,b\n")
    with pytest.raises(UserError, match="no column tracks, difference"):
        significance.read_comparisons(tmp_path / "c.csv")


def test_two_tracks_of_one_name_are_refused() -> None:
    twice = frame(np.zeros((2, 4))).rename({"t1": "t0"})
    with pytest.raises(UserError, match="row 'a' has two tracks called 't0'"):
        compare({"a": [twice], "b": [twice]}, SOURCES)
