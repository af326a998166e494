"""Artifacts through training: does it remove tones, when, and which layer keeps them?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from upsampling.errors import UserError
from upsampling.files import UNREADABLE, read_table
from upsampling.measures.artifact_rows import WEIGHTS
from upsampling.tables.table2 import AUDIO_DB, STANDS_OUT_DB
from upsampling.training.history import EpochMeasurement

IMBALANCE = "imbalance_"
# Probe and measure, at the lowest line of the outermost layer.
AT_LINE = {
    "silence_dbfs": ("silence", "tone_level"),
    "silence_db": ("silence", "tone_prominence"),
    "noise_db": ("white_noise", "tone_prominence"),
}
COLUMNS = [
    *("variant", "seed", "epoch"),
    *AT_LINE,
    *("silence_stands_out", "noise_stands_out", "largest_imbalance", "largest_layer"),
]


def read_history(path: str | Path) -> pd.DataFrame:
    """Read the artifact_history.csv of a trained model."""
    return read_table(path, EpochMeasurement.__annotations__, may_be_empty=True)


def by_epoch(history: pd.DataFrame) -> pd.DataFrame:
    """One run's artifacts in a few numbers, by `epoch`.

    At the first tone frequency, the lowest line of the outermost layer, `silence_dbfs` (level of
    the tone in silence), `silence_db` and `noise_db` (prominence in silence and in white noise),
    and whether these tones stand out as in Table 2. From the weights, `imbalance_1` and so on for
    each layer (1 is the deepest), the largest of them, and its layer (0 if all are zero).
    """
    tones = history[(history["probe"] != WEIGHTS) & (history["layer"] == history["layer"].max())]
    at_line = tones[tones["frequency_hz"] == tones["frequency_hz"].min()]
    imbalances = history[history["measure"] == "polyphase_imbalance"]
    layers = imbalances.pivot(index="epoch", columns="layer", values="value")
    table = pd.DataFrame(index=layers.index)
    for name, (probe, measure) in AT_LINE.items():
        rows = at_line[(at_line["probe"] == probe) & (at_line["measure"] == measure)]
        table[name] = rows.set_index("epoch")["value"]
    loud = table["silence_dbfs"] >= AUDIO_DB
    table["silence_stands_out"] = (table["silence_db"] >= STANDS_OUT_DB) & loud
    table["noise_stands_out"] = table["noise_db"] >= STANDS_OUT_DB
    table["largest_imbalance"] = layers.max(axis=1)
    table["largest_layer"] = layers.idxmax(axis=1).where(table["largest_imbalance"] > 0, 0)
    return table.join(layers.add_prefix(IMBALANCE))


def artifact_history(histories: Mapping[tuple[str, int], pd.DataFrame]) -> pd.DataFrame:
    """`by_epoch` of all runs, a row per variant, seed and measured epoch, with `COLUMNS` first.

    `histories` has a run's history by variant and seed. Layers that a variant lacks are NaN.
    """
    empty = [run for run, history in histories.items() if not len(history)]
    if len(empty) == len(histories):
        return pd.DataFrame(columns=COLUMNS)
    if empty:
        variant, seed = min(empty)
        raise UserError(
            f"artifact_history.csv of {variant}, seed {seed}, has no rows, but those of other runs "
            f"have; {UNREADABLE}"
        )
    tables = {run: by_epoch(history) for run, history in histories.items()}
    return pd.concat(tables, names=["variant", "seed"]).reset_index()


def milestones(epochs: Sequence[int]) -> list[int]:
    """The measured `epochs` (ascending) at or next after 0, 1, 2, 4 and so on, and the last."""
    steps = [0, *(2**power for power in range(max(epochs, default=0).bit_length()))]
    following = [min((epoch for epoch in epochs if epoch >= step), default=0) for step in steps]
    return sorted({*following, *epochs[-1:]} & {*epochs})


def at_milestones(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of each run's `milestones`."""
    shown = [
        run[run["epoch"].isin(milestones(run["epoch"].tolist()))]
        for _, run in table.groupby(["variant", "seed"], sort=False)
    ]
    return pd.concat(shown, ignore_index=True) if shown else table
