"""The audit of recordings as one HTML file that loads nothing and runs no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.html_pages import policy, templates
from upsampling.measures.from_waveform import Floats, comb_frequencies
from upsampling.recordings.report import CAVEAT, RecordingAudit, verdict
from upsampling.recordings.search import residual_decibels

FOLDER = Path(__file__).parent
# Of a plot's curve; and below, of its coordinates.
COLUMNS = 480
WIDTH, HEIGHT, LEFT, BOTTOM = 720.0, 200.0, 44.0, 26.0
RANGE_DB = 100.0
RESIDUAL_DB = (0.0, 12.0)
# Combs with more lines than this in the spectrum have their own plot: around a line.
MOST_MARKS = 100


@dataclass(frozen=True)
class Mark:
    """A place on an axis in plot coordinates, with its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Plot:
    """A curve as SVG points, the ticks of both axes, and marks of comb lines; and in words."""

    title: str
    description: str
    points: str
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    lines: tuple[float, ...]
    unit: str


def page(audits: Sequence[RecordingAudit], problems: Sequence[str]) -> str:
    """HTML of all audits and of the files that failed. Equal audits give equal bytes."""
    style = (FOLDER / "page.css").read_text()
    template = templates(FOLDER).get_template("page.html.j2")
    return template.render(
        entries=[(audit, verdict(audit), plots(audit)) for audit in audits],
        problems=problems,
        with_comb=sum(bool(audit.found) for audit in audits),
        caveat=CAVEAT,
        style=style,
        policy=policy(style, sounds=False),
        frame=(WIDTH, HEIGHT, LEFT, BOTTOM),
    )


def plots(audit: RecordingAudit) -> list[Plot]:
    """The mean spectrum, its residual, and the mean residual around a line of the finest comb."""
    spectrum = audit.spectrum
    residual = residual_decibels(spectrum.power, spectrum.bin_hz)
    combs = [comb_frequencies(comb.spacing_hz, spectrum.samplerate) for comb in audit.found]
    lines = next((comb for comb in reversed(combs) if len(comb) <= MOST_MARKS), np.zeros(0))
    of_lines = f" Marked: multiples of {lines[0]:.2f} Hz." if len(lines) else ""
    across = (0.0, spectrum.samplerate / 2)
    found = [
        _plot(
            "Mean spectrum", f"Level in dB re the largest bin against frequency.{of_lines}",
            _columns(10 * np.log10(spectrum.power / spectrum.power.max())),
            across, (-RANGE_DB, 0.0), lines, "kHz",
        ),
        _plot(
            "Residual", f"Mean spectrum less its running median, in dB.{of_lines}",
            _columns(residual), across, RESIDUAL_DB, lines, "kHz",
        ),
    ]  # fmt: skip
    if audit.found:
        finest = audit.found[-1].spacing_hz
        profile = around_a_line(residual, spectrum.bin_hz, finest, audit.band_hz)
        low, high = float(np.floor(profile.min())), float(np.ceil(profile.max()))
        found.append(
            _plot(
                "Around a line",
                f"Mean residual in dB over all multiples of {finest:.2f} Hz in the band, against "
                "the distance from the multiple in Hz.",
                profile, (-finest / 2, finest / 2), (low, max(high, low + 1)), np.zeros(1), "Hz",
            )
        )  # fmt: skip
    return found


def around_a_line(
    residual: Floats, bin_hz: float, spacing: float, band: tuple[float, float]
) -> Floats:
    """Mean of `residual` [bins] at equal distances from the multiples of `spacing` in the band."""
    lines = np.arange(np.ceil(band[0] / spacing), np.floor(band[1] / spacing)) * spacing
    points = min(COLUMNS, 2 * int(spacing / bin_hz / 2) + 1)
    offsets = np.linspace(-spacing / 2, spacing / 2, points)
    bins = np.rint((lines[:, None] + offsets) / bin_hz).astype(np.intp)
    return residual[np.clip(bins, 0, len(residual) - 1)].mean(axis=0)


def _columns(values: Floats) -> Floats:
    """Maximum of each of `COLUMNS` equal parts, so that lines of one bin stay."""
    edges = np.linspace(0, len(values), COLUMNS + 1).astype(np.intp)
    return np.maximum.reduceat(values, edges[:-1])


def _plot(
    title: str, description: str, values: Floats, across: tuple[float, float],
    up: tuple[float, float], lines: Floats, unit: str,
) -> Plot:  # fmt: skip
    """Scale `values`, spread evenly over the range `across`, to the plot's coordinates."""
    width, height = WIDTH - LEFT, HEIGHT - BOTTOM

    def x(value: Any) -> Any:
        return LEFT + (value - across[0]) / (across[1] - across[0]) * width

    def y(value: Any) -> Any:
        return (up[1] - np.clip(value, *up)) / (up[1] - up[0]) * height

    places = np.linspace(LEFT, WIDTH, len(values))
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(places, y(values), strict=True))
    scale = 1000 if unit == "kHz" else 1
    return Plot(
        title, description, points,
        tuple(Mark(float(x(t)), f"{t / scale:g}") for t in _ticks(*across)),
        tuple(Mark(float(y(t)), f"{t:g}") for t in _ticks(*up)),
        tuple(float(x(line)) for line in lines),
        unit,
    )  # fmt: skip


def _ticks(low: float, high: float) -> list[float]:
    """Four to nine round numbers of the range: multiples of 1, 2 or 5 times a power of ten."""
    magnitude = 10.0 ** np.floor(np.log10((high - low) / 8))
    step = next(m * magnitude for m in (1, 2, 5, 10) if (high - low) / (m * magnitude) <= 8)
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(n * step) + 0.0 for n in np.arange(first, last + 1)]
