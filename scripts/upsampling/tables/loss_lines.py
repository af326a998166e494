"""Do lines in the gradient of a loss end up in the outputs of models trained with it?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from upsampling.config.losses import comb_factor
from upsampling.files import load_arrays
from upsampling.tables.table2 import AUDIO_DB

# Quantities of a trained model, and their units. Lines: at multiples of sampling rate /
# `comb_factor()`, those of the gradient of a deep feature loss.
QUANTITIES = {
    "silence_dbfs": ("tones in silence", "dBFS"),
    "noise_db": ("lines in white noise", "dB"),
    "music_db": ("lines in music", "dB"),
}
PROBES = ("white_noise", "music")
COLUMNS = {
    **dict.fromkeys(("variant", "group", "loss", "control"), str),
    "seed": int,
    **dict.fromkeys(("gradient_db", *QUANTITIES), float),
}


@dataclass(frozen=True)
class LossRow:
    """A trained variant, its loss, and the names of its group and its control ('': none)."""

    variant: str
    label: str
    group: str
    loss: str
    control: str = ""


def loss_lines(
    artifacts: pd.DataFrame, gradients: Mapping[str, float], rows: Sequence[LossRow], rate: float
) -> pd.DataFrame:
    """A row of `COLUMNS` for each run of `rows`, at the sampling rate `rate` of the models in Hz.

    `gradients` has the comb prominence of each variant's loss. `silence_dbfs` is the level of the
    loudest line in silence; `noise_db` and `music_db` are comb prominences. NaN where a model has
    no layer of these lines, or a signal was not measured.
    """
    spacing = rate / comb_factor()
    trained = artifacts[artifacts["stage"] == "trained"]
    lines = []
    for row in rows:
        runs = trained[trained["variant"] == row.variant]
        for seed, run in runs.groupby("seed"):
            head = [row.variant, row.group, row.loss, row.control, seed]
            measured = [in_silence(run, spacing), *(comb(run, probe, spacing) for probe in PROBES)]
            lines.append([*head, gradients[row.variant], *measured])
    return pd.DataFrame(lines, columns=list(COLUMNS))


def in_silence(run: pd.DataFrame, spacing: float) -> float:
    """The level in dBFS of the loudest tone at a multiple of `spacing` in silence."""
    tones = run[(run["probe"] == "silence") & (run["measure"] == "tone_level")]
    steps = tones["frequency_hz"] / spacing
    return float(tones[np.isclose(steps, steps.round()) & (steps.round() >= 1)]["value"].max())


def comb(run: pd.DataFrame, probe: str, spacing: float) -> float:
    """The mean prominence in dB of the comb of `spacing` in the output for `probe`, or NaN."""
    rows = run[(run["probe"] == probe) & (run["measure"] == "comb_prominence_mean")]
    return float(rows[np.isclose(rows["frequency_hz"], spacing)]["value"].max())


def differences(table: pd.DataFrame, row: LossRow) -> pd.DataFrame:
    """`QUANTITIES` of `row` less those of its control, for each seed that both have.

    Levels in silence below that of one step of 24-bit audio, rounding errors, count as that level.
    """
    columns = list(QUANTITIES)
    table = table.assign(silence_dbfs=table["silence_dbfs"].clip(lower=AUDIO_DB))
    own, control = (
        table[table["variant"] == name].set_index("seed")[columns]
        for name in (row.variant, row.control)
    )
    return (own - control).loc[own.index.intersection(control.index)]


def read_gradients(path: str | Path, rows: Sequence[LossRow]) -> dict[str, float]:
    """The comb prominence in dB of the gradient of each row's loss, from training_losses.npz."""
    arrays = load_arrays(path, [f"{row.variant}_prominence" for row in rows])
    return {row.variant: float(arrays[f"{row.variant}_prominence"]) for row in rows}
