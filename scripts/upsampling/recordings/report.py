"""A recording's audit as JSON, as arrays and in words: measurements, not their origin."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upsampling.decibels import power_to_db
from upsampling.recordings.audio import Recording
from upsampling.recordings.combs import Comb, Line
from upsampling.recordings.known_decoders import decoders_with
from upsampling.recordings.search import THRESHOLD, BlindSearch, Trial
from upsampling.recordings.spectrum import RecordingSpectrum

CAVEAT = (
    "A comb is measured, not its origin: tempo loops, filter banks of codecs and other processing "
    "in frames leave combs, too, and a decoder need not leave one."
)
UNKNOWN = "None of the decoders known here has it."
# Of a recording's sound among the arrays.
SECONDS = 6.0


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
    def largest_excess(self) -> float:
        """Largest excess in dB of a comb; -inf if none has one."""
        return max((c.excess_db for c in self.combs if c.excess_db is not None), default=-np.inf)

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
    *others, finest = audit.found
    rate, names = audit.recording.samplerate, "; ".join(decoders_with(finest.spacing_hz))
    listed = ", ".join(
        f"{comb.spacing_hz:.2f} Hz (excess {_digits(comb.excess_db, 1, ' dB')})" for comb in others
    )
    return (
        f"A comb of spacing {finest.spacing_hz:.2f} Hz, {rate} Hz / {rate / finest.spacing_hz:.6g},"
        f" stands out by {_digits(finest.excess_db, 1, ' dB')} {where}"
        f"{f', with its coarser ones of {listed}' if others else ''}. "
        + (f"Decoders with such a comb: {names}." if names else UNKNOWN)
    )


def _digits(value: float | None, digits: int = 2, unit: str = "") -> str:
    return "-" if value is None else f"{value:.{digits}f}{unit}"


def as_json(audit: RecordingAudit) -> dict[str, Any]:
    """The audit as JSON data; levels in dBFS, spacings in Hz, excess and prominence in dB."""
    spectrum, search = audit.spectrum, audit.search
    blind = search and {
        "threshold": THRESHOLD,
        "trials": len(search.trials),
        "best": [_fields(trial, score=2, excess_db=2) for trial in search.trials[:8]],
    }
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
        "blind": blind,
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
        "lines": [_fields(x, level_dbfs=2, prominence_db=2, stationarity=3) for x in comb.lines],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _fields(item: Line | Trial, **digits: int) -> dict[str, Any]:
    """The fields of `item`, those with `digits` rounded."""
    return asdict(item) | {name: round(getattr(item, name), n) for name, n in digits.items()}


def arrays(audits: Sequence[RecordingAudit]) -> dict[str, NDArray[Any]]:
    """Arrays by name, of the recording whose comb stands out most, or of the first one.

    `place` is its place among the audits, `sound` [samples] the mean of its channels over the first
    `SECONDS`, `frequencies` [bins] in Hz and `decibels` [bins] its mean spectrum in dBFS per bin.
    """
    heights = [max((c.excess_db or 0.0 for c in one.found), default=-np.inf) for one in audits]
    place = int(np.argmax(heights))
    recording, spectrum = audits[place].recording, audits[place].spectrum
    wanted = int(SECONDS * recording.samplerate)
    sound = np.zeros(0, np.float32)
    for block in recording.blocks():
        sound = np.append(sound, block.mean(axis=1).astype(np.float32))
        if len(sound) >= wanted:
            break
    return {
        "place": np.array(place),
        "samplerate": np.array(recording.samplerate),
        "sound": sound[:wanted],
        "frequencies": np.arange(len(spectrum.power)) * spectrum.bin_hz,
        "decibels": power_to_db(2 * spectrum.power).astype(np.float32),
    }


def text(audit: RecordingAudit) -> str:
    """The audit for a terminal: a heading, the verdict, and a table of combs."""
    recording, spectrum = audit.recording, audit.spectrum
    lines = [
        f"{audit.name}: {recording.codec}, {recording.samplerate} Hz, "
        f"{recording.channels} channel{'s' * (recording.channels > 1)}, "
        f"{spectrum.seconds:.1f} s, {spectrum.level_dbfs:.1f} dBFS",
        f"  {verdict(audit)}",
    ]
    if audit.combs:
        lines.append(
            "  spacing Hz  rate/spacing  lines  excess dB     +-  level dBFS  stationarity"
        )
    for comb in audit.combs:
        lines.append(
            f"  {comb.spacing_hz:10.3f}  {recording.samplerate / comb.spacing_hz:12.6g}  "
            f"{comb.lines_in_band:5d}  {_digits(comb.excess_db):>9}  {_digits(comb.error_db):>5}  "
            f"{comb.level_dbfs:10.1f}  {_digits(comb.stationarity):>12}"
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
        ratio, excess = audit.recording.samplerate / finest.spacing_hz, _digits(finest.excess_db)
        lines.append(f"{name:{width}}  {finest.spacing_hz:14.3f}  {ratio:12.6g}  {excess:>9}")
    with_comb = sum(bool(audit.found) for audit in audits)
    failed = f"; {len(problems)} could not be audited" if problems else ""
    lines.append(f"{with_comb} of {len(audits)} recordings have a comb that stands out{failed}.")
    return "\n".join(lines)
