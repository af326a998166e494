"""The table of all audits: networks, then recordings, a row each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd

from upsampling.files import content_of, read_json
from upsampling.tables.formats import in_all_formats
from upsampling.tables.sheet import MISSING, SILENT, Column, Sheet

TITLE = "Audits"
# Inputs of networks that are noise: audio, or frames of a latent.
NOISES = ("white_noise", "latent_noise")
# The measured level of exact zeros is lower still.
SILENT_DB = -250.0
CAPTION = (
    "Networks (top) and recordings (bottom) under audit. Silence, constant: level of all lines in "
    "the response to silence, and to constants (median). Comb: spacing of the comb that stands out "
    "most in noise, or in a recording. Excess: prominence of its lines above their surroundings, "
    "less that of control bins between them. By: the layers that make it; for recordings, how many "
    "of them have a comb that stands out."
)
COLUMNS = [
    Column("Audit", "", numeric=False),
    Column("Rate (Hz)", "Network"),
    Column("Total stride", "Network"),
    Column("Layers", "Network"),
    Column("Silence (dBFS)", "Lines"),
    Column("Constant (dBFS)", "Lines"),
    Column("Repaired (dBFS)", "Lines"),
    Column("Comb (Hz)", "Clearest comb"),
    Column("Excess (dB)", "Clearest comb"),
    Column("By", "Clearest comb", numeric=False),
]


@dataclass(frozen=True)
class AuditRow:
    """An audit's name, and its title in the table."""

    audit: str
    title: str


def audits_table(rows: Sequence[AuditRow], reports: Sequence[Path]) -> pd.DataFrame:
    """One row per audit at full precision, from its report (.json).

    `audit`, `title`, `kind` (network, recordings), `samplerate` and `total_stride` (of a recording:
    over the finest comb found), `layers`, `silence_dbfs`, `constant_dbfs`, `repaired_dbfs` (lines
    in silence after a repair), `comb_hz`, `excess_db`, `made_by`, `files`, `files_with_comb`.
    """
    described = []
    for row, path in zip(rows, reports, strict=True):
        with content_of(path):
            report = read_json(path)
            values = _recordings(report) if "recordings" in report else _network(report)
        described.append({"audit": row.audit, "title": row.title, **values})
    table = pd.DataFrame(described)
    return table.sort_values("kind", kind="stable", ignore_index=True)


def _network(report: Mapping[str, Any]) -> dict[str, Any]:
    noise = next((name for name in NOISES if name in report["probes"]), None)
    combs = [
        (comb["excess_db"][noise], comb["spacing_hz"], makers)
        for comb, makers in zip(
            report["combs"], report["probes"].get(noise, {}).get("made_by", []), strict=False
        )
        if comb["excess_db"][noise] is not None
    ]
    excess, spacing, makers = max(combs, default=(None, None, []), key=itemgetter(0))
    repair = report.get("repair")
    return {
        "kind": "network",
        "samplerate": report["samplerate"],
        "total_stride": report["total_stride"],
        "layers": len(report["layers"]),
        "silence_dbfs": report["silence"]["level_dbfs"],
        "constant_dbfs": report["constants"]["level_dbfs"]["median"],
        "repaired_dbfs": repair["rows"][0]["after"] if repair else None,
        "comb_hz": spacing,
        "excess_db": excess,
        "made_by": ", ".join(makers),
        "files": 0,
        "files_with_comb": 0,
    }


def _recordings(report: Mapping[str, Any]) -> dict[str, Any]:
    audited = report["recordings"]
    found = [
        (comb["excess_db"] or 0.0, one, comb)
        for one in audited
        for comb in one["combs"]
        if comb["stands_out"]
    ]
    excess, one, comb = max(found, default=(None, None, None), key=lambda entry: entry[0])
    return {
        "kind": "recordings",
        "samplerate": (one or audited[0])["samplerate"] if audited else None,
        "total_stride": comb["samplerate_over_spacing"] if comb else None,
        "layers": None,
        "silence_dbfs": None,
        "constant_dbfs": None,
        "repaired_dbfs": None,
        "comb_hz": comb["spacing_hz"] if comb else None,
        "excess_db": excess,
        "made_by": "",
        "files": len(audited),
        "files_with_comb": sum(one["found"] for one in audited),
    }


def render(table: pd.DataFrame) -> dict[str, str]:
    """The table's text by file name suffix: csv at full precision, md, tex and html rounded."""
    sheet = Sheet(
        columns=COLUMNS,
        cells=[_cells(row) for row in table.to_dict("records")],
        trained=(table["kind"] == "network").tolist(),
        caption=CAPTION,
        footnotes=[("", f"{SILENT}: no line above the rounding of the arithmetic.")],
        title=TITLE,
    )
    return in_all_formats(table, sheet)


def _cells(row: Mapping[Any, Any]) -> list[str]:
    by = row["made_by"] or MISSING
    if row["kind"] == "recordings":
        by = f"{row['files_with_comb']} of {row['files']}"
    return [
        row["title"],
        *(number(row[name], 0) for name in ("samplerate", "total_stride", "layers")),
        *(level(row[name]) for name in ("silence_dbfs", "constant_dbfs", "repaired_dbfs")),
        number(row["comb_hz"], 2),
        number(row["excess_db"], 1),
        by,
    ]


def number(value: Any, digits: int) -> str:
    """A number with `digits` decimals; a dash for none."""
    return MISSING if pd.isna(value) else f"{value:.{digits}f}"


def level(value: Any) -> str:
    """A level in dBFS; `SILENT` for that of exact silence."""
    return SILENT if not pd.isna(value) and value <= SILENT_DB else number(value, 1)
