"""Table 1 as a reader sees it: cells rounded once for all formats, caption and footnotes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from upsampling.paper.markup import Column, Sheet, html, latex, markdown
from upsampling.paper.tables import SOURCES

MEBI = 2**20
MARKS = "†‡§¶"
MISSING = "–"


@dataclass(frozen=True)
class Description:
    """What was trained on what, for the caption."""

    data_set: str = ""
    test_tracks: int | None = None
    epochs: int | None = None
    channels: int | None = None


def render(table: pd.DataFrame, scale: str, description: Description) -> dict[str, str]:
    """The table's text by file name suffix: csv at full precision, md, tex and html rounded."""
    rounded = sheet(table, scale, description)
    return {
        "csv": table.to_csv(index=False),
        "md": markdown(rounded),
        "tex": latex(rounded),
        "html": html(rounded),
    }


def sheet(table: pd.DataFrame, scale: str, description: Description) -> Sheet:
    """The table as text cells, rounded once for all formats, with its caption and footnotes."""
    notes: list[str] = []
    cells = [row_cells(record, notes) for record in table.to_dict("records")]
    footnotes = list(zip(MARKS, notes, strict=False))
    footnotes.append(
        (
            "",
            "Parameters: the paper counts those of its upper rows in units of M = 2²⁰ = 1,048,576; "
            "the 648M of Demucs is a decimal figure. At paper width: counted at the paper's "
            "channels, rounded as the paper does and exact.",
        )
    )
    for record in table[table["variant"] == ""].to_dict("records"):
        footnotes.append(("", f"{record['label']}: {record['source'] or 'no source given'}."))
    scored = table.dropna(subset="tracks").set_index("label")["tracks"]
    if scored.nunique() > 1:
        counts = "; ".join(f"{label}: {tracks}" for label, tracks in scored.items())
        footnotes.append(("", f"BSSEval could not score every track for every model: {counts}."))
    columns = [
        Column("Model", ""),
        *[Column(head, "Measured") for head in ("SDR (dB)", "drums", "bass", "other", "vocals")],
        Column("real track", "Measured"),
        *[Column(head, "Measured") for head in ("seeds", "s per epoch", "parameters")],
        Column("at paper width", "Measured"),
        *[Column(h, "Printed in the paper") for h in ("SDR (dB)", "s per epoch", "parameters")],
    ]
    if table["sdr_real_track"].notna().any():
        footnotes.append(
            ("", "Real track: SDR of the recording that is scored beside the test set.")
        )
    else:
        keep = [i for i, column in enumerate(columns) if column.head != "real track"]
        columns = [columns[i] for i in keep]
        cells = [[row[i] for i in keep] for row in cells]
    trained = (table["variant"] != "").tolist()
    return Sheet(columns, cells, trained, caption(table, scale, description), footnotes)


def row_cells(record: Mapping[Any, Any], notes: list[str]) -> list[str]:
    """Text of one row; its footnote, if any, is appended to `notes`."""
    printed = decimals(record["printed_sdr"])
    if record["note"]:
        if record["note"] not in notes:
            notes.append(record["note"])
        printed += MARKS[notes.index(record["note"]) % len(MARKS)]
    sdr = decimals(record["sdr"])
    if pd.notna(record["sdr_spread"]):
        sdr += f" ± {decimals(record['sdr_spread'])}"
    at_width = MISSING
    if pd.notna(record["parameters_paper"]):
        at_width = f"{in_mebi(record['parameters_paper'])} ({whole(record['parameters_paper'])})"
    return [
        record["label"],
        sdr,
        *[decimals(record[f"sdr_{source}"]) for source in SOURCES],
        decimals(record["sdr_real_track"]),
        whole(record["seeds"]),
        seconds_text(record["epoch_seconds"]),
        whole(record["parameters"]),
        at_width,
        printed,
        seconds_text(record["printed_epoch_seconds"]),
        record["printed_parameters"] or MISSING,
    ]


def caption(table: pd.DataFrame, scale: str, description: Description) -> str:
    """What the table shows, at which scale, and whether it may be compared with the paper."""
    facts = [description.data_set] if description.data_set else []
    scored = table["tracks"].max()
    tracks = description.test_tracks if description.test_tracks is not None else scored
    for number, unit in (
        (tracks, "test track"),
        (description.epochs, "epoch"),
        (description.channels, "channel"),
    ):
        if number is not None and pd.notna(number):
            facts.append(f"{number} {unit}{'' if number == 1 else 's'}")
    text = (
        "Demucs-like models with different upsamplers (top), against the state of the art as the "
        "paper printed it (bottom). SDR (dB): the higher the better; median over frames, median "
        f"over tracks, mean over four sources, ± standard deviation over seeds. Measured at {scale}"
        f" scale{': ' if facts else ''}{', '.join(facts)}"
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
    """A parameter count as Table 1 prints its upper rows: units of 2^20, two digits or more."""
    units = int(count) / MEBI
    return f"{units:.0f}M" if units >= 9.95 else f"{units:.1f}M"
