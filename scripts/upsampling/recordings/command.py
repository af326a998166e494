"""The command `recording`: combs in audio files, given by strides or spacing, or searched for."""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from upsampling.arguments import check_outputs, readers_may_leave
from upsampling.errors import UserError
from upsampling.files import save_arrays, write_json, write_text
from upsampling.measures.from_waveform import comb_spacings
from upsampling.recordings import report
from upsampling.recordings.audio import audio_files, open_recording
from upsampling.recordings.combs import BAND_HZ, measure_combs, usable_band
from upsampling.recordings.page import page
from upsampling.recordings.report import RecordingAudit
from upsampling.recordings.search import search

SECONDS_BETWEEN_LINES = 10.0
# Exit codes: a comb above --fail-above, and a recording that could not be audited.
ABOVE, NOT_AUDITED = 1, 2


def audit_recording(
    path: str | Path,
    strides: Sequence[int] | None = None,
    spacing: float | None = None,
    band: tuple[float, float] = BAND_HZ,
) -> RecordingAudit:
    """Audit one audio file: for combs of a decoder's `strides` (deepest first), or of `spacing` in
    Hz, or of any spacing that a decoder can have.

    Raises `UserError` for files that cannot be audited, with one line that says why.
    """
    recording = open_recording(path)
    found = None
    if strides is not None:
        spacings = comb_spacings(strides, recording.samplerate)
    elif spacing is not None:
        spacings = [spacing]
    else:
        found = search(recording, band)
        spacings = found.found
        if not spacings:
            return RecordingAudit(recording, found.spectrum, (), found.band_hz, found)
    combs, spectrum = measure_combs(recording, spacings, band)
    usable = usable_band(recording.samplerate, band)
    return RecordingAudit(recording, spectrum, tuple(combs), usable, found)


def strides_of(text: str) -> list[int]:
    """Strides, deepest layer first, from text as '8,8,4'."""
    with suppress(ValueError):
        strides = [int(part) for part in text.split(",")]
        if min(strides) >= 1 and math.prod(strides) >= 2:
            return strides
    raise argparse.ArgumentTypeError(
        f"'{text}': give whole numbers, the deepest layer's stride first, as 8,8,4"
    )


def band_of(text: str) -> tuple[float, float]:
    """Edges of a band in Hz from text as '5000,16000'."""
    with suppress(ValueError):
        low, high = map(float, text.split(","))
        if 0 < low < high < math.inf:
            return low, high
    raise argparse.ArgumentTypeError(f"'{text}': give two frequencies in Hz, as 5000,16000")


def positive(text: str) -> float:
    """A positive finite number."""
    with suppress(ValueError):
        if 0 < (value := float(text)) < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")


def finite(text: str) -> float:
    """A finite number."""
    if math.isfinite(value := float(text)):
        return value
    raise argparse.ArgumentTypeError(f"'{text}' is not a finite number")


def add_recording(subparsers: Any) -> None:
    """Add the command to the subparsers of a program."""
    parser = subparsers.add_parser(
        "recording",
        help="combs of tones in audio files",
        description="Measure combs of tones that a decoder's upsampling layers can leave in audio "
        "files. " + report.CAVEAT,
        epilog="Exit status: 0; 1 if a comb is above --fail-above; 2 if a file could not be "
        "audited.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE",
                        help="audio files, or folders that hold some")  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--strides", type=strides_of, metavar="S,S,..",
                       help="a decoder's strides, the deepest layer's first, as 8,8,4")  # fmt: skip
    which.add_argument("--spacing", type=positive, metavar="HZ", help="spacing of a comb")
    which.add_argument("--blind", action="store_true", help="search for combs (the default)")
    parser.add_argument("--band", type=band_of, default=BAND_HZ, metavar="LOW,HIGH",
                        help="where combs are measured, in Hz (5000,16000)")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="F", help="write all numbers to this file")
    parser.add_argument("--html", type=Path, metavar="F", help="write a page to this file")
    parser.add_argument("--arrays", type=Path, metavar="F",
                        help="write the clearest comb's spectrum to this .npz file")  # fmt: skip
    parser.add_argument("--fail-above", type=finite, default=math.inf, metavar="DB",
                        help="exit with 1 if a comb's excess is above")  # fmt: skip
    parser.set_defaults(function=run_recording)


def run_recording(arguments: argparse.Namespace) -> int:
    """Audit all files, print and write the reports, and return the exit status."""
    files, problems = audio_files(arguments.files)
    outputs = {f"--{name}": getattr(arguments, name) for name in ("json", "html", "arrays")}
    check_outputs(outputs, files)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    audits = []
    with _Progress(len(files)) as progress:
        for path in files:
            try:
                audit = audit_recording(path, arguments.strides, arguments.spacing, arguments.band)
            except (UserError, OSError, MemoryError) as error:
                problems.append(_one_line(path, error))
                progress.say(f"error: {problems[-1]}", sys.stderr)
            else:
                audits.append(audit)
                progress.say(report.text(audit), sys.stdout)
            progress.update()
    if arguments.json:
        recordings = [report.as_json(audit) for audit in audits]
        write_json(arguments.json, {"recordings": recordings, "errors": problems})
    if arguments.arrays and audits:
        save_arrays(arguments.arrays, report.arrays(audits))
    if arguments.html:
        write_text(arguments.html, page(audits, problems))
    with readers_may_leave(sys.stdout):
        if len(files) > 1:
            print(f"\n{report.summary(audits, problems)}")
        if audits:
            print(report.CAVEAT)
    return _status(audits, problems, arguments.fail_above)


def _one_line(path: Path, error: Exception) -> str:
    known = isinstance(error, UserError)
    return report.printable(str(error) if known else f"{path}: {type(error).__name__}: {error}")


def _status(audits: Sequence[RecordingAudit], problems: Sequence[str], limit: float) -> int:
    above = [audit for audit in audits if audit.largest_excess > limit]
    for audit in above:
        print(f"{audit.name}: a comb's excess is above {limit:g} dB", file=sys.stderr)
    return NOT_AUDITED if problems else ABOVE if above else 0


class _Progress(tqdm):
    """A bar on a terminal, a line now and then elsewhere; nothing for a single file."""

    def __init__(self, files: int) -> None:
        self.files, self.done, self.last = files, 0, time.monotonic()
        hidden = files < 2 or not sys.stderr.isatty()
        super().__init__(total=files, unit=" files", leave=False, disable=hidden)

    def say(self, message: str, stream: Any) -> None:
        """Print `message` without breaking the bar."""
        with readers_may_leave(stream):
            self.write(message, file=stream)

    def update(self, n: float | None = 1) -> None:
        """Count files."""
        self.done += round(n or 0)
        super().update(n)
        now = time.monotonic()
        if self.files > 1 and self.disable and now - self.last > SECONDS_BETWEEN_LINES:
            self.last = now
            print(f"{self.done} of {self.files} files", file=sys.stderr, flush=True)
