"""Combs of lines: which lines a layer can make, their levels, and by how much they stand out.

A layer of period P, in output samples, can make lines at the multiples of fs / P. A line that
several combs share belongs to the coarsest. Levels are RMS in dBFS: a constant 1 has 0 dBFS, a sine
of amplitude 1 has -3.01. Of an output with several channels (sources, stereo), each line and comb
has the level of the channel where it is loudest.

A comb's excess, in dB, is the mean over its lines of their prominence above the spectrum around
them, less that of control bins half the finest spacing below (`measures.from_waveform`): music is
harmonic itself. In silence and for a constant there is nothing around the lines; 16-bit samples
would have their rounding noise there, and no file keeps levels below it.
"""

from math import ceil

import numpy as np

from upsampling.decibels import power_to_db
from upsampling.measures.from_waveform import MINIMUM_SPACING, N_FFT, prominence
from upsampling.networks.network import Floats
from upsampling.networks.upsamplers import Structure

# Well below the rest of lines in an exact period in double precision.
FLOOR_DB = -300.0
# The variance of rounding to 16 bits, 1/12 of a step squared, in a bin of a Hann window.
SIXTEEN_BITS = 2.0**-30 / 12 * 1.5 / N_FFT


def level(power: Floats | float) -> Floats:
    """Powers to dB, at least `FLOOR_DB`; any shape."""
    return power_to_db(power, FLOOR_DB)


def line_powers(period: Floats) -> Floats:
    """Power [channels, S // 2 + 1] of the constant and of each line k fs / S of a period."""
    power = _one_sided(period)
    # Both sides of all but the constant and the Nyquist frequency, which an even S has.
    power[:, 1 : (period.shape[-1] + 1) // 2] *= 2
    return power


def _one_sided(period: Floats) -> Floats:
    return np.abs(np.fft.rfft(period, axis=-1) / period.shape[-1]) ** 2


def comb_of_lines(structure: Structure) -> tuple[list[int], np.ndarray]:
    """The combs' periods in samples, the coarsest comb first, and which comb each line is on.

    A line is on the coarsest comb that holds it: for k = 0 .. S // 2 the index into the periods;
    -1 for the constant.
    """
    total = structure.total_stride
    periods = sorted({layer.period for layer in structure.layers})
    line = np.arange(total // 2 + 1)
    index = np.full(len(line), -1)
    for place in reversed(range(len(periods))):
        index[line * periods[place] % total == 0] = place
    index[0] = -1
    return periods, index


def comb_levels(structure: Structure, period: Floats) -> list[float]:
    """Level in dBFS of each comb: the power sum of those of its lines that no coarser one has."""
    periods, index = comb_of_lines(structure)
    powers = line_powers(period)
    return [
        float(level(powers[:, index == place].sum(axis=-1).max())) for place in range(len(periods))
    ]


def total_level(period: Floats) -> float:
    """Level in dBFS of all lines of a period, without its constant part."""
    return float(level(line_powers(period)[:, 1:].sum(axis=-1).max()))


def resolution(structure: Structure) -> tuple[int, int]:
    """The size of the DFT that has all of the combs' lines on bins, and the finest comb's period.

    The finest comb is the last whose lines are at least `MINIMUM_SPACING` bins apart.
    """
    periods, _ = comb_of_lines(structure)
    finest = max((one for one in periods if one * MINIMUM_SPACING <= N_FFT), default=1)
    return 2 * finest * ceil(N_FFT / (2 * finest)), finest


def excesses(structure: Structure, power: Floats) -> list[tuple[float, float] | None]:
    """Excess of each comb, and its standard error, both in dB; None for combs too fine to resolve.

    From mean power [channels, n_fft // 2 + 1], n_fft of `resolution`; of several channels the one
    with the largest excess. The error is that of a mean of differences between as many bins as the
    comb has lines, if all of them spread as the control bins do.
    """
    n_fft, finest = resolution(structure)
    periods, _ = comb_of_lines(structure)
    lines = np.arange(1, finest // 2 + 1)
    step = n_fft // finest
    tones = np.array([prominence(row, lines * float(step), n_fft) for row in power])
    controls = np.array([prominence(row, (lines - 0.5) * step, n_fft) for row in power])
    spread = controls.std(axis=-1)
    found: list[tuple[float, float] | None] = [None] * len(periods)
    for place, period in enumerate(periods):
        on = lines * period % finest == 0
        for coarser in periods[:place]:
            on &= lines * coarser % finest != 0
        if finest % period == 0 and on.any():
            excess = (tones[:, on] - controls[:, on]).mean(axis=-1)
            loudest = int(np.argmax(excess))
            error = spread[loudest] * np.sqrt(2 / np.count_nonzero(on))
            found[place] = float(excess[loudest]), float(error)
    return found


def steady_excesses(structure: Structure, period: Floats) -> list[float]:
    """Excess in dB of each comb in a steady response, above the rounding noise of 16 bits."""
    periods, index = comb_of_lines(structure)
    over = 10 * np.log10(1 + _one_sided(period) / SIXTEEN_BITS)
    return [float(over[:, index == place].mean(axis=-1).max()) for place in range(len(periods))]
