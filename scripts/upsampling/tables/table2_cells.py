"""Table 2 as a reader sees it: artifacts before and after training, beside Sec. 6's claims."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pandas as pd

from upsampling.config.sections import STAGES
from upsampling.tables.captions import Description, extent
from upsampling.tables.formats import in_all_formats
from upsampling.tables.latex import latex
from upsampling.tables.sheet import SILENT, Column, Sheet, with_spread
from upsampling.tables.table2 import AUDIO_DB, QUANTITIES, SILENT_DB, STANDS_OUT_DB, summarize

TITLE = "Table 2"
STAGE_HEADS = {"initialised": "before", "trained": "after"}


@dataclass(frozen=True)
class ArtifactRow:
    """A variant's row: its label, and whether it was trained."""

    variant: str
    label: str
    trained: bool = True


def table2(artifacts: pd.DataFrame, rows: Sequence[ArtifactRow]) -> pd.DataFrame:
    """The table at full precision: `variant`, `label`, `trained`, and columns of `summarize`."""
    table = summarize(artifacts, [row.variant for row in rows])
    table.insert(1, "label", [row.label for row in rows])
    table.insert(2, "trained", [row.trained for row in rows])
    return table


def render(table: pd.DataFrame, scale: str, description: Description) -> dict[str, str]:
    """The table's text by file name suffix: csv at full precision, md, tex and html rounded.

    The page of a paper has no room for the spreads before training.
    """
    whole = sheet(table, scale, description, STAGES)
    return in_all_formats(table, whole, latex(sheet(table, scale, description, ("trained",))))


def sheet(
    table: pd.DataFrame, scale: str, description: Description, spreads: Sequence[str]
) -> Sheet:
    """The table as text cells, rounded once for all formats, with its caption and footnotes.

    `spreads` holds the stages whose standard deviations over seeds are shown.
    """
    pairs = product(QUANTITIES, STAGES)
    return Sheet(
        columns=[
            Column("Model", "", numeric=False),
            *(Column(STAGE_HEADS[stage], quantity.head) for quantity, stage in pairs),
        ],
        cells=[row_cells(row, spreads) for row in table.to_dict("records")],
        trained=table["trained"].tolist(),
        caption=caption(scale, description),
        footnotes=[("", text) for text in footnotes(table)],
        title=TITLE,
    )


def row_cells(row: Mapping[Any, Any], spreads: Sequence[str]) -> list[str]:
    """Text of one row, with the spreads of these stages."""
    cells = [row["label"]]
    for quantity, stage in product(QUANTITIES, STAGES):
        name = f"{quantity.name}_{stage}"
        digits = 2 if quantity.unit == "ratio" else 1
        silent = quantity.unit == "dBFS" and row[name] <= SILENT_DB
        deviation = row[f"{name}_spread"] if stage in spreads else math.nan
        cells.append(SILENT if silent else with_spread(row[name], deviation, digits))
    return cells


def caption(scale: str, description: Description) -> str:
    """The caption: columns, scale, and a warning where the paper is not comparable."""
    text = (
        "Artifacts before and after training (top), and before it for models that are not trained "
        "(bottom); mean ± standard deviation over seeds. Silence (dBFS): the model's output for "
        "silence, at the loudest of the frequencies where its layers can put tones. Silence, "
        "unseen, music (dB): how far tones at multiples of the sampling rate / stride of the "
        "outermost layer stand out from their surroundings, less the same at control bins, for "
        "silence, for sounds unlike those of training (mean over white noise, a sweep, "
        "speech-like and percussive sounds) and for music. Notch (dB): how far white noise falls "
        "at sampling rate / stride below its third-octave; negative for a tone. Imbalance: of the "
        "polyphase sums of all upsampling layers' weights; 0 if no constant gives a tone. "
        f"Measured at {scale} scale"
    )
    if facts := extent(description):
        text += f": {', '.join(facts)}"
    if scale == "paper":
        return f"{text}."
    return (
        f"{text}; not comparable with the paper: training this short, of models this small, shows "
        "the direction in which artifacts change, not the extent."
    )


def footnotes(table: pd.DataFrame) -> list[str]:
    """Sec. 6's claim on tones after training, beside the tones of these models."""
    trained = table[table["trained"]]
    texts = []
    if len(trained) and trained["silence_trained"].notna().any():
        texts.append(
            "Sec. 6: tones can emerge even after training, especially in silent parts and with "
            "out-of-distribution data; nearest neighbor and linear interpolation do not have this "
            f"disadvantage. Here, tones stand out by {STANDS_OUT_DB:g} dB or more after training "
            f"in silence: {standing(trained, 'silence')}; in unseen sounds: "
            f"{standing(trained, 'unseen')}; in music: {standing(trained, 'music')}."
        )
    texts.append(f"{SILENT}: at most {SILENT_DB:g} dBFS, as of exact zeros.")
    return texts


def standing(trained: pd.DataFrame, name: str) -> str:
    """Labels of the rows whose tones stand out after training, or 'none'."""
    standing_out = trained[f"{name}_trained"] >= STANDS_OUT_DB
    if name == "silence":
        standing_out &= trained["silence_level_trained"] > AUDIO_DB
    return ", ".join(trained[standing_out]["label"]) or "none"
