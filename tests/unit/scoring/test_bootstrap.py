"""The bootstrap of one difference against closed forms."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from upsampling.scoring import bootstrap
from upsampling.scoring.bootstrap import Sampling, average, interval, pooled_spread, seed_noise
from upsampling.scoring.significance import compare

SOURCES = ("drums", "bass", "other", "vocals")
ROUNDING = 1e-12


def frame(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, [f"t{n}" for n in range(len(values))], list(SOURCES))


def test_interval_of_means_is_that_of_the_t_distribution() -> None:
    rng = np.random.default_rng(0)
    base, difference = rng.standard_normal((20, 4)), rng.normal(0.2, 0.5, (20, 4))
    rows = {"a": [frame(base + difference)], "b": [frame(base)]}
    pair = compare(rows, SOURCES, "mean", draws=40_000).iloc[0]
    by_track = difference.mean(axis=1)
    half = 2.093 * by_track.std(ddof=1) / math.sqrt(20)
    assert pair["high"] - pair["low"] == pytest.approx(2 * half, rel=0.05)


def test_draws_are_shared_and_shifts_too() -> None:
    """A row that is another one plus a constant differs by just that, in every draw."""
    values = np.random.default_rng(0).standard_normal((12, 4))
    rows = {"a": [frame(values)], "b": [frame(values + 0.25)]}
    tracks = tuple(rows["a"][0].index)
    sampling = Sampling.of(rows, tracks, SOURCES, 300, 0)
    assert (sampling.shift != 0).all()
    difference = sampling.aggregates(rows["b"], "median") - sampling.aggregates(rows["a"], "median")
    np.testing.assert_allclose(difference, 0.25, rtol=0, atol=ROUNDING)


def test_draws_are_those_of_a_smoothed_bootstrap() -> None:
    """Silverman's bandwidth, 0.9 min(s, IQR / 1.34) n^-1/5, of the scores of each source."""
    values = np.random.default_rng(0).standard_normal((12, 4)) * [1, 2, 3, 4]
    rows = {"a": [frame(values)]}
    sampling = Sampling.of(rows, tuple(rows["a"][0].index), SOURCES, 2000, 0)
    found = sampling.aggregates(rows["a"], "median")
    assert found[0] == pytest.approx(np.mean(np.median(values, axis=0)), abs=ROUNDING)
    for draw in range(20):
        drawn = values[sampling.indices[draw]] + sampling.shift[:, draw].T
        assert found[1 + draw] == pytest.approx(np.mean(np.median(drawn, axis=0)), abs=ROUNDING)
    quartiles = np.percentile(values, [25, 75], axis=0)
    width = np.minimum(values.std(axis=0, ddof=1), (quartiles[1] - quartiles[0]) / 1.34)
    # Of 24,000 normal numbers, the deviation is known to 0.5 %.
    assert sampling.shift.std(axis=(1, 2)) == pytest.approx(0.9 * width * 12**-0.2, rel=0.02)


def test_averages_leave_nan_out() -> None:
    values = np.random.default_rng(0).standard_normal((50, 6))
    values[values > 0.8] = np.nan
    np.testing.assert_array_equal(average(values, "median"), np.nanmedian(values, axis=1))
    np.testing.assert_allclose(average(values, "mean"), np.nanmean(values, axis=1), atol=ROUNDING)
    assert np.isnan(average(np.full((1, 3), np.nan), "median")).all()
    assert np.isnan(average(np.full((1, 3), np.nan), "mean")).all()


def test_pooled_spread() -> None:
    assert pooled_spread([[1.0, 2.0], [5.0, 7.0, 9.0], [3.0]]) == pytest.approx(
        math.sqrt((0.5 + 8) / 3)
    )
    assert math.isnan(pooled_spread([[1.0], [2.0]]))


def test_draws_of_one_seed_add_no_noise() -> None:
    rows = {key: [frame(np.zeros((7, 4)))] for key in "ab"}
    assert not any(noise.any() for noise in seed_noise(rows, SOURCES, "mean", 50, 0).values())


def test_noise_of_seeds_has_their_spread_over_the_root_of_their_number() -> None:
    """Student's t, as the spread is estimated with five degrees of freedom."""
    shifts = [0.0, 0.2, 0.4, 0.1, 0.3, 0.5]
    rows = {
        "six": [frame(np.full((7, 4), shift)) for shift in shifts],
        "one": [frame(np.zeros((7, 4)))],
    }
    spread = np.std(shifts, ddof=1)
    assert bootstrap.seed_spread(rows, SOURCES, "mean") == pytest.approx(spread)
    noise = seed_noise(rows, SOURCES, "mean", 20_000, 0)
    for key, seeds in (("six", 6), ("one", 1)):
        scaled = noise[key] * math.sqrt(seeds) / spread
        assert stats.kstest(scaled, stats.t(5).cdf).pvalue > 0.01


def test_p_and_interval_of_normal_draws_are_those_of_the_t_distribution() -> None:
    """Draws of a mean spread by the biased standard error, which the widening corrects."""
    tracks, point = 12, 0.5
    biased = 0.25 * math.sqrt((tracks - 1) / tracks)
    draws = point + biased * np.random.default_rng(0).standard_normal(400_000)
    result = interval(np.append(point, draws), tracks)
    half = stats.t.ppf(0.975, tracks - 1) * 0.25
    assert result["low"] == pytest.approx(point - half, abs=0.01)
    assert result["high"] == pytest.approx(point + half, abs=0.01)
    assert result["p"] == pytest.approx(2 * stats.t.sf(point / 0.25, tracks - 1), rel=0.1)


def test_p_is_at_least_that_of_exchanging_the_models_on_each_track() -> None:
    draws = 5 + np.random.default_rng(0).standard_normal(10_000)
    assert interval(np.append(5.0, 50 + draws), 6)["p"] == 2.0**-5
    few = interval(np.append(5.0, 50 + draws), 5)
    assert few["p"] == 2.0**-4
    assert math.isnan(few["low"])
    assert math.isnan(interval(np.append(5.0, draws), 1)["p"])
