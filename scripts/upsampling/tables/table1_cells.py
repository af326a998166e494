"""Table 1 as a reader sees it: cells rounded once for all formats, caption and footnotes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from upsampling.scoring.aggregation import aggregation
from upsampling.scoring.bootstrap import LEVEL
from upsampling.scoring.significance import seeds_needed
from upsampling.tables.captions import Description, counted, extent
from upsampling.tables.formats import in_all_formats
from upsampling.tables.sheet import MISSING, Column, Sheet
from upsampling.tables.table1 import SOURCES

MEBI = 2**20
MARKS = "†‡§¶"
# Standard deviation in dB of five published runs of Demucs that differ in the seed alone, scored
# by its authors and aggregated as in the paper.
PUBLISHED_SEED_SPREAD = 0.084
SHOWN_DIFFERENCES = (0.5, 0.2, 0.1)


def render(table: pd.DataFrame, scale: str, description: Description) -> dict[str, str]:
    """The table's text by file name suffix: csv at full precision, md, tex and html rounded."""
    return in_all_formats(table, sheet(table, scale, description))


def sheet(table: pd.DataFrame, scale: str, description: Description) -> Sheet:
    """The table as text cells, rounded once for all formats, with its caption and footnotes."""
    notes: list[str] = []
    cells = [row_cells(row, notes) for row in table.to_dict("records")]
    columns = [
        Column("Model", "", numeric=False),
        Column("SDR (dB)", "Measured"),
        Column("group", "Measured", numeric=False),
        *[Column(head, "Measured") for head in ("drums", "bass", "other", "vocals")],
        *[Column(head, "Measured") for head in ("real track", "seeds", "s per epoch")],
        Column("parameters", "Measured"),
        Column("at paper width", "Measured", numeric=False),
        *[Column(head, "Printed in the paper") for head in ("SDR (dB)", "s per epoch")],
        Column("parameters", "Printed in the paper", numeric=False),
    ]
    empty = {
        "group": not table["group"].any(),
        "real track": not table["sdr_real_track"].notna().any(),
    }
    shown = [i for i, column in enumerate(columns) if not empty.get(column.head)]
    return Sheet(
        columns=[columns[i] for i in shown],
        cells=[[row[i] for i in shown] for row in cells],
        trained=(table["variant"] != "").tolist(),
        caption=caption(table, scale, description),
        footnotes=[*zip(MARKS, notes, strict=False), *(("", text) for text in footnotes(table))],
        bold={(row, 1) for row, best in enumerate(table["best"]) if best},
    )


def footnotes(table: pd.DataFrame) -> list[str]:
    """Footnotes to the whole table, apart from those to single numbers."""
    texts = []
    if table["group"].any():
        texts += [group_note(table), seeds_note(table)]
    texts.append(
        "Parameters: the paper counts those of its upper rows in units of M = 2²⁰ = 1,048,576; "
        "the 648M of Demucs is a decimal figure. At paper width: counted at the paper's "
        "channels, rounded as the paper does and exact."
    )
    for row in table[table["variant"] == ""].to_dict("records"):
        source = row["source"] or "no source given"
        if pd.notna(row["sdr"]):
            source += "; measured columns: its published scores, aggregated here"
        texts.append(f"{row['label']}: {source}.")
    scored = table.dropna(subset="tracks").set_index("label")["tracks"]
    if scored.nunique() > 1:
        counts = "; ".join(f"{label}: {tracks}" for label, tracks in scored.items())
        texts.append(f"Not all rows have scores of the same tracks: {counts}.")
    if table["sdr_real_track"].notna().any():
        texts.append("Real track: SDR of the recording that is scored beside the test set.")
    return texts


def group_note(table: pd.DataFrame) -> str:
    """Footnote on the letters of `group`: their meaning and the test behind them."""
    compared = table[table["group"] != ""]
    tracks, pairs = int(compared["tracks"].max()), len(compared) * (len(compared) - 1) // 2
    text = (
        "Group: rows that share a letter cannot be told apart (paired bootstrap over tracks, "
        f"Holm's correction for {counted(pairs, 'pair')}, "
        f"{LEVEL:.0%}). The best SDR is bold only where it differs from all others."
    )
    if 2.0 ** (1 - tracks) * pairs >= LEVEL:
        text += f" {counted(tracks, 'test track')} cannot show any difference."
    return text


def seeds_note(table: pd.DataFrame) -> str:
    """Footnote on the seeds that a difference needs, given the spread over seeds alone."""
    several = table[table["sdr_spread"].notna()]
    if len(several):
        freedom = (several["seeds"] - 1).astype(float)
        spread = float(np.sqrt((several["sdr_spread"] ** 2 * freedom).sum() / freedom.sum()))
        origin = "pooled over the rows with several seeds"
    else:
        spread, origin = PUBLISHED_SEED_SPREAD, "five published runs of Demucs"
    needed = [str(seeds_needed(difference, spread)) for difference in SHOWN_DIFFERENCES]
    text = (
        f"Seeds alone change SDR by {spread:.3f} dB (standard deviation, {origin}): to show a "
        f"difference of {listed([f'{d:g}' for d in SHOWN_DIFFERENCES])} dB between two models "
        f"takes {listed(needed)} seeds of each."
    )
    if not len(several):
        text += " With one seed per row, it is these runs that differ or not, not the models."
    return text


def listed(words: list[str]) -> str:
    """'a, b or c'."""
    return f"{', '.join(words[:-1])} or {words[-1]}"


def row_cells(row: Mapping[Any, Any], notes: list[str]) -> list[str]:
    """Text of one row; its footnote, if any, is appended to `notes`."""
    printed = decimals(row["printed_sdr"])
    if row["note"]:
        if row["note"] not in notes:
            notes.append(row["note"])
        printed += MARKS[notes.index(row["note"]) % len(MARKS)]
    sdr = decimals(row["sdr"])
    if pd.notna(row["sdr_spread"]):
        sdr += f" ± {decimals(row['sdr_spread'])}"
    at_width = MISSING
    if pd.notna(row["parameters_paper"]):
        at_width = f"{in_mebi(row['parameters_paper'])} ({whole(row['parameters_paper'])})"
    return [
        row["label"],
        sdr,
        row["group"] or MISSING,
        *[decimals(row[f"sdr_{source}"]) for source in SOURCES],
        decimals(row["sdr_real_track"]),
        whole(row["seeds"]),
        seconds_text(row["epoch_seconds"]),
        whole(row["parameters"]),
        at_width,
        printed,
        seconds_text(row["printed_epoch_seconds"]),
        row["printed_parameters"] or MISSING,
    ]


def caption(table: pd.DataFrame, scale: str, description: Description) -> str:
    """The caption: content, scale, and a warning where the paper is not comparable."""
    facts = [description.data_set] if description.data_set else []
    scored = table["tracks"].max()
    tracks = description.test_tracks if description.test_tracks is not None else scored
    if tracks is not None and pd.notna(tracks):
        facts.append(counted(tracks, "test track"))
    facts += extent(description)
    text = (
        "Demucs-like models with different upsamplers (top), against the state of the art as the "
        "paper printed it (bottom). SDR (dB): the higher the better; "
        f"{aggregation(description.aggregation).words}, ± standard deviation over seeds. Measured "
        f"at {scale} scale{': ' if facts else ''}{', '.join(facts)}"
    )
    return f"{text}." if scale == "paper" else f"{text}; not comparable with the paper."


def decimals(value: float) -> str:
    """Two decimals, as the paper prints SDR."""
    return MISSING if pd.isna(value) else f"{value:.2f}"


def seconds_text(value: float) -> str:
    """Whole seconds from 100 on, three significant digits below."""
    if pd.isna(value):
        return MISSING
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def whole(value: Any) -> str:
    """An integer with separators between thousands."""
    return MISSING if pd.isna(value) else f"{int(value):,}"


def in_mebi(count: int) -> str:
    """A parameter count as in the upper rows of Table 1: units of 2^20, two digits or more."""
    units = int(count) / MEBI
    return f"{units:.0f}M" if units >= 9.95 else f"{units:.1f}M"
