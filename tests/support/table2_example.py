"""A small artifacts.csv, whose means and spreads are known, and the rows of its Table 2."""

import pandas as pd
from table_texts import NASTY

from upsampling.measures.artifact_rows import ROW_COLUMNS
from upsampling.tables.captions import Description
from upsampling.tables.table2_cells import ArtifactRow

ROWS = [
    ArtifactRow("loud", NASTY),
    ArtifactRow("quiet", "Quiet"),
    ArtifactRow("untrained", "Not trained", trained=False),
]
DESCRIPTION = Description(epochs=4, channels=12)


def model_rows(variant: str, seed: int, stage: str, level: float) -> list[dict[str, object]]:
    """Rows whose tones stand out by `level` in music, and by 1, 2, 3 and 4 dB more elsewhere."""
    head = {"variant": variant, "seed": seed, "stage": stage}
    values: list[tuple[str, str, float | None, float, str]] = [
        ("silence", "tone_level", 11025.0, -200.0 if level == 0 else level - 100, "dBFS"),
        ("silence", "tone_level", 2756.25, -200.0 if level == 0 else level - 90, "dBFS"),
        ("silence", "comb_prominence_mean", 11025.0, level, "dB"),
        # A finer comb, which the table leaves out.
        ("silence", "comb_prominence_mean", 2756.25, 1e3, "dB"),
        ("music", "comb_prominence_mean", 11025.0, level, "dB"),
        ("white_noise", "notch_depth", 11025.0, -level, "dB"),
        ("white_noise", "notch_depth", 22050.0, 1e3, "dB"),
        ("weights", "notch_depth", 11025.0, 1e3, "dB"),
        ("weights", "polyphase_imbalance", 11025.0, 1e3, "1"),
        ("weights", "polyphase_imbalance", None, 1.5, "1"),
    ]
    for more, probe in enumerate(("white_noise", "sweep", "speech_like", "percussive"), start=1):
        values.append((probe, "comb_prominence_mean", 11025.0, level + more, "dB"))
    return [head | dict(zip(ROW_COLUMNS[3:], value, strict=True)) for value in values]


def example_artifacts() -> pd.DataFrame:
    """Two seeds, 2 dB apart, of a tonal variant, a silent one and an untrained one."""
    rows = []
    for seed, more in ((0, 0.0), (1, 2.0)):
        rows += model_rows("loud", seed, "initialised", 60.0 + more)
        rows += model_rows("loud", seed, "trained", 20.0 + more)
        rows += model_rows("untrained", seed, "initialised", 40.0)
        for stage in ("initialised", "trained"):
            rows += model_rows("quiet", seed, stage, 0.0)
    return pd.DataFrame(rows, columns=ROW_COLUMNS)
