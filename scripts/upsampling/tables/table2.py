"""What the artifact measures say in a few numbers: the claims of the paper, variant by variant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from upsampling.config.sections import STAGES
from upsampling.errors import UserError
from upsampling.measures.artifact_rows import ROW_COLUMNS

# Sounds unlike those of training, of which Sec. 6 says that they bring tones out.
UNSEEN = ("white_noise", "sweep", "speech_like", "percussive")
# What an output of exact zeros is recorded as, dBFS.
SILENT_DB = -200.0


@dataclass(frozen=True)
class Quantity:
    """A number per model: `of` takes the rows of one variant, seed and stage, [] gives NaN.

    `head` names it over a column of Table 2, `title` and `unit` over a panel of a figure.
    """

    name: str
    head: str
    title: str
    unit: str
    of: Callable[[pd.DataFrame], float]


def read_artifacts(path: str | Path) -> pd.DataFrame:
    """Read a tidy table of artifact measures, such as artifacts.csv."""
    try:
        return pd.read_csv(path, dtype={"variant": str, "stage": str, "probe": str})[ROW_COLUMNS]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} cannot be read as artifact measures: {error}") from error


def _tone(probes: Sequence[str]) -> Callable[[pd.DataFrame], float]:
    """Prominence over control bins of the outermost layer's tones, mean over `probes`."""

    def of(rows: pd.DataFrame) -> float:
        chosen = rows[(rows["measure"] == "comb_prominence_mean") & rows["probe"].isin(probes)]
        outermost = chosen[chosen["frequency_hz"] == chosen["frequency_hz"].max()]
        return float(outermost["value"].mean())

    return of


def _loudest(probe: str) -> Callable[[pd.DataFrame], float]:
    def of(rows: pd.DataFrame) -> float:
        chosen = rows[(rows["measure"] == "tone_level") & (rows["probe"] == probe)]
        return float(chosen["value"].max())

    return of


def _notch(rows: pd.DataFrame) -> float:
    chosen = rows[(rows["measure"] == "notch_depth") & (rows["probe"] == "white_noise")]
    return float(chosen[chosen["frequency_hz"] == chosen["frequency_hz"].min()]["value"].mean())


def _imbalance(rows: pd.DataFrame) -> float:
    chosen = rows[(rows["measure"] == "polyphase_imbalance") & rows["frequency_hz"].isna()]
    return float(chosen["value"].mean())


QUANTITIES = (
    Quantity(
        "silence_level", "Silence (dBFS)", "loudest tone in silence", "dBFS", _loudest("silence")
    ),
    Quantity("silence", "Silence (dB)", "tones in silence", "dB", _tone(["silence"])),
    Quantity("unseen", "Unseen (dB)", "tones in unseen sounds", "dB", _tone(UNSEEN)),
    Quantity("music", "Music (dB)", "tones in music", "dB", _tone(["music"])),
    Quantity("notch", "Notch (dB)", "notch in white noise", "dB", _notch),
    Quantity("imbalance", "Imbalance", "polyphase imbalance", "ratio", _imbalance),
)


def summarise(artifacts: pd.DataFrame, variants: Sequence[str]) -> pd.DataFrame:
    """One row per variant, in the order given, of mean and spread over seeds at both stages.

    Columns: `variant`, `seeds`, and for each of `QUANTITIES` and each stage {name}_{stage} and
    {name}_{stage}_spread (standard deviation over seeds); NaN for what was not measured.
    """
    rows = []
    for variant in variants:
        own = artifacts[artifacts["variant"] == variant]
        row: dict[str, object] = {"variant": variant, "seeds": own["seed"].nunique()}
        for quantity in QUANTITIES:
            for stage in STAGES:
                staged = own[own["stage"] == stage]
                values = [quantity.of(rows) for _, rows in staged.groupby("seed")]
                known = np.array([value for value in values if np.isfinite(value)])
                name = f"{quantity.name}_{stage}"
                row[name] = known.mean() if len(known) else np.nan
                row[f"{name}_spread"] = known.std(ddof=1) if len(known) > 1 else np.nan
        rows.append(row)
    return pd.DataFrame(rows)
