"""Statements of Sec. 6 that hold in a run, by its scores and its tones in silence."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from upsampling.tables.table1 import ScoreRow
from upsampling.tables.table2 import AUDIO_DB, SILENCE_LEVEL, by_seed

LEARNED = ("transposed", "subpixel")
INTERPOLATIONS = ("nearest", "interpolation")


@dataclass(frozen=True)
class Statement:
    """A statement, whether it is true of each of its cases, and their numbers."""

    text: str
    cases: Sequence[bool]
    numbers: str

    @property
    def verdict(self) -> str:
        """One of 'holds', 'holds in part', 'does not hold'."""
        if all(self.cases):
            return "holds"
        return "holds in part" if any(self.cases) else "does not hold"


def footnote(
    rows: Sequence[ScoreRow],
    table: pd.DataFrame,
    comparisons: pd.DataFrame | None,
    artifacts: pd.DataFrame | None,
) -> str:
    """A footnote to Table 1 on the statements that these rows can test, '' without any.

    `table` is Table 1, `comparisons` as `significance.compare` gives them, `artifacts` as
    `artifact_rows.read_rows` does. A statement is left out where a table that it needs is None, or
    no row is of the families that it is about.
    """
    scored = table[table["variant"] != ""].dropna(subset="sdr")
    sdr = dict(zip(scored["variant"], scored["sdr"], strict=True))
    scores = score_statements(rows, sdr, comparisons)
    tones = [] if artifacts is None else tone_statements(rows, artifacts)
    statements = scores + tones
    if not statements:
        return ""
    holding = sum(statement.verdict == "holds" for statement in statements)
    parts = [
        f"({place}) {statement.text}: {statement.verdict} ({statement.numbers})"
        for place, statement in enumerate(statements, 1)
    ]
    text = f"Statements of Sec. 6 that hold in this run: {holding} of {len(parts)}. "
    text += f"{'; '.join(parts)}."
    if tones:
        text += f" Tones count above {AUDIO_DB:g} dBFS, the rounding of 24-bit audio."
    return text


def score_statements(
    rows: Sequence[ScoreRow], sdr: dict[str, float], comparisons: pd.DataFrame | None
) -> list[Statement]:
    """The statements on scores; `sdr` in dB by variant."""
    scored = [row for row in rows if row.variant in sdr]
    differing = differing_pairs(comparisons)

    def above(text: str, upper: str, lower: str, numbers: str) -> Statement:
        alike = differing.get(frozenset((upper, lower))) is False
        apart = "; not told apart on these tracks" if alike else ""
        values = numbers.format(sdr[upper], sdr[lower])
        return Statement(text, [sdr[upper] > sdr[lower]], values + apart)

    def ranked(*families: str) -> list[str]:
        names = [row.variant for row in scored if row.family in families]
        return sorted(names, key=lambda name: sdr[name])

    statements = []
    learned, interpolating = ranked(*LEARNED), ranked(*INTERPOLATIONS)
    if learned and interpolating:
        text = "transposed and subpixel models score above all interpolation-based ones"
        numbers = "at least {:.2f} dB against at most {:.2f} dB"
        statements.append(above(text, learned[0], interpolating[-1], numbers))
    nearest, others = ranked("nearest"), ranked("interpolation")
    if nearest and others:
        text = "nearest neighbor scores best among the interpolation-based models"
        statements.append(above(text, nearest[-1], others[-1], "{:.2f} dB against {:.2f} dB"))
    pairs = [(row, frozenset((row.variant, row.original))) for row in scored if row.original in sdr]
    compared = [(row, differing[pair]) for row, pair in pairs if pair in differing]
    if compared:
        numbers = "; ".join(
            f"{row.label}: {sdr[row.variant] - sdr[row.original]:+.2f} dB, "
            f"{'told apart' if differs else 'not told apart'}"
            for row, differs in compared
        )
        text = "modified models perform like their originals"
        statements.append(Statement(text, [not differs for _, differs in compared], numbers))
    return statements


def differing_pairs(comparisons: pd.DataFrame | None) -> dict[frozenset[str], bool]:
    """True for pairs of rows that differ; pairs without a common track are left out."""
    if comparisons is None:
        return {}
    pairs = comparisons.dropna(subset="p")
    names = map(frozenset, zip(pairs["first"], pairs["second"], strict=True))
    return dict(zip(names, map(bool, pairs["differs"]), strict=True))


def tone_statements(rows: Sequence[ScoreRow], artifacts: pd.DataFrame) -> list[Statement]:
    """The statements on the loudest tone in the output for silence after training.

    Tones survive where the seed with the softest one has one, and are absent where the seed with
    the loudest one has none. Only models with tones before training can keep them.
    """

    def levels(row: ScoreRow, stage: str) -> list[float]:
        return by_seed(artifacts, SILENCE_LEVEL, row.variant, stage).tolist()

    tonal, interpolating = [], []
    for row in rows:
        after = levels(row, "trained")
        if after and row.family in INTERPOLATIONS:
            interpolating.append(max(after))
        before = max(levels(row, "initialised"), default=AUDIO_DB)
        if after and row.family in LEARNED and not row.original and before > AUDIO_DB:
            tonal.append((row.label, min(after)))
    statements = []
    if tonal:
        text = "tones of transposed and subpixel models survive training in silence"
        numbers = "; ".join(f"{label}: {level:.1f} dBFS" for label, level in tonal)
        statements.append(Statement(text, [level > AUDIO_DB for _, level in tonal], numbers))
    if interpolating:
        text = "interpolation-based models have no tones in silence"
        numbers = f"at most {max(interpolating):.1f} dBFS"
        statements.append(Statement(text, [v <= AUDIO_DB for v in interpolating], numbers))
    return statements
