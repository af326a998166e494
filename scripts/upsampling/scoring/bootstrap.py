"""The difference of two rows of a table under random draws of tracks and seeds.

Tracks differ far more than models do, so two models are compared on the same tracks: both are
aggregated over the same random draws of tracks (with replacement), and the spread of the difference
over draws is its uncertainty. A median jumps from track to track; so that its draws do not spread
too far, each drawn track is shifted by a little noise, the same for both models (a smoothed
bootstrap, Silverman's bandwidth), and the draws are centred on the difference itself. Means do not
notice either.

A bootstrap of few tracks is too narrow. Following Hesterberg (2015, "What teachers should know
about the bootstrap", The American Statistician 69), its percentiles are taken where Student's t
with n - 1 degrees of freedom puts them, widened by sqrt(n / (n - 1)); and no p is below 2^(1 - n),
the least that exchanging the two models on n tracks could give: fewer than six have no interval.

Where rows have several seeds, what other seeds would have done is added to the draws: one spread
for all rows, as uncertain as the number of seeds leaves it, over the root of a row's seeds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from upsampling.scoring import aggregation

LEVEL = 0.05

# Tracks by sources, one frame per seed.
Seeds = Sequence[pd.DataFrame]


@dataclass(frozen=True)
class Sampling:
    """Draws of `tracks`: which are `chosen`, `[draws, tracks]`, and by how much they are shifted.

    `shift` is `[sources, draws, tracks]` in dB. Rows that are compared get the same draws.
    """

    tracks: tuple[str, ...]
    sources: tuple[str, ...]
    chosen: np.ndarray
    shift: np.ndarray

    @classmethod
    def of(
        cls,
        rows: Mapping[str, Seeds],
        tracks: tuple[str, ...],
        sources: Sequence[str],
        draws: int,
        seed: int,
    ) -> "Sampling":
        """Draw from `tracks`; the shift is as wide as their scores in all rows that have them."""
        count = len(tracks)
        rng = np.random.default_rng([seed, count])
        chosen = rng.integers(0, max(count, 1), (draws, count))
        shift = rng.standard_normal((len(sources), draws, count))
        complete = [f for frames in rows.values() for f in frames if {*tracks} <= {*f.index}]
        scores = pd.concat([f.reindex(tracks, columns=list(sources)) for f in complete])
        quartiles = scores.quantile([0.25, 0.75]).to_numpy(dtype=np.float64)
        width = np.fmin(scores.std().to_numpy(dtype=np.float64), np.diff(quartiles, axis=0) / 1.34)
        bandwidth = 0.9 * np.nan_to_num(width).reshape(-1, 1, 1) * max(count, 1) ** -0.2
        return cls(tracks, tuple(sources), chosen, bandwidth * shift)

    def aggregates(self, frames: Seeds, by: str) -> np.ndarray:
        """A row's aggregate over `tracks` themselves, then over each draw, `[1 + draws]`, in dB.

        It is averaged over the row's seeds, of which `frames` are the scores.
        """
        if not self.tracks:
            return np.full(1 + len(self.chosen), np.nan)
        how = aggregation.aggregation(by).tracks
        found = []
        for frame in frames:
            scores = frame.reindex(list(self.tracks), columns=list(self.sources))
            for values, shift in zip(scores.to_numpy(np.float64).T, self.shift, strict=True):
                whole = centre(values[None], how)
                found.append(np.append(whole, centre(values[self.chosen] + shift, how)))
        return np.mean(found, axis=0)


def centre(values: np.ndarray, how: str) -> np.ndarray:
    """Median or mean of each row of `[draws, tracks]`, NaN left out; that of none is NaN."""
    count = (~np.isnan(values)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        if how == "mean":
            return np.nansum(values, axis=1) / count
        ranked = np.sort(values, axis=1)[np.arange(len(values))[:, None], middle(count)]
        return np.where(count > 0, ranked.mean(axis=1), np.nan)


def middle(count: np.ndarray) -> np.ndarray:
    """Positions of the two middle ones of `count` sorted values each, `[draws, 2]`."""
    return np.maximum(np.stack([(count - 1) // 2, count // 2], axis=1), 0)


def seed_noise(
    rows: Mapping[str, Seeds], sources: Sequence[str], by: str, draws: int, seed: int
) -> dict[str, np.ndarray]:
    """What other seeds would add to each row's mean, `[draws]` in dB; zeros if none has two.

    The spread is drawn with each draw, from what its degrees of freedom leave open.
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


def seed_spread(rows: Mapping[str, Seeds], sources: Sequence[str], by: str = "median") -> float:
    """Standard deviation of the aggregate over seeds, pooled over rows; NaN if none has two."""
    scores = {
        key: [aggregation.overall(aggregation.over_tracks(frame, by), sources) for frame in frames]
        for key, frames in rows.items()
    }
    return pooled_spread(scores.values())


def pooled_spread(groups: Iterable[Sequence[float]]) -> float:
    """Standard deviation within groups, pooled by degrees of freedom; NaN if no group has any."""
    several = [np.asarray(group, dtype=np.float64) for group in groups if len(group) > 1]
    if not several:
        return float("nan")
    squares = sum(float(np.square(group - group.mean()).sum()) for group in several)
    return float(np.sqrt(squares / sum(len(group) - 1 for group in several)))


def judge(difference: np.ndarray, tracks: int) -> dict[str, float]:
    """Interval and two-sided p of a difference from its draws, `difference[0]` being itself."""
    point, draws = float(difference[0]), difference[1:]
    draws = draws[~np.isnan(draws)]
    least = 2.0 ** (1 - tracks)
    found = {"difference": point, "low": np.nan, "high": np.nan, "p": np.nan}
    if tracks < 2 or np.isnan(point) or not len(draws):
        return found
    draws = draws + (point - draws.mean())
    widening = np.sqrt(tracks / (tracks - 1))
    if least < LEVEL:
        tail = stats.norm.cdf(widening * stats.t.ppf(LEVEL / 2, tracks - 1))
        found["low"], found["high"] = np.quantile(draws, [tail, 1 - tail]).tolist()
    beyond = min((draws <= 0).sum(), (draws >= 0).sum()) + 1
    share = min(beyond / (len(draws) + 1), 0.5)
    p = 2 * stats.t.cdf(stats.norm.ppf(share) / widening, tracks - 1)
    return found | {"p": max(float(p), least)}
