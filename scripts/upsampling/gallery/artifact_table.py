"""Numbers of the page: the table of artifact measures, and the scores that cards show."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from upsampling.config.sections import STAGES
from upsampling.files import read_table
from upsampling.gallery.glossary import MEASURES, PROBES, Entry, entry_of


def artifact_rows(table: pd.DataFrame, variants: list[str]) -> dict[str, Any]:
    """The page's table of artifacts, a row per variant, seed, probe, measure and frequency.

    `rows` hold the index in `variants`, the seed, the indices in `probes` and `measures`, the
    frequency in Hz or None, and the value before and after training, None if not measured.
    `probes` and `measures` have `name`, `title` and `text`; measures a `unit`.
    """
    table = table[table["variant"].isin(variants) & table["stage"].isin(STAGES)]
    table = table.fillna({"probe": "", "unit": ""}).replace({"unit": {"1": ""}})
    probes, measures = list(dict.fromkeys(table["probe"])), list(dict.fromkeys(table["measure"]))
    units = dict(zip(table["measure"], table["unit"], strict=True))
    rows: dict[tuple[Any, ...], list[float | None]] = {}
    for row in table.to_dict("records"):
        key = (
            variants.index(row["variant"]),
            int(row["seed"]),
            probes.index(row["probe"]),
            measures.index(row["measure"]),
            None if math.isnan(row["frequency_hz"]) else row["frequency_hz"],
        )
        values: list[float | None] = rows.setdefault(key, [None, None])
        values[STAGES.index(row["stage"])] = rounded(row["value"])
    return {
        "probes": [described(name, PROBES) for name in probes],
        "measures": [described(name, MEASURES) | {"unit": units[name]} for name in measures],
        "rows": [[*key, *values] for key, values in sorted(rows.items(), key=order_of)],
    }


def outermost_lines(table: pd.DataFrame) -> dict[str, float]:
    """The lowest line in Hz of each variant's outermost layer that makes lines.

    It has the coarsest comb.
    """
    combs = table[table["measure"] == "comb_prominence_mean"]
    return dict(combs.groupby("variant")["frequency_hz"].max())


def described(name: str, glossary: Mapping[str, Entry]) -> dict[str, str]:
    """A name with its entry in the glossary."""
    return {"name": str(name), **entry_of(str(name), glossary)._asdict()}


def order_of(row: tuple[tuple[Any, ...], Any]) -> tuple[Any, ...]:
    """Sort key of a row of the artifact table; rows without a frequency stand first."""
    *indices, frequency = row[0]
    return (*indices, -1.0 if frequency is None else frequency)


def rounded(value: float) -> float | None:
    """A number of five significant digits; None for one that is not finite."""
    return float(f"{value:.5g}") if math.isfinite(value) else None


def scores(path: Path) -> dict[str, dict[str, Any]]:
    """Numbers of Table 1 that cards show, per variant: `sdr`, `sdr_spread`, `parameters`."""
    numbers = ("sdr", "sdr_spread", "parameters")
    table = read_table(path, {"variant": str, **dict.fromkeys(numbers, float)})
    return {
        str(row["variant"]): {
            "sdr": rounded(row["sdr"]),
            "sdr_spread": rounded(row["sdr_spread"]),
            "parameters": None if pd.isna(row["parameters"]) else int(row["parameters"]),
        }
        for row in table[table["variant"].notna()].to_dict("records")
    }
