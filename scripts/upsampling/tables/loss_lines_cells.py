"""The table of lines of losses as a reader sees it, with a sentence for each loss and control."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from upsampling.config.losses import comb_factor
from upsampling.tables.captions import Description
from upsampling.tables.loss_lines import QUANTITIES, LossRow, differences
from upsampling.tables.markdown_html import trained_markdown
from upsampling.tables.sheet import Column, level, number, spread
from upsampling.tables.table2 import AUDIO_DB

TITLE = "Lines of losses"
CONFIDENCE = 0.95
HEADS = {"silence_dbfs": "Silence (dBFS)", "noise_db": "Noise (dB)", "music_db": "Music (dB)"}


def render(
    table: pd.DataFrame, rows: Sequence[LossRow], scale: str, description: Description
) -> str:
    """The Markdown of `table`, all runs of `loss_lines`: means over seeds and spreads."""
    columns = [Column("Model", "", numeric=False), Column("loss", "", numeric=False)]
    columns += [Column("Gradient (dB)", ""), *(Column(head, "") for head in HEADS.values())]
    cells = []
    for row in rows:
        runs = table[table["variant"] == row.variant]
        names = ("gradient_db", *QUANTITIES)
        cells.append([row.label, row.loss, *(cell(runs[name], name) for name in names)])
    titles = {row.variant: row.label for row in rows}
    notes = [
        sentence(row, titles[row.control], differences(table, row)) for row in rows if row.control
    ]
    caption = (
        f"Lines at multiples of the sampling rate / {comb_factor()}, those of a deep feature loss "
        "through strided convolutions: comb prominence in the gradient of the loss with respect to "
        "the waveform, and in the trained model's outputs for white noise and music; in silence, "
        f"the level of the loudest. At {scale} scale"
    )
    return trained_markdown(TITLE, columns, cells, caption, description, notes)


def cell(values: pd.Series, name: str) -> str:
    """Mean ± standard deviation over seeds; a gradient is the same for all seeds."""
    if name == "silence_dbfs":
        return level(values, AUDIO_DB)
    return number(values.mean(), 1) if name == "gradient_db" else spread(values, 1)


def interval(values: pd.Series) -> tuple[float, float]:
    """Student's 95 % confidence interval of the mean; all of the line for fewer than two values."""
    values = values.dropna()
    if len(values) < 2:
        return -np.inf, np.inf
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.std() / len(values) ** 0.5
    return float(values.mean() - half), float(values.mean() + half)


def sentence(row: LossRow, control: str, changes: pd.DataFrame) -> str:
    """Differences between a loss with strides and its control, and those that are not chance."""
    texts, above = [], []
    for name, (title, _) in QUANTITIES.items():
        values = changes[name].dropna()
        if values.empty:
            continue
        texts.append(f"{title} {spread(values, 1)} dB")
        if interval(values)[0] > 0:
            above.append(title)
    start = f"{row.label} less its control, {control}: {', '.join(texts)}"
    if len(changes) < 2:
        return f"{start}. One seed does not tell whether lines of the loss end up in the output."
    found = f"They end up in the output: {', '.join(above)}" if above else (
        "No line of the loss is found in the output"
    )  # fmt: skip
    return (
        f"{start} (pairs of equal seeds, {len(changes)}). {found} (95 % intervals of the mean "
        "difference above 0)."
    )
