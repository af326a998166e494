"""Significant differences among the rows of a table: all pairs, Holm's correction, letters.

`bootstrap` has the interval and p of one difference.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from string import ascii_letters

import numpy as np
import pandas as pd
from scipy import stats

from upsampling.errors import UserError
from upsampling.files import read_table
from upsampling.scoring.bootstrap import LEVEL, Sampling, SeedScores, interval, seed_noise

DRAWS = 10_000
NUMBERS = ["difference", "low", "high", "p", "p_corrected"]
COMPARISON_COLUMNS = ["first", "second", "tracks", *NUMBERS, "differs"]


def compare(
    rows: Mapping[str, SeedScores],
    sources: Sequence[str],
    by: str = "median",
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare every two rows; return one line per pair with `COMPARISON_COLUMNS`.

    `rows` holds per row and seed a frame of scores in dB, tracks by sources, as
    `aggregation.track_scores` gives them without the origin. `difference` is first minus second,
    aggregated `by`, averaged over seeds, on the tracks that all seeds of both have; `low` and
    `high` bound its 95 % interval. A pair without a common track has NaN, and the correction does
    not count it.
    """
    for key, frames in rows.items():
        for frame in frames:
            if frame.index.has_duplicates:
                name = frame.index[frame.index.duplicated()][0]
                raise UserError(f"row '{key}' has two tracks called '{name}'")
    noise = seed_noise(rows, sources, by, draws, seed)
    sampling = cache(lambda tracks: Sampling.of(rows, tracks, sources, draws, seed))
    aggregates = cache(lambda key, tracks: sampling(tracks).aggregates(rows[key], by))
    pairs = []
    for first, second in combinations(rows, 2):
        frames = [*rows[first], *rows[second]]
        tracks = tuple(sorted(set.intersection(*(set(frame.index) for frame in frames))))
        difference = aggregates(first, tracks) - aggregates(second, tracks)
        difference[1:] += noise[first] - noise[second]
        pair = {"first": first, "second": second, "tracks": len(tracks)}
        pairs.append(pair | interval(difference, len(tracks)))
    table = pd.DataFrame(pairs, columns=COMPARISON_COLUMNS)
    table["p_corrected"] = holm(table["p"].to_numpy(dtype=np.float64))
    table["differs"] = table["p_corrected"] < LEVEL
    return table


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's correction of `p` `[pairs]` for their number; NaN stay NaN and do not count."""
    corrected = np.full(len(p), np.nan)
    order = np.argsort(p)[: int((~np.isnan(p)).sum())]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * factors))
    return corrected


def read_comparisons(path: str | Path) -> pd.DataFrame:
    """Read the table of `compare` from a CSV; a missing column is a `UserError`."""
    types = {"first": str, "second": str, "tracks": int, **dict.fromkeys(NUMBERS, float)}
    return read_table(
        path,
        types | {"differs": bool},
        may_be_empty=True,
        keep_default_na=False,
        na_values={name: ["nan"] for name in NUMBERS},
    )


def tidy(rows: Mapping[str, SeedScores]) -> pd.DataFrame:
    """The compared scores, one per line: row, number of the seed, track, source, value."""
    parts = [
        frame.reset_index(names="track").melt("track", var_name="source").assign(row=key, seed=n)
        for key, frames in rows.items()
        for n, frame in enumerate(frames)
    ]
    columns = ["row", "seed", "track", "source", "value"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def letters(ranked: Sequence[str], comparisons: pd.DataFrame) -> dict[str, str]:
    """Letters for rows in the order `ranked`: rows that share one do not differ significantly.

    Each letter stands for one maximal set of rows of which no two differ; sets of better rows come
    first in the alphabet. A row that was compared with no other has no letter.
    """
    import networkx

    among = comparisons["first"].isin(ranked) & comparisons["second"].isin(ranked)
    pairs = comparisons[among & comparisons["p"].notna()]
    compared = [key for key in ranked if key in {*pairs["first"], *pairs["second"]}]
    alike = networkx.Graph()
    alike.add_nodes_from(compared)
    alike.add_edges_from(pairs.loc[~pairs["differs"], ["first", "second"]].to_numpy())
    sets = sorted(sorted(map(compared.index, members)) for members in networkx.find_cliques(alike))
    return {
        key: "".join(letter(n) for n, members in enumerate(sets) if place in members)
        for place, key in enumerate(compared)
    }


def letter(number: int) -> str:
    """The name of set `number`: a to z, A to Z, then numbers in parentheses."""
    return ascii_letters[number] if number < len(ascii_letters) else f"({number + 1})"


def seeds_needed(difference: float, spread: float, power: float = 0.8) -> int:
    """Seeds per row that find a `difference` (dB) if seeds have the standard deviation `spread`.

    The smallest n of two groups for which a two-sided t-test at 5 % has the `power`; at least 2.
    """
    quantiles = stats.norm.ppf(1 - LEVEL / 2) + stats.norm.ppf(power)
    # A t-test needs at least as many as a test whose spread is known.
    n = max(2, int(2 * (quantiles * spread / difference) ** 2))
    while True:
        freedom = 2 * n - 2
        offset = difference / max(spread, 1e-9) * np.sqrt(n / 2)
        threshold = stats.t.ppf(1 - LEVEL / 2, freedom)
        if offset > 30 or stats.nct.sf(threshold, freedom, offset) >= power:
            return n
        n += 1
