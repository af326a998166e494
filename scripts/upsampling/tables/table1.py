"""Table 1: scores, training time and size of each upsampler, beside the printed values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from upsampling.config.declared import read_settings
from upsampling.config.sections import Printed
from upsampling.errors import UserError
from upsampling.files import UNREADABLE, content_of, read_json, read_table
from upsampling.scoring import aggregation, significance
from upsampling.scoring.published import SOURCES, read_folder

T = TypeVar("T")

TABLE1_COLUMNS = [
    "variant", "label", "sdr", "sdr_spread", "sdr_bass", "sdr_drums", "sdr_other", "sdr_vocals",
    "sdr_real_track", "tracks", "seeds", "epoch_seconds", "parameters", "parameters_paper",
    "printed_sdr", "printed_epoch_seconds", "printed_parameters", "note", "source", "group", "best",
]  # fmt: skip
TRAINED_HERE = "trained here"
PARAMETER_COUNTS = ("parameters", "parameters_paper")
# Tidy scores of one run, as `score_files.read_scores` gives them.
Scores = pd.DataFrame


@dataclass(frozen=True)
class ScoreRow:
    """A row, in the paper's order: a variant, or literature (no `variant`).

    `family` and `original` place a variant among the upsamplers that Sec. 6 compares
    (`tables.plan`). `note` becomes a footnote to the printed SDR. `scores` names folders of
    published scores, one per seed, that fill a row of the literature. A variant that is not
    `trained` is repaired and has no seconds per epoch.
    """

    label: str
    variant: str = ""
    family: str = ""
    original: str = ""
    source: str = ""
    note: str = ""
    printed: Printed | None = None
    scores: tuple[str, ...] = ()
    trained: bool = True

    @property
    def key(self) -> str:
        """The row's name in comparisons: its variant, or its label in the literature."""
        return self.variant or self.label


def read_rows(entries: Sequence[Mapping[str, Any]]) -> list[ScoreRow]:
    """Build the rows from JSON, in order; two rows of one name are a `UserError`."""
    rows = [read_settings(ScoreRow, entry, f"table row {n}") for n, entry in enumerate(entries, 1)]
    keys = [row.key for row in rows]
    for key in keys:
        if keys.count(key) > 1:
            raise UserError(f"table: two rows are called '{key}'; change the label of one")
    return rows


def read_runs(
    rows: Sequence[ScoreRow], seeds: Sequence[int], pattern: str | None, read: Callable[[str], T]
) -> dict[str, dict[int, T]]:
    """Read the file of each variant and seed; `pattern` has {variant} and {seed}, None is none."""
    if pattern is None:
        return {}
    return {
        row.variant: {seed: read(pattern.format(variant=row.variant, seed=seed)) for seed in seeds}
        for row in rows
        if row.variant
    }


def read_parameters(
    rows: Sequence[ScoreRow], seeds: Sequence[int], patterns: Sequence[str | None]
) -> dict[str, dict[str, int]]:
    """Read the parameter counts of each variant from the JSON files of its first seed."""
    counts: dict[str, dict[str, int]] = {row.variant: {} for row in rows if row.variant}
    for pattern in filter(None, patterns):
        for variant, files in read_runs(rows, seeds[:1], pattern, read_json).items():
            content = files[seeds[0]]
            file = pattern.format(variant=variant, seed=seeds[0])
            with content_of(file):
                known = {key: content[key] for key in PARAMETER_COUNTS if key in content}
            if not known or not all(type(count) is int and count >= 0 for count in known.values()):
                raise UserError(f"{file} has no counts of parameters; {UNREADABLE}")
            counts[variant] |= known
    return counts


def scores_of_rows(
    rows: Sequence[ScoreRow], scores: Mapping[str, Mapping[int, Scores]]
) -> dict[str, list[Scores]]:
    """Scores per seed of each row that has any, measured or published, by the row's key."""
    by_row = {}
    for row in rows:
        runs = [*scores.get(row.variant, {}).values(), *map(read_folder, row.scores)]
        if runs:
            by_row[row.key] = runs
    return by_row


def track_scores(by_row: Mapping[str, Sequence[Scores]], by: str) -> dict[str, list[pd.DataFrame]]:
    """Per row and seed one value per track and source, without a real track beside the test set."""
    return {
        key: [
            aggregation.track_scores(aggregation.split_origins(scores)[0], by).droplevel("origin")
            for scores in runs
        ]
        for key, runs in by_row.items()
    }


def read_timing(path: str | Path) -> pd.Series:
    """Seconds of each epoch, from the column `seconds` of a CSV."""
    return read_table(path, {"seconds": float})["seconds"]


def table1(
    rows: Sequence[ScoreRow],
    scores: Mapping[str, Mapping[int, Scores]],
    timings: Mapping[str, Mapping[int, pd.Series]],
    parameters: Mapping[str, Mapping[str, int]],
    by: str = "median",
    comparisons: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The table with `TABLE1_COLUMNS`, at full precision; NaN or '' where unknown.

    By variant, `scores` are tidy and `timings` the seconds of each epoch, both by seed, too;
    `parameters` are counts of the model that was scored, and at the paper's width.

    `sdr` (dB) is aggregated `by`, averaged over seeds; `sdr_spread` is its standard deviation over
    seeds. A real recording beside synthetic test songs counts in neither, nor in `tracks`, but in
    `sdr_real_track` alone. `epoch_seconds` is the median over epochs and seeds. Rows that share a
    letter in `group` cannot be told apart by `comparisons`; `best` marks the row that differs from
    all others. Raises `UserError` for a variant without scores.
    """
    by_row = scores_of_rows(rows, scores)
    table_rows = []
    for row in rows:
        paper = row.printed or Printed()
        values: dict[str, Any] = {
            "variant": row.variant,
            "label": row.label,
            "printed_sdr": paper.sdr,
            "printed_epoch_seconds": paper.epoch_seconds,
            "printed_parameters": paper.parameters or "",
            "note": row.note,
            "source": row.source or (TRAINED_HERE if row.variant else ""),
        }
        if row.key in by_row:
            values |= score_columns(by_row[row.key], by)
        elif row.variant:
            raise UserError(
                f"table: no scores are given for variant '{row.variant}'; give --scores"
            )
        if row.variant:
            seconds = list(timings.get(row.variant, {}).values())
            values["epoch_seconds"] = float(pd.concat(seconds).median()) if seconds else np.nan
            values |= parameters.get(row.variant, {})
        table_rows.append(values)
    return marked(typed(pd.DataFrame(table_rows, columns=TABLE1_COLUMNS)), comparisons)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give counts the type Int64 and other numbers float64, even where all are missing."""
    whole = ["tracks", "seeds", *PARAMETER_COUNTS]
    real = [name for name in TABLE1_COLUMNS if "sdr" in name or "seconds" in name]
    return frame.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(real, "float64"))


def score_columns(runs: Sequence[Scores], by: str) -> dict[str, Any]:
    """The columns of one row that come from scores, given per seed."""
    main, apart = zip(*(aggregation.split_origins(scores) for scores in runs), strict=True)
    by_source = [aggregation.source_scores(scores, by) for scores in main]
    sdr, spread = aggregation.over_seeds(aggregation.overall(s, SOURCES) for s in by_source)
    real = [aggregation.overall(aggregation.source_scores(s, by), SOURCES) for s in apart if len(s)]
    return {
        "sdr": sdr,
        "sdr_spread": spread,
        **{
            f"sdr_{source}": aggregation.over_seeds(s.get(source, np.nan) for s in by_source)[0]
            for source in SOURCES
        },
        "sdr_real_track": aggregation.over_seeds(real)[0],
        "tracks": len(main[0][["origin", "track"]].drop_duplicates()),
        "seeds": len(runs),
    }


def marked(frame: pd.DataFrame, comparisons: pd.DataFrame | None) -> pd.DataFrame:
    """Fill `group` and `best` from the comparisons of the rows, if there are any."""
    keys = frame["variant"].where(frame["variant"] != "", frame["label"])
    groups: dict[str, str] = {}
    best = ""
    if comparisons is not None:
        ranked = keys[frame["sdr"].sort_values(ascending=False, kind="stable").index]
        groups = significance.letters(list(ranked), comparisons)
        first = next(iter(groups), "")
        pairs = comparisons[(comparisons["first"] == first) | (comparisons["second"] == first)]
        best = first if pairs["differs"].all() else ""
    frame["group"] = [groups.get(key, "") for key in keys]
    frame["best"] = [bool(best) and key == best for key in keys]
    return frame
