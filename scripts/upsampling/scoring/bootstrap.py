"""The difference of two rows of a table under random draws of tracks and seeds.

Tracks differ far more than models do, so two models are compared on the same tracks: both are
aggregated over the same random draws of tracks (with replacement), and the spread of the difference
over draws is its uncertainty. A median jumps from track to track, which spreads its draws too far.
So each drawn track is shifted by a little noise, the same for both models (a smoothed bootstrap,
Silverman's bandwidth), and the draws are centered on the difference itself. Neither changes means.

A bootstrap of few tracks is too narrow. Following Hesterberg (2015, "What teachers should know
about the bootstrap", The American Statistician 69), its percentiles are those of Student's t with
n - 1 degrees of freedom, widened by sqrt(n / (n - 1)). No p is below 2^(1 - n), the smallest that
exchanging the two models on n tracks can give; fewer than six tracks have no interval.

Where rows have several seeds, the noise of other seeds is added to the draws: its spread is pooled
over all rows, drawn with the uncertainty that the number of seeds leaves, and divided by the root
of the number of a row's seeds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from upsampling.scoring import aggregation

LEVEL = 0.05

# Scores, tracks by sources: one frame per seed.
SeedScores = Sequence[pd.DataFrame]


@dataclass(frozen=True)
class Sampling:
    """Draws of `tracks`: their `indices`, `[draws, tracks]`, and a `shift` of each in dB.

    `shift` is `[sources, draws, tracks]`. Rows that are compared get the same draws.
    """

    tracks: tuple[str, ...]
    sources: tuple[str, ...]
    indices: np.ndarray
    shift: np.ndarray

    @classmethod
    def of(
        cls,
        rows: Mapping[str, SeedScores],
        tracks: tuple[str, ...],
        sources: Sequence[str],
        draws: int,
        seed: int,
    ) -> "Sampling":
        """Draw from `tracks`; the bandwidth of the shift comes from all rows that have them."""
        count = len(tracks)
        rng = np.random.default_rng([seed, count])
        indices = rng.integers(0, max(count, 1), (draws, count))
        shift = rng.standard_normal((len(sources), draws, count))
        complete = [f for frames in rows.values() for f in frames if {*tracks} <= {*f.index}]
        scores = pd.concat([f.reindex(tracks, columns=list(sources)) for f in complete])
        quartiles = scores.quantile([0.25, 0.75]).to_numpy(dtype=np.float64)
        width = np.fmin(scores.std().to_numpy(dtype=np.float64), np.diff(quartiles, axis=0) / 1.34)
        bandwidth = 0.9 * np.nan_to_num(width).reshape(-1, 1, 1) * max(count, 1) ** -0.2
        return cls(tracks, tuple(sources), indices, bandwidth * shift)

    def aggregates(self, frames: SeedScores, by: str) -> np.ndarray:
        """A row's aggregate over `tracks` themselves, then over each draw, `[1 + draws]`, in dB.

        It is the mean over the row's seeds; `frames` has the scores of each.
        """
        if not self.tracks:
            return np.full(1 + len(self.indices), np.nan)
        statistic = aggregation.aggregation(by).tracks
        aggregates = []
        for frame in frames:
            scores = frame.reindex(list(self.tracks), columns=list(self.sources))
            for values, shift in zip(scores.to_numpy(np.float64).T, self.shift, strict=True):
                drawn = np.vstack([values, values[self.indices] + shift])
                aggregates.append(average(drawn, statistic))
        return np.mean(aggregates, axis=0)


def average(values: np.ndarray, statistic: str) -> np.ndarray:
    """Median or mean of each row of `[draws, tracks]` without NaN; NaN for a row of NaN only."""
    count = (~np.isnan(values)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        if statistic == "mean":
            return np.nansum(values, axis=1) / count
        middle = np.maximum(np.stack([(count - 1) // 2, count // 2], axis=1), 0)
        ranked = np.take_along_axis(np.sort(values, axis=1), middle, axis=1)
        return np.where(count > 0, ranked.mean(axis=1), np.nan)


def seed_noise(
    rows: Mapping[str, SeedScores], sources: Sequence[str], by: str, draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Noise that other seeds would add to each row's mean, `[draws]` in dB; zeros if none has two.

    The spread itself is drawn with each draw, from its distribution given the degrees of freedom.
    """
    spread = seed_spread(rows, sources, by)
    freedom = sum(len(frames) - 1 for frames in rows.values())
    rng = np.random.default_rng([seed, freedom, 1])
    spreads = np.zeros(draws)
    if not np.isnan(spread):
        spreads = spread * np.sqrt(freedom / rng.chisquare(freedom, draws))
    return {
        key: spreads * rng.standard_normal(draws) / np.sqrt(len(frames))
        for key, frames in rows.items()
    }


def seed_spread(
    rows: Mapping[str, SeedScores], sources: Sequence[str], by: str = "median"
) -> float:
    """Standard deviation of the aggregate over seeds, pooled over rows; NaN if none has two."""
    return pooled_spread(
        [aggregation.overall(aggregation.over_tracks(frame, by), sources) for frame in frames]
        for frames in rows.values()
    )


def pooled_spread(groups: Iterable[Sequence[float]]) -> float:
    """Standard deviation within groups, pooled by degrees of freedom; NaN if no group has any."""
    several = [np.asarray(group, dtype=np.float64) for group in groups if len(group) > 1]
    if not several:
        return float("nan")
    squares = sum(float(np.square(group - group.mean()).sum()) for group in several)
    return float(np.sqrt(squares / sum(len(group) - 1 for group in several)))


def interval(difference: np.ndarray, tracks: int) -> dict[str, float]:
    """Interval and two-sided p of the difference `difference[0]`, from its draws after it."""
    point, draws = float(difference[0]), difference[1:]
    draws = draws[~np.isnan(draws)]
    smallest_p = 2.0 ** (1 - tracks)
    result = {"difference": point, "low": np.nan, "high": np.nan, "p": np.nan}
    if tracks < 2 or np.isnan(point) or not len(draws):
        return result
    draws = draws + (point - draws.mean())
    widening = np.sqrt(tracks / (tracks - 1))
    if smallest_p < LEVEL:
        tail = stats.norm.cdf(widening * stats.t.ppf(LEVEL / 2, tracks - 1))
        result["low"], result["high"] = np.quantile(draws, [tail, 1 - tail]).tolist()
    beyond = min((draws <= 0).sum(), (draws >= 0).sum()) + 1
    share = min(beyond / (len(draws) + 1), 0.5)
    p = 2 * stats.t.cdf(stats.norm.ppf(share) / widening, tracks - 1)
    return result | {"p": max(float(p), smallest_p)}
