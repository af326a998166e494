"""From per-frame scores to the numbers of Table 1.

Footnote 3: "for every source, we report the median over all tracks of the median SDR over each
test track"; Table 1 prints the average of these over the four sources. NaN frames (a source was
silent) are left out of the medians, as in museval.

Scores come as the tidy frame that `records.read_scores` returns: track, origin, source, frame,
metric, value.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd


def track_scores(scores: pd.DataFrame, metric: str = "SDR") -> pd.DataFrame:
    """Median over the frames of each track: rows (origin, track), columns sources."""
    chosen = scores[scores["metric"] == metric]
    medians = chosen.groupby(["origin", "track", "source"])["value"].median()
    return medians.unstack("source")


def source_scores(scores: pd.DataFrame, metric: str = "SDR") -> pd.Series:
    """Median over tracks of the median over frames, one value per source."""
    return track_scores(scores, metric).median()


def overall(by_source: pd.Series, sources: Iterable[str]) -> float:
    """Mean over `sources`, as Table 1 prints it; NaN unless each of them has a score."""
    return float(by_source.reindex(list(sources)).mean(skipna=False))


def over_seeds(values: Iterable[float]) -> tuple[float, float]:
    """Mean and standard deviation (ddof 1) over seeds; the deviation of one seed is NaN."""
    array = np.asarray(list(values), dtype=np.float64)
    if not len(array):
        return float("nan"), float("nan")
    spread = array.std(ddof=1) if len(array) > 1 else np.nan
    return float(array.mean()), float(spread)
