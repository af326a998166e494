"""Table 1: scores, training time and size of each upsampler, beside what the paper printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from upsampling.scoring import aggregation
from upsampling.settings import UserError, from_mapping

SOURCES = ("drums", "bass", "other", "vocals")
COLUMNS = [
    "variant", "label", "sdr", "sdr_spread", "sdr_bass", "sdr_drums", "sdr_other", "sdr_vocals",
    "sdr_real_track", "tracks", "seeds", "epoch_seconds", "parameters", "parameters_paper",
    "printed_sdr", "printed_epoch_seconds", "printed_parameters", "note", "source",
]  # fmt: skip
# Origin of a recording that is scored beside the test set proper, and reported apart from it.
REAL_TRACK = "real"


@dataclass(frozen=True)
class Printed:
    """What the paper printed in one row."""

    sdr: float | None = None
    epoch_seconds: float | None = None
    parameters: str | None = None


@dataclass(frozen=True)
class Row:
    """One row, in the paper's order: a trained variant, or literature (no `variant`).

    `note` becomes a footnote to the printed SDR.
    """

    label: str
    variant: str = ""
    trained: bool = True
    source: str = ""
    note: str = ""
    paper: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Measurements:
    """All that was measured, by variant; the first two hold one frame or series per seed.

    `scores` are tidy, `timings` seconds of each epoch, `parameters` the numbers of the model that
    was scored ("parameters") and of the same at the paper's width ("parameters_paper").
    """

    scores: dict[str, dict[str, pd.DataFrame]]
    timings: dict[str, dict[str, pd.Series]]
    parameters: dict[str, dict[str, int]]


def read_rows(entries: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Build the rows from JSON, in order."""
    return [from_mapping(Row, entry, f"table row {n}") for n, entry in enumerate(entries, 1)]


def read_timing(path: str | Path) -> pd.Series:
    """Seconds of each epoch, from the column `seconds` of a CSV."""
    try:
        return pd.read_csv(path)["seconds"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: no column 'seconds' could be read: {error}") from error


def table1(rows: Sequence[Row], measured: Measurements) -> pd.DataFrame:
    """One record per row with the columns `COLUMNS`, at full precision; NaN or '' where unknown.

    `sdr` (dB) is the paper's aggregate, averaged over seeds; `sdr_spread` is its standard
    deviation over seeds. A real recording beside synthetic test songs counts in neither, nor in
    `tracks`, but in `sdr_real_track` alone.
    `epoch_seconds` is the median over epochs and seeds. Variants that are not trained have no row.
    Raises `UserError` for a trained variant without scores, and for scores without a row.
    """
    given = {*measured.scores, *measured.timings, *measured.parameters}
    if unknown := given - {row.variant for row in rows}:
        raise UserError(f"table: no row has the variant {', '.join(sorted(unknown))}")
    records = []
    for row in rows:
        if row.variant and not row.trained:
            continue
        paper = from_mapping(Printed, row.paper or {}, f"table row '{row.label}': paper")
        record: dict[str, Any] = {
            "variant": row.variant,
            "label": row.label,
            "printed_sdr": paper.sdr,
            "printed_epoch_seconds": paper.epoch_seconds,
            "printed_parameters": "" if paper.parameters is None else str(paper.parameters),
            "note": row.note,
            "source": row.source or ("trained here" if row.variant else ""),
        }
        if row.variant:
            record |= measurements(row.variant, measured)
        records.append(record)
    frame = pd.DataFrame(records, columns=COLUMNS)
    whole = ["tracks", "seeds", "parameters", "parameters_paper"]
    frame[whole] = frame[whole].astype("Int64")
    real = [name for name in COLUMNS if name.startswith("sdr") or name.endswith("_sdr")]
    real += ["epoch_seconds", "printed_epoch_seconds"]
    frame[real] = frame[real].astype("float64")
    return frame


def measurements(variant: str, measured: Measurements) -> dict[str, Any]:
    """The measured columns of one variant."""
    seeds = list(measured.scores.get(variant, {}).values())
    if not seeds:
        raise UserError(
            f"table: variant '{variant}' is marked as trained, but no scores are given for it"
        )
    main, apart = zip(*(split_origins(scores) for scores in seeds), strict=True)
    by_source = [aggregation.source_scores(scores) for scores in main]
    sdr, spread = aggregation.over_seeds(aggregation.overall(s, SOURCES) for s in by_source)
    real = [aggregation.overall(aggregation.source_scores(s), SOURCES) for s in apart if len(s)]
    seconds = list(measured.timings.get(variant, {}).values())
    return {
        "sdr": sdr,
        "sdr_spread": spread,
        **{
            f"sdr_{source}": aggregation.over_seeds(s.get(source, np.nan) for s in by_source)[0]
            for source in SOURCES
        },
        "sdr_real_track": aggregation.over_seeds(real)[0],
        "tracks": len(main[0][["origin", "track"]].drop_duplicates()),
        "seeds": len(seeds),
        "epoch_seconds": float(pd.concat(seconds).median()) if seconds else np.nan,
        **measured.parameters.get(variant, {}),
    }


def split_origins(scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part scores into those of the test set proper and those of a real track beside it."""
    apart = scores["origin"] == REAL_TRACK
    return (scores, scores[:0]) if apart.all() else (scores[~apart], scores[apart])
