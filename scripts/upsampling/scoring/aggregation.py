"""From per-frame scores to the numbers of Table 1.

Footnote 3: "for every source, we report the median over all tracks of the median SDR over each
test track"; Table 1 prints the average of these over the four sources. NaN frames (a source was
silent) are left out, as in museval. Two other aggregations that are in use can be chosen instead.

Scores are the tidy frame that `score_files.read_scores` returns: track, origin, source, frame,
metric, value.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from upsampling.errors import UserError, nearest_match
from upsampling.scoring.bsseval import WHOLE_TRACK

# Origin of a recording that is scored with the test set, and reported separately.
REAL_TRACK = "real"


@dataclass(frozen=True)
class Aggregation:
    """A metric, its statistics over frames and then over tracks, and a description."""

    metric: str
    frames: str
    tracks: str
    words: str


AGGREGATIONS = {
    "median": Aggregation(
        "SDR", "median", "median", "median over frames, median over tracks, mean over four sources"
    ),
    "mean": Aggregation(
        "SDR", "mean", "mean", "mean over frames, mean over tracks, mean over four sources"
    ),
    "whole_track": Aggregation(
        WHOLE_TRACK, "mean", "mean", "one SDR per whole track, mean over tracks and four sources"
    ),
}


def aggregation(name: str) -> Aggregation:
    """Look up an aggregation; an unknown one is a `UserError`."""
    if name not in AGGREGATIONS:
        raise UserError(
            f"evaluation.aggregation: unknown aggregation '{name}'"
            f"{nearest_match(name, AGGREGATIONS)}; choose from {', '.join(AGGREGATIONS)}"
        )
    return AGGREGATIONS[name]


def track_scores(scores: pd.DataFrame, by: str = "median") -> pd.DataFrame:
    """One value per track and source: rows (origin, track), columns sources."""
    statistics = aggregation(by)
    rows = scores[scores["metric"] == statistics.metric]
    values = rows.groupby(["origin", "track", "source"])["value"].agg(statistics.frames)
    return values.unstack("source")


def source_scores(scores: pd.DataFrame, by: str = "median") -> pd.Series:
    """One value per source, over all tracks."""
    return over_tracks(track_scores(scores, by), by)


def over_tracks(values: pd.DataFrame, by: str = "median") -> pd.Series:
    """One value per source, from the values per track and source of `track_scores`."""
    return values.agg(aggregation(by).tracks)


def overall(by_source: pd.Series, sources: Iterable[str]) -> float:
    """Mean over `sources`, as Table 1 prints it; NaN unless each has a score."""
    return float(by_source.reindex(list(sources)).mean(skipna=False))


def over_seeds(values: Iterable[float]) -> tuple[float, float]:
    """Mean and standard deviation (ddof 1) over seeds; the deviation of one seed is NaN."""
    series = pd.Series(list(values), dtype=np.float64)
    return float(series.mean(skipna=False)), float(series.std(skipna=False))


def split_origins(scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split scores into those of the test set and those of a real track added to it."""
    real = scores["origin"] == REAL_TRACK
    return (scores, scores[:0]) if real.all() else (scores[~real], scores[real])
