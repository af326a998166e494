"""The table of artifacts through training as a reader sees it: a row per upsampler."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from upsampling.tables.artifact_history import milestones
from upsampling.tables.captions import Description
from upsampling.tables.markdown_html import trained_markdown
from upsampling.tables.sheet import MISSING, Column, level, number, spread
from upsampling.tables.table2 import AUDIO_DB, SILENT_DB, STANDS_OUT_DB

TITLE = "Artifacts through training"
SILENCE, NOISE, IMBALANCE = "Tone in silence (dBFS)", "Tone in noise (dB)", "Largest imbalance"
NEVER, KEPT = "no tone", "no"


@dataclass(frozen=True)
class HistoryRow:
    """A trained variant and its label."""

    variant: str
    label: str


def render(
    table: pd.DataFrame, rows: Sequence[HistoryRow], scale: str, description: Description
) -> str:
    """The Markdown of `table`, all runs of `artifact_history`: means over seeds and spreads."""
    epochs = milestones(sorted({int(epoch) for epoch in table["epoch"]}))
    columns = [Column("Model", ""), *(Column(f"epoch {epoch}", SILENCE) for epoch in epochs)]
    columns.append(Column("removed", SILENCE))
    columns += [Column(head, group) for group in (NOISE, IMBALANCE) for head in ("before", "after")]
    columns.append(Column("in layer", IMBALANCE))
    cells, notes = [], []
    for row in rows:
        runs = table[table["variant"] == row.variant]
        before, after = ends(runs)
        levels = (runs[runs["epoch"] == epoch]["silence_dbfs"] for epoch in epochs)
        cells.append(
            [row.label]
            + [level(values, SILENT_DB) for values in levels]
            + [removal(runs), spread(before["noise_db"], 1), spread(after["noise_db"], 1)]
            + [spread(end["largest_imbalance"], 2) for end in (before, after)]
            + [largest_layers(after)]
        )
        notes += answer(row.label, runs)
    caption = f"The tone at sampling rate / stride of the outermost layer, at {scale} scale"
    return trained_markdown(TITLE, columns, cells, caption, description, [*notes, DEFINITIONS])


DEFINITIONS = (
    f"Removed: from which epoch on the tone does not stand out, by {STANDS_OUT_DB:g} dB and, in "
    f"silence, {AUDIO_DB:g} dBFS or more. Tone in noise: prominence over its surroundings. Largest "
    "imbalance: of the polyphase sums of any layer's weights; layer 1 is the deepest."
)


def ends(runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first and the last row of each seed."""
    by_seed = runs.groupby("seed")
    return by_seed.head(1), by_seed.tail(1)


def removed_from(run: pd.DataFrame) -> int | None:
    """The first measured epoch of one run from which on its tone in silence does not stand out.

    None if it stands out at the end; 0 if it never does.
    """
    stands = run["silence_stands_out"].to_numpy(bool)
    if not stands.any():
        return 0
    return None if stands[-1] else int(run["epoch"].iloc[stands.nonzero()[0][-1] + 1])


def removal(runs: pd.DataFrame) -> str:
    """Cell for the epoch at which training has removed the tone in silence."""
    epochs = [removed_from(run) for _, run in runs.groupby("seed")]
    removed = sorted(epoch for epoch in epochs if epoch)
    if not epochs:
        return MISSING
    if all(epoch == 0 for epoch in epochs):
        return NEVER
    if None in epochs:
        return f"in {len(removed)} of {len(epochs)} seeds" if removed else KEPT
    first, last = removed[0], removed[-1]
    return f"epoch {first}" if first == last else f"epochs {first}–{last}"


def largest_layers(after: pd.DataFrame) -> str:
    """The layers whose imbalance is the largest in most seeds."""
    layers = after["largest_layer"][after["largest_layer"] > 0].mode()
    return ", ".join(str(int(layer)) for layer in layers) or MISSING


def answer(label: str, runs: pd.DataFrame) -> list[str]:
    """A sentence on the change of a tone that stands out in silence before training, or none."""
    before, after = ends(runs)
    if not len(runs) or not before["silence_stands_out"].any():
        return []
    second = runs.groupby("seed", sort=False).nth(1)
    change = after["silence_dbfs"].mean() - before["silence_dbfs"].mean()
    text = f"{label}: training changes the tone in silence by {number(change, 1)} dB"
    if len(second) and len(runs) > 2 * len(before):
        first = second["silence_dbfs"].mean() - before["silence_dbfs"].mean()
        text += f", by {number(first, 1)} dB until epoch {int(second['epoch'].iloc[0])}"
    keeps = largest_layers(after)
    return [f"{text}; the imbalance afterwards is largest in layer {keeps}."]
