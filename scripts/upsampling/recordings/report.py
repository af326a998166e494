"""A recording's audit as JSON and in words: measurements, not their origin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from upsampling.recordings.audio import Recording
from upsampling.recordings.combs import Comb
from upsampling.recordings.known_decoders import decoders_with
from upsampling.recordings.search import THRESHOLD, BlindSearch
from upsampling.recordings.spectrum import RecordingSpectrum

CAVEAT = (
    "A comb is measured, not its origin: tempo loops, filter banks of codecs and other processing "
    "in frames leave combs, too, and a decoder need not leave one."
)


@dataclass(frozen=True)
class RecordingAudit:
    """Result of one recording: combs (coarsest first; none where a blind search found none).

    `search` is None where the spacings were given. `spectrum` is that on which the combs, or
    without them the search, were measured; `band_hz` the band.
    """

    recording: Recording
    spectrum: RecordingSpectrum
    combs: tuple[Comb, ...]
    band_hz: tuple[float, float]
    search: BlindSearch | None

    @property
    def name(self) -> str:
        """The path as it was given, in one printable line."""
        return printable(str(self.recording.path))

    @property
    def largest_excess(self) -> float | None:
        """Largest excess in dB of a comb, or None."""
        return max((c.excess_db for c in self.combs if c.excess_db is not None), default=None)

    @property
    def found(self) -> list[Comb]:
        """Combs that stand out."""
        return list(self.combs) if self.search else [comb for comb in self.combs if comb.found]


def printable(text: str) -> str:
    """Text with every character replaced that would break a line, or that is none in Unicode."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def verdict(audit: RecordingAudit) -> str:
    """One sentence: which combs stand out, by how much, and which decoders have them."""
    low, high = (f"{edge / 1000:.3g}" for edge in audit.band_hz)
    where = f"between {low} and {high} kHz"
    if not audit.found:
        if audit.search is None:
            return f"No comb of the given spacing stands out {where}."
        best = audit.search.best
        if best.score <= 0:
            return f"No comb found {where}: no spacing's lines are above the level between them."
        return (
            f"No comb found {where}: the best spacing, {best.spacing_hz:.2f} Hz, scores "
            f"{best.score:.1f}, and {THRESHOLD:g} is needed."
        )
    finest = audit.found[-1]
    rate = audit.recording.samplerate
    stride = rate / finest.spacing_hz
    others = [comb for comb in audit.found if comb is not finest]
    listed = ", ".join(f"{comb.spacing_hz:.2f} Hz (excess {_decibels(comb)})" for comb in others)
    names = decoders_with(finest.spacing_hz)
    known = (
        f"Decoders with such a comb: {'; '.join(names)}."
        if names
        else "None of the decoders known here has it."
    )
    return (
        f"A comb of spacing {finest.spacing_hz:.2f} Hz, {rate} Hz / {stride:.6g}, stands out by "
        f"{_decibels(finest)} {where}{f', with its coarser ones of {listed}' if others else ''}. "
        f"{known}"
    )


def _decibels(comb: Comb) -> str:
    return "-" if comb.excess_db is None else f"{comb.excess_db:.1f} dB"


def as_json(audit: RecordingAudit) -> dict[str, Any]:
    """The audit as JSON data; levels in dBFS, spacings in Hz, excess and prominence in dB."""
    spectrum, search = audit.spectrum, audit.search
    return {
        "file": audit.name,
        "codec": audit.recording.codec,
        "samplerate": audit.recording.samplerate,
        "channels": audit.recording.channels,
        "seconds": round(spectrum.seconds, 3),
        "level_dbfs": round(spectrum.level_dbfs, 2),
        "peak": round(spectrum.peak, 6),
        "band_hz": list(audit.band_hz),
        "frame_seconds": spectrum.n_fft / spectrum.samplerate,
        "found": bool(audit.found),
        "combs": [_comb(comb, audit) for comb in audit.combs],
        "blind": None if search is None else _search(search),
        "verdict": verdict(audit),
        "caveat": CAVEAT,
    }


def _comb(comb: Comb, audit: RecordingAudit) -> dict[str, Any]:
    return {
        "spacing_hz": comb.spacing_hz,
        "samplerate_over_spacing": audit.recording.samplerate / comb.spacing_hz,
        "lines_in_band": comb.lines_in_band,
        "excess_db": _rounded(comb.excess_db),
        "error_db": _rounded(comb.error_db),
        "stands_out": comb in audit.found,
        "level_dbfs": round(comb.level_dbfs, 2),
        "stationarity": _rounded(comb.stationarity),
        "decoders": decoders_with(comb.spacing_hz),
        "lines": [
            {
                "frequency_hz": line.frequency_hz,
                "level_dbfs": round(line.level_dbfs, 2),
                "prominence_db": round(line.prominence_db, 2),
                "stationarity": round(line.stationarity, 3),
            }
            for line in comb.lines
        ],
    }


def _search(search: BlindSearch) -> dict[str, Any]:
    return {
        "threshold": THRESHOLD,
        "trials": len(search.trials),
        "best": [
            {
                "spacing_hz": trial.spacing_hz,
                "samplerate": trial.samplerate,
                "total_stride": trial.total_stride,
                "score": round(trial.score, 2),
                "excess_db": round(trial.excess_db, 2),
            }
            for trial in search.trials[:8]
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def text(audit: RecordingAudit) -> str:
    """The audit for a terminal: a heading, the verdict, and a table of combs."""
    spectrum = audit.spectrum
    lines = [
        f"{audit.name}: {audit.recording.codec}, {audit.recording.samplerate} Hz, "
        f"{audit.recording.channels} channel{'s' * (audit.recording.channels > 1)}, "
        f"{spectrum.seconds:.1f} s, "
        f"{spectrum.level_dbfs:.1f} dBFS",
        f"  {verdict(audit)}",
    ]
    if audit.combs:
        lines.append(
            "  spacing Hz  rate/spacing  lines  excess dB     +-  level dBFS  stationarity"
        )
    for comb in audit.combs:
        excess = "-" if comb.excess_db is None else f"{comb.excess_db:.2f}"
        error = "-" if comb.error_db is None else f"{comb.error_db:.2f}"
        steady = "-" if comb.stationarity is None else f"{comb.stationarity:.2f}"
        ratio = audit.recording.samplerate / comb.spacing_hz
        lines.append(
            f"  {comb.spacing_hz:10.3f}  {ratio:12.6g}  {comb.lines_in_band:5d}  {excess:>9}  "
            f"{error:>5}  {comb.level_dbfs:10.1f}  {steady:>12}"
        )
    return "\n".join(lines)


def summary(audits: Sequence[RecordingAudit], problems: Sequence[str]) -> str:
    """A table of one line per recording, and how many had a comb."""
    width = min(max([len(audit.name) for audit in audits] + [4]), 60)
    lines = [f"{'file':{width}}  finest comb Hz  rate/spacing  excess dB"]
    for audit in audits:
        name = audit.name if len(audit.name) <= width else f"..{audit.name[2 - width :]}"
        if not audit.found:
            lines.append(f"{name:{width}}  {'none':>14}")
            continue
        finest = audit.found[-1]
        ratio = audit.recording.samplerate / finest.spacing_hz
        excess = "-" if finest.excess_db is None else f"{finest.excess_db:.2f}"
        lines.append(f"{name:{width}}  {finest.spacing_hz:14.3f}  {ratio:12.6g}  {excess:>9}")
    with_comb = sum(bool(audit.found) for audit in audits)
    failed = f"; {len(problems)} could not be audited" if problems else ""
    lines.append(f"{with_comb} of {len(audits)} recordings have a comb that stands out{failed}.")
    return "\n".join(lines)
