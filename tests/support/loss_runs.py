"""Artifacts of trained models that differ in their loss, whose values are known."""

import pandas as pd
from table_texts import NASTY

from upsampling.measures.artifact_rows import ROW_COLUMNS
from upsampling.tables.loss_lines import LossRow

RATE = 44100
ROWS = [
    LossRow("base", NASTY, "base", "l1"),
    LossRow("strided", "Strided", "base", "features", "dense"),
    LossRow("dense", "Dense", "base", "features_dense"),
]
GRADIENTS = {"base": 0.1, "strided": 24.04, "dense": -0.04}
SEEDS = (0, 1, 2)
# Levels in silence of each seed, beyond which noise and music have 100 and 200 dB more.
LEVELS = {"base": (-60.0, -61.0, -62.0), "strided": (-40.0, -42.0, -41.0), "dense": (-60.0,) * 3}


def artifacts() -> pd.DataFrame:
    """Rows as in artifacts.csv; those of other lines, stages and measures are far off."""
    rows: list[list[object]] = []
    for variant, levels in LEVELS.items():
        for seed, level in zip(SEEDS, levels, strict=True):
            values: list[tuple[str, str, float, float]] = [
                ("silence", "tone_level", 11025.0, level),
                ("silence", "tone_level", 689.0625, level - 5),
                ("silence", "tone_level", 172.265625, 1e3),
                ("silence", "tone_prominence", 11025.0, 1e3),
                ("white_noise", "comb_prominence_mean", 689.0625, level + 100),
                ("white_noise", "comb_prominence_mean", 11025.0, 1e3),
                ("white_noise", "comb_prominence_max", 689.0625, 1e3),
                ("music", "comb_prominence_mean", 689.0625, 200.0 + seed),
            ]
            for probe, measure, frequency, value in values:
                rows.append([variant, seed, "trained", probe, measure, frequency, value, "dB"])
                rows.append([variant, seed, "initialised", probe, measure, frequency, 2e3, "dB"])
    return pd.DataFrame(rows, columns=ROW_COLUMNS)
