"""The exact response to a constant: one period of the steady output, and its lines.

An input that is constant in time gives, away from the borders, an output of period S, the total
stride. The DFT of one period holds the lines at k fs / S, and nothing leaks between them. Recurrent
layers settle slowly, so the input is lengthened until neighbouring periods agree, and those of the
last two lengths; where they never do, the report says how far apart they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from upsampling.audit.combs import FLOOR_DB, level
from upsampling.decibels import amplitude_to_db
from upsampling.networks.network import Flat, Floats, NetworkError
from upsampling.networks.upsamplers import Structure

# Periods of output, at least, around the two that are compared.
PERIODS = 8
# Output samples of the longest run: 24 s at 44.1 kHz.
LONGEST = 1 << 20
# Periods agree if they differ by this many roundings of the largest sample.
AGREEMENT = 64
# Rest of an exact zero by a network's arithmetic, in roundings of the largest sample: lines of
# MelGAN and of trained Demucs-like models in single precision lie within 0.4 of those in double.
ROUNDINGS = 4


@dataclass(frozen=True)
class Steady:
    """One period [channels, S] of an output, from the output sample `start` of a run of `length`.

    `floor` in dBFS is the level below which a line may be rounding, or not settled;
    `difference` in dBFS that of the difference between neighbouring periods.
    """

    period: Floats
    start: int
    length: int
    settled: bool
    difference: float
    floor: float


def run(structure: Structure, values: Floats, length: int, flat: Sequence[Flat] = ()) -> Floats:
    """Output [channels, time] for `length` samples or frames of the constant `values` [channels].

    Raises `NetworkError` if it has samples that are not finite.
    """
    inputs = np.repeat(np.asarray(values, dtype=np.float64)[:, None], length, axis=1)
    return output_rows(structure, inputs, flat, "its output for a constant")


def output_rows(
    structure: Structure, inputs: Floats, flat: Sequence[Flat] = (), subject: str = "its output"
) -> Floats:
    """Output for `inputs` as float64 [channels, time], whatever its shape.

    Raises `NetworkError` if it has samples that are not finite; `subject` stands for it there.
    """
    output, _ = structure.network.run(inputs, flat)
    moved = np.moveaxis(output, structure.axis, -1)
    rows = np.asarray(moved, dtype=np.float64).reshape(-1, moved.shape[-1])
    if not np.isfinite(rows).all():
        raise NetworkError(f"{subject} has samples that are not finite")
    return rows


def settle(structure: Structure, values: Floats, length: int | None = None) -> Steady:
    """The steady period of the response to the constant `values` [channels].

    The input is doubled until the response is steady. A `length` at which another constant's was
    steady is the first that is tried, and enough if this one's is as well.
    """
    total, epsilon = structure.total_stride, structure.network.epsilon
    before: Floats | None = None
    enough = length is not None
    length = length or lengthened(structure, structure.length, PERIODS * total)
    while True:
        rows = run(structure, values, length)
        early, late, start = periods_of(rows, total)
        peak = float(np.abs(rows).max())
        apart = np.abs(early - late).max()
        if before is not None:
            apart = max(apart, np.abs(before - late).max())
        settled = bool(apart <= AGREEMENT * epsilon * peak)
        if (settled and (enough or before is not None)) or 2 * rows.shape[-1] > LONGEST:
            difference = float(level(np.mean((early - late) ** 2, axis=-1).max()))
            rounding = float(amplitude_to_db(ROUNDINGS * epsilon * peak, FLOOR_DB))
            period = (early + late) / 2
            return Steady(period, start, length, settled, difference, max(rounding, difference))
        before = late
        length = lengthened(structure, 2 * length, 0)


def periods_of(rows: Floats, total: int) -> tuple[Floats, Floats, int]:
    """Two neighbouring periods from the middle of `rows` [channels, time], and the second's start.

    Raises `NetworkError` if the output is too short.
    """
    middle = rows.shape[-1] // 2 // total * total
    if middle < total or middle + total > rows.shape[-1]:
        raise NetworkError(f"its output of {rows.shape[-1]} samples has no two periods of {total}")
    return rows[:, middle - total : middle], rows[:, middle : middle + total], middle


def lengthened(structure: Structure, length: int, output: int) -> int:
    """The least length of input, from `length` on, that fits the strides and adds `output`."""
    wanted = max(length - structure.length, ceil(output / structure.rate), 0)
    return structure.length + -(-wanted // structure.step) * structure.step
