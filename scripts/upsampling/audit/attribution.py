"""Which layer makes which line, by intervention.

Layer l's output is replaced by its mean over each of its periods, and the network runs again. Lines
that vanish are made there. A line of which no single layer's intervention takes half the amplitude
comes from several, whose parts may cancel; their phasors tell: those layers make it whose
intervention changes it by at least half.
"""

from dataclasses import dataclass

import numpy as np

from upsampling.audit.combs import comb_levels, comb_of_lines
from upsampling.audit.network import Floats, Network
from upsampling.audit.steady import Steady, run
from upsampling.audit.upsamplers import Structure

# A layer makes a line if its intervention leaves at most this share of it.
SHARE = 0.5
# Of several, those count whose interventions leave at most this many times what the best one does.
RIVAL = 10.0


@dataclass(frozen=True)
class Attribution:
    """Levels in dBFS of each comb, as it is and with each layer flat; `makers` of each line k.

    `periods` are the combs' in output samples, the coarsest comb first. `makers[k]` are indices of
    layers.
    """

    periods: list[int]
    as_is: list[float]
    flat: list[list[float]]
    makers: list[tuple[int, ...]]


def attribute(
    network: Network, structure: Structure, steady: Steady, values: Floats
) -> Attribution:
    """Flatten each layer in turn, on the constant `values` [channels] that `steady` answers."""
    total = structure.total_stride
    periods, index = comb_of_lines(structure)
    spectrum = np.fft.rfft(steady.period, axis=-1)
    flat, left, changed = [], [], []
    for layer in structure.layers:
        rows = run(network, structure, values, steady.length, [layer.flat])
        period = rows[:, steady.start - total : steady.start + total].reshape(len(rows), 2, total)
        period = period.mean(axis=1)
        flat.append(comb_levels(structure, period))
        other = np.fft.rfft(period, axis=-1)
        left.append(np.linalg.norm(other, axis=0))
        changed.append(np.linalg.norm(spectrum - other, axis=0))
    sizes = np.linalg.norm(spectrum, axis=0)
    makers = [
        makers_of(size, [one[line] for one in left], [one[line] for one in changed])
        if index[line] >= 0
        else ()
        for line, size in enumerate(sizes)
    ]
    return Attribution(periods, comb_levels(structure, steady.period), flat, makers)


def makers_of(size: float, left: list[float], changed: list[float]) -> tuple[int, ...]:
    """The layers that make a line of amplitude `size`, from what each one's intervention leaves.

    `changed` are the amplitudes of the differences. Empty for a line that no layer makes.
    """
    if not left or size == 0:
        return ()
    best = min(left)
    if best <= SHARE * size:
        limit = min(SHARE * size, RIVAL * best)
        return tuple(place for place, one in enumerate(left) if one <= limit)
    limit = SHARE * max(size, *changed)
    return tuple(place for place, one in enumerate(changed) if one >= limit)
