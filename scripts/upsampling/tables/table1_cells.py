"""Table 1 as a reader sees it: cells rounded once for all formats, caption and footnotes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from upsampling.scoring.aggregation import aggregation
from upsampling.scoring.bootstrap import LEVEL
from upsampling.scoring.published import SOURCES
from upsampling.scoring.significance import seeds_needed
from upsampling.tables.captions import Description, counted, extent
from upsampling.tables.formats import in_all_formats
from upsampling.tables.latex import latex
from upsampling.tables.sheet import MISSING, Column, Sheet
from upsampling.tables.table1 import TRAINED_HERE

MEBI = 2**20
MARKS = "†‡§¶"
# Standard deviation in dB of five published runs of Demucs that differ in the seed alone, scored
# by its authors and aggregated as in the paper.
PUBLISHED_SEED_SPREAD = 0.084
SHOWN_DIFFERENCES = (0.5, 0.2, 0.1)

NAME = ("label", Column("Model", "", numeric=False))
SCORES = [
    ("sdr", Column("SDR (dB)", "Measured")),
    ("group", Column("group", "Measured", numeric=False)),
    *[(source, Column(source, "Measured")) for source in SOURCES],
    ("real_track", Column("real track", "Measured")),
    ("seeds", Column("seeds", "Measured")),
]
COUNTS = [
    ("parameters", Column("parameters", "Measured")),
    ("at_width", Column("at paper width", "Measured", numeric=False)),
]
# All columns; those of the paper's form, which fits one column of its pages; all others.
WHOLE = [
    NAME,
    *SCORES,
    ("epoch_seconds", Column("s per epoch", "Measured")),
    *COUNTS,
    ("printed_sdr", Column("SDR (dB)", "Printed in the paper")),
    ("printed_epoch_seconds", Column("s per epoch", "Printed in the paper")),
    ("printed_parameters", Column("parameters", "Printed in the paper", numeric=False)),
]
PAPER = [
    NAME,
    ("mean_sdr", Column("here", "SDR (dB)")),
    ("printed_sdr", Column("paper", "SDR (dB)")),
    ("epoch_seconds", Column("here", "s per epoch")),
    ("printed_epoch_seconds", Column("paper", "s per epoch")),
    ("rounded_parameters", Column("here", "parameters", numeric=False)),
    ("printed_parameters", Column("paper", "parameters", numeric=False)),
]
SOURCES_FORM = [NAME, *SCORES, *COUNTS]


def render(
    table: pd.DataFrame, scale: str, description: Description, statements: str = ""
) -> dict[str, str]:
    """The table's text by format: csv at full precision, md, html, tex and sources_tex rounded.

    `statements` is the footnote on the statements of Sec. 6.
    """
    text = caption(table, scale, description, "± standard deviation over seeds")
    means = caption(table, scale, description, "mean over seeds")
    about_rows, about_sources = row_notes(table, statements), source_notes(table)
    whole = sheet(table, WHOLE, text, [*about_rows, *about_sources])
    sources = f"Scores per source and sizes of the models of Table 1. {text}"
    one_column = latex(sheet(table, PAPER, means, about_rows), columns=1)
    further = sheet(table, SOURCES_FORM, sources, about_sources, title="Table 1 sources")
    return in_all_formats(table, whole, one_column) | {"sources_tex": latex(further)}


def sheet(
    table: pd.DataFrame,
    form: list[tuple[str, Column]],
    caption: str,
    footnotes: list[str],
    title: str = "Table 1",
) -> Sheet:
    """The table in one form as text cells, without optional columns that are empty."""
    notes = list(dict.fromkeys(filter(None, table["note"])))
    cells = [row_cells(row, notes) for row in table.to_dict("records")]
    empty = {
        "group": not table["group"].any(),
        "real_track": not table["sdr_real_track"].notna().any(),
    }
    shown = [(key, column) for key, column in form if not empty.get(key)]
    keys = [key for key, _ in shown]
    marks = zip(MARKS, notes, strict=False) if "printed_sdr" in keys else ()
    return Sheet(
        columns=[column for _, column in shown],
        cells=[[row[key] for key in keys] for row in cells],
        trained=(table["variant"] != "").tolist(),
        caption=caption,
        footnotes=[*marks, *(("", text) for text in footnotes)],
        # The SDR is in the first column after the names.
        bold={(row, 1) for row, best in enumerate(table["best"]) if best},
        title=title,
    )


def row_notes(table: pd.DataFrame, statements: str) -> list[str]:
    """Footnotes to the table as the paper has it, apart from those to single numbers."""
    texts = [statements] if statements else []
    texts.append(
        "Parameters: the paper counts those of its upper rows in units of M = 2²⁰ = 1,048,576; "
        "the 648M of Demucs is a decimal figure."
    )
    for row in table[table["source"] != TRAINED_HERE].to_dict("records"):
        source = row["source"] or "no source given"
        if not row["variant"] and pd.notna(row["sdr"]):
            source += "; measured columns: its published scores, aggregated here"
        texts.append(f"{row['label']}: {source}.")
    return texts


def source_notes(table: pd.DataFrame) -> list[str]:
    """Footnotes to the columns beyond the paper's."""
    texts = []
    if table["group"].any():
        texts += [group_note(table), seeds_note(table)]
    texts.append(
        "At paper width: parameters at the paper's channels, rounded as the paper does and exact."
    )
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


def row_cells(row: Mapping[Any, Any], notes: list[str]) -> dict[str, str]:
    """Text of one row by column; `notes` are the footnotes to the printed SDR of all rows."""
    printed = decimals(row["printed_sdr"])
    if row["note"]:
        printed += MARKS[notes.index(row["note"]) % len(MARKS)]
    mean = decimals(row["sdr"])
    spread = f" ± {decimals(row['sdr_spread'])}" if pd.notna(row["sdr_spread"]) else ""
    at_width = in_mebi(row["parameters_paper"])
    if at_width != MISSING:
        at_width += f" ({whole(row['parameters_paper'])})"
    return {
        "label": row["label"],
        "mean_sdr": mean,
        "sdr": mean + spread,
        "group": row["group"] or MISSING,
        **{source: decimals(row[f"sdr_{source}"]) for source in SOURCES},
        "real_track": decimals(row["sdr_real_track"]),
        "seeds": whole(row["seeds"]),
        "epoch_seconds": seconds_text(row["epoch_seconds"]),
        "parameters": whole(row["parameters"]),
        "rounded_parameters": in_mebi(row["parameters"]),
        "at_width": at_width,
        "printed_sdr": printed,
        "printed_epoch_seconds": seconds_text(row["printed_epoch_seconds"]),
        "printed_parameters": row["printed_parameters"] or MISSING,
    }


def caption(table: pd.DataFrame, scale: str, description: Description, seeds: str) -> str:
    """The caption: content, scale, and a warning where the paper is not comparable.

    `seeds` names the statistics over seeds.
    """
    facts = [description.data_set] if description.data_set else []
    scored = table["tracks"].max()
    tracks = description.test_tracks if description.test_tracks is not None else scored
    if tracks is not None and pd.notna(tracks):
        facts.append(counted(tracks, "test track"))
    facts += extent(description)
    text = (
        "Demucs-like models with different upsamplers (top), against the state of the art as the "
        "paper printed it (bottom). SDR (dB): the higher the better; "
        f"{aggregation(description.aggregation).words}, {seeds}. Measured "
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


def in_mebi(count: Any) -> str:
    """A parameter count as in the upper rows of Table 1: units of 2^20, two digits or more."""
    if pd.isna(count):
        return MISSING
    units = int(count) / MEBI
    return f"{units:.0f}M" if units >= 9.95 else f"{units:.1f}M"
