"""Artifact measures of each variant in a few numbers, for the claims of the paper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from upsampling.config.sections import STAGES

# Sounds unlike those of training, in which Sec. 6 reports tones.
UNSEEN = ("white_noise", "sweep", "speech_like", "percussive")
# The measured level of an output of exact zeros, dBFS.
SILENT_DB = -200.0
# Tones of this prominence in dB or more stand out; in silence, where nothing masks them, also of
# this level in dBFS or more: that of one step of 24-bit audio.
STANDS_OUT_DB = 10.0
AUDIO_DB = -144.0


@dataclass(frozen=True)
class Quantity:
    """A number per model: `measure` takes the rows of one variant, seed and stage; [] gives NaN.

    `head` names it over a column of Table 2, `title` and `unit` over a panel of a figure.
    """

    name: str
    head: str
    title: str
    unit: str
    measure: Callable[[pd.DataFrame], float]


def _tone(probes: Sequence[str], rows: pd.DataFrame) -> float:
    """Prominence over control bins of the outermost layer's tones, mean over `probes`."""
    combs = rows[(rows["measure"] == "comb_prominence_mean") & rows["probe"].isin(probes)]
    outermost = combs[combs["frequency_hz"] == combs["frequency_hz"].max()]
    return float(outermost["value"].mean())


def _loudest(rows: pd.DataFrame) -> float:
    """Level of the loudest tone of any layer in the output for silence."""
    levels = rows[(rows["measure"] == "tone_level") & (rows["probe"] == "silence")]
    return float(levels["value"].max())


def _notch(rows: pd.DataFrame) -> float:
    """Depth of the lowest notch of the outermost layer in the output for white noise."""
    notches = rows[(rows["measure"] == "notch_depth") & (rows["probe"] == "white_noise")]
    return float(notches[notches["frequency_hz"] == notches["frequency_hz"].min()]["value"].mean())


def _imbalance(rows: pd.DataFrame) -> float:
    """Polyphase imbalance of all layers together."""
    whole = rows[(rows["measure"] == "polyphase_imbalance") & rows["frequency_hz"].isna()]
    return float(whole["value"].mean())


SILENCE_LEVEL = Quantity(
    "silence_level", "Silence (dBFS)", "loudest tone in silence", "dBFS", _loudest
)
QUANTITIES = (
    SILENCE_LEVEL,
    Quantity("silence", "Silence (dB)", "tones in silence", "dB", partial(_tone, ["silence"])),
    Quantity("unseen", "Unseen (dB)", "tones in unseen sounds", "dB", partial(_tone, UNSEEN)),
    Quantity("music", "Music (dB)", "tones in music", "dB", partial(_tone, ["music"])),
    Quantity("notch", "Notch (dB)", "notch in white noise", "dB", _notch),
    Quantity("imbalance", "Imbalance", "polyphase imbalance", "ratio", _imbalance),
)


def by_seed(artifacts: pd.DataFrame, quantity: Quantity, variant: str, stage: str) -> np.ndarray:
    """The quantity of each seed's model, without NaN: `[seeds]`."""
    rows = artifacts[(artifacts["variant"] == variant) & (artifacts["stage"] == stage)]
    values = np.array([quantity.measure(of_seed) for _, of_seed in rows.groupby("seed")])
    return values[np.isfinite(values)]


def summarize(artifacts: pd.DataFrame, variants: Sequence[str]) -> pd.DataFrame:
    """One row per variant, in the order given, of mean and spread over seeds at both stages.

    Columns: `variant`, `seeds`, and for each of `QUANTITIES` and each stage {name}_{stage} and
    {name}_{stage}_spread (standard deviation over seeds); NaN where nothing was measured.
    """
    rows = []
    for variant in variants:
        measured = artifacts[artifacts["variant"] == variant]
        row: dict[str, object] = {"variant": variant, "seeds": measured["seed"].nunique()}
        for quantity, stage in product(QUANTITIES, STAGES):
            finite = by_seed(measured, quantity, variant, stage)
            name = f"{quantity.name}_{stage}"
            row[name] = finite.mean() if len(finite) else np.nan
            row[f"{name}_spread"] = finite.std(ddof=1) if len(finite) > 1 else np.nan
        rows.append(row)
    return pd.DataFrame(rows)
