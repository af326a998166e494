"""Artifacts through training of runs whose values are known."""

from pathlib import Path

import pandas as pd

from upsampling.files import write_csv
from upsampling.training.history import EpochMeasurement

LINES = {1: 689.0625, 2: 2756.25, 3: 11025.0}


def history(
    silence: dict[int, float],
    noise: float = 0.0,
    imbalances: tuple[float, ...] = (0.0, 0.0, 0.0),
    prominence: float = 30.0,
) -> list[EpochMeasurement]:
    """Rows of a run whose tone in `silence` has a level in dBFS by epoch, 1 dB per layer lower.

    Lines at twice the outermost layer's frequency, and deeper layers' tones in noise, are far off.
    """
    rows = []
    for epoch, level in silence.items():
        for layer, (line, ratio) in enumerate(zip(LINES.values(), imbalances, strict=True), 1):
            values = [
                ("weights", "polyphase_imbalance", line, ratio, "1"),
                ("weights", "polyphase_line", line, 1e3, "1"),
                ("silence", "tone_level", line, level - 3 + layer, "dBFS"),
                ("silence", "tone_prominence", line, prominence, "dB"),
                ("white_noise", "tone_prominence", line, noise if layer == 3 else 1e3, "dB"),
            ]
            if layer == 3:
                values += [
                    ("silence", "tone_level", 2 * line, 1e3, "dBFS"),
                    ("silence", "tone_prominence", 2 * line, 1e3, "dB"),
                    ("white_noise", "tone_prominence", 2 * line, 1e3, "dB"),
                    ("white_noise", "notch_depth", line, 1e3, "dB"),
                ]
            rows += [
                EpochMeasurement(epoch, probe, measure, layer, frequency, value, unit)
                for probe, measure, frequency, value, unit in values
            ]
    return rows


def frame(rows: list[EpochMeasurement]) -> pd.DataFrame:
    """A run's rows as read from its file."""
    return pd.DataFrame(rows, columns=list(EpochMeasurement._fields))


def write(path: Path, rows: list[EpochMeasurement]) -> Path:
    """A run's artifact_history.csv."""
    write_csv(path, [row._asdict() for row in rows], EpochMeasurement._fields)
    return path
