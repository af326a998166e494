"""Attribution of lines to layers, by intervention.

Layer l's output is replaced by its mean over each of its periods, and the network runs again. Lines
that vanish are made there. A line of which no single layer's intervention takes half the amplitude
comes from several, whose parts may cancel; their phasors tell: those layers make it whose
intervention changes it by at least half.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upsampling.audit.combs import comb_levels, comb_of_lines
from upsampling.audit.steady import Steady, run
from upsampling.networks.network import Floats
from upsampling.networks.upsamplers import Structure
from upsampling.theory.filters import Complexes

# A layer makes a line if its intervention leaves at most this share of it.
SHARE = 0.5
# Of several, those count whose interventions leave at most this many times the least amplitude.
RIVAL = 10.0


@dataclass(frozen=True)
class Attribution:
    """Levels in dBFS of each comb, as it is and with each layer flat; and the layers behind each.

    `periods` are the combs' in output samples, the coarsest comb first. `makers[k]` are indices of
    the layers that make line k, `comb_makers` of those that make each comb's lines together.
    """

    periods: list[int]
    as_is: list[float]
    flat: list[list[float]]
    makers: list[tuple[int, ...]]
    comb_makers: list[tuple[int, ...]]


def attribute(structure: Structure, steady: Steady, values: Floats) -> Attribution:
    """Flatten each layer in turn, on the constant `values` [channels] that `steady` answers."""
    total = structure.total_stride
    periods, index = comb_of_lines(structure)
    spectrum = np.fft.rfft(steady.period, axis=-1) / total
    levels, flattened = [], []
    for layer in structure.layers:
        rows = run(structure, values, steady.length, [layer.flat])
        both = rows[:, steady.start - total : steady.start + total].reshape(len(rows), 2, total)
        period = both.mean(axis=1)
        levels.append(comb_levels(structure, period))
        flattened.append(np.fft.rfft(period, axis=-1) / total)
    count, floor = len(index), 10 ** (steady.floor / 20)
    return Attribution(
        periods,
        comb_levels(structure, steady.period),
        levels,
        [_makers(spectrum, flattened, [k], floor) if index[k] >= 0 else () for k in range(count)],
        [
            _makers(spectrum, flattened, np.flatnonzero(index == place), floor)
            for place in range(len(periods))
        ],
    )


def _makers(
    spectrum: Complexes,
    flattened: Sequence[Complexes],
    lines: Sequence[int] | NDArray[np.intp],
    floor: float,
) -> tuple[int, ...]:
    chosen = spectrum[:, lines]
    left = [float(np.linalg.norm(one[:, lines])) for one in flattened]
    changed = [float(np.linalg.norm(chosen - one[:, lines])) for one in flattened]
    size = float(np.linalg.norm(chosen))
    return makers_of(size, left, changed) if size > floor else ()


def makers_of(size: float, left: list[float], changed: list[float]) -> tuple[int, ...]:
    """The layers that make lines of amplitude `size`, from the rest `left` by each intervention.

    `changed` are the amplitudes of the differences. Empty for lines that no layer makes.
    """
    if not left:
        return ()
    best = min(left)
    if best <= SHARE * size:
        limit = min(SHARE * size, RIVAL * best)
        return tuple(place for place, one in enumerate(left) if one <= limit)
    limit = SHARE * max(size, *changed)
    return tuple(place for place, one in enumerate(changed) if one >= limit)
