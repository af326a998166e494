"""The spectrum and the first seconds of an audited recording, for figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upsampling.decibels import power_to_db
from upsampling.recordings.report import RecordingAudit

SECONDS = 6.0


def recording_arrays(audits: Sequence[RecordingAudit]) -> dict[str, NDArray[Any]]:
    """Arrays by name, of the recording whose comb stands out most, or of the first one.

    `place` is its place among the audits, `sound` [samples] the mean of its channels over the first
    seconds, `frequencies` [bins] in Hz and `decibels` [bins] its mean spectrum in dBFS per bin.
    """
    place = max(range(len(audits)), key=lambda index: _largest(audits[index]))
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


def _largest(audit: RecordingAudit) -> float:
    return max((comb.excess_db or 0.0 for comb in audit.found), default=-np.inf)
