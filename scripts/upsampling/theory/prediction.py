"""Predicted spectrum of a stack of linear upsamplers: lines, valleys and replicas (Sec. 5).

Write the input as its mean c and the rest x. By the noble identity (see `taps`) the stack is zero
insertion by S = s_1 .. s_l and one filter G, with an offset of period S. Hence

* c and all biases come out as a signal of period S: lines at k / S of the output rate, and nothing
  between them. Line k is exact; its level is |A[k]|, A the DFT of one period over S.
* x comes out as its replicas, copies of its spectrum around all multiples of its rate, colored by
  |G(f)|^2. For white noise of variance v that is |G(f)|^2 v / S, which needs no other input.

The layer that a line belongs to: layer m puts lines at multiples of its input rate R_{m-1} that are
no multiples of its output rate R_m. Those up to R_m / 2 are the layer's own tones; those above
appear when later layers raise the rate, as replicas of them, R_m j +- f. An interpolation has its
zeros in these same places, and they are replicated alike: valleys.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from upsampling.config.figures import Stack
from upsampling.decibels import power_to_db
from upsampling.measures.spectra import N_FFT, hann_transform, mean_spectrum
from upsampling.probes.operator_stack import stack_layers
from upsampling.theory.filters import Filters
from upsampling.theory.taps import added_noise, operator_taps

Array = NDArray[Any]
Floats = NDArray[np.floating[Any]]

# A gain this far below the largest one is a zero in single precision.
ZERO_DB = -80.0
# Lines below the display's floor and the rounding of single precision count as none.
LINE_DB = -110.0
HANN_NOISE = 1.5


class Line(NamedTuple):
    """A place where a stack may have a tone or a valley: at `k` times the rate of its input.

    It belongs to `layer`, counted from 1, the deepest; `replica` says that it lies above half of
    that layer's output rate.
    """

    k: int
    layer: int
    replica: bool


def line_amplitudes(filters: Filters, period: ArrayLike) -> Floats:
    """|A[k]| [out, S], k = 0 .. S - 1, of the output for an endless signal of `period` [in, p].

    S is the stride times p, and line k stands at k / S of the output rate.
    """
    output = filters.steady_output(period)
    return np.abs(np.fft.fft(output, axis=-1)) / output.shape[-1]


def line_arrays(name: str, amplitudes: Floats, samplerate: int) -> dict[str, Array]:
    """`{name}_lines` Hz and `{name}_levels` dB [S // 2] of lines |A[k]| [S] above 0 Hz."""
    lines = np.arange(1, len(amplitudes) // 2 + 1)
    return {
        f"{name}_lines": lines * samplerate / len(amplitudes),
        f"{name}_levels": power_to_db(amplitudes[lines] ** 2),
    }


def hann_lobes(amplitudes: Floats, n_fft: int) -> Floats:
    """Power [n_fft // 2 + 1] of lines |A[k]| [S] at k / S, in the units of `mean_spectrum`.

    Lines several bins apart do not interfere, so their powers add.
    """
    bins = np.arange(n_fft // 2 + 1)
    power = np.zeros(len(bins))
    for line, amplitude in enumerate(amplitudes):
        # From the nearest of the line's periods, one of which lies within half a spectrum.
        distance = (bins - line * n_fft / len(amplitudes) + n_fft / 2) % n_fft - n_fft / 2
        power += (amplitude * hann_transform(distance)) ** 2
    return power


def noise_power(filters: Filters, variance: float, n_fft: int) -> Floats:
    """Power [n_fft // 2 + 1] of white noise through `filters`, in the units of `mean_spectrum`.

    One channel in and out. White noise of variance v reads 1.5 v / n_fft (the Hann window's noise
    bandwidth); inserted zeros leave one sample in `stride` of it.
    """
    gain = np.abs(filters.frequency_response(np.arange(n_fft // 2 + 1) / n_fft)[0, 0]) ** 2
    return gain * HANN_NOISE * variance / (n_fft * filters.stride)


def candidate_lines(strides: Sequence[int]) -> list[Line]:
    """The lines of a stack for k = 1 .. S // 2, `strides` from the deepest layer on."""
    rates = np.cumprod([1, *strides])
    lines = []
    for k in range(1, int(rates[-1]) // 2 + 1):
        layer = next(m for m in range(len(strides), 0, -1) if k % rates[m - 1] == 0)
        lines.append(Line(k, layer, bool(2 * k > rates[layer])))
    return lines


def zero_gains(layer: Filters) -> Array:
    """True [s] where the gain of a single-channel layer at k / s is a zero: its valleys."""
    grid = np.abs(layer.frequency_response(np.linspace(0, 0.5, 257))[0, 0])
    gain = np.abs(layer.frequency_response(np.arange(layer.stride) / layer.stride)[0, 0])
    return gain < 10 ** (ZERO_DB / 20) * grid.max()


def predict(signal: Floats, samplerate: int, layers: Sequence[Filters]) -> dict[str, Array]:
    """Predict the last output of a stack of single-channel `layers` for `signal` [samples].

    `predicted` [N_FFT // 2 + 1]: mean power in the units of `mean_spectrum`; `lines` Hz [count],
    with `line_power`, `line_layer` and `line_replica`; `valleys` Hz [count], with `valley_layer`
    and `valley_replica`. Lines weaker than `LINE_DB` re a constant 1, or than the spectrum around
    them, are left out. The input's own spectrum is measured, between inserted zeros; its path
    through the stack is predicted.
    """
    filters = reduce(Filters.then, layers)
    stride = filters.stride
    mean = float(np.mean(signal, dtype=np.float64))
    amplitudes = line_amplitudes(filters, [[mean]])[0]
    inserted = np.zeros(stride * len(signal))
    inserted[::stride] = signal - mean
    _, replicas = mean_spectrum(inserted, stride * samplerate, N_FFT)
    replicas *= np.abs(filters.frequency_response(np.arange(N_FFT // 2 + 1) / N_FFT)[0, 0]) ** 2
    candidates = candidate_lines([layer.stride for layer in layers])
    zeros = [zero_gains(layer) for layer in layers]
    rates = np.cumprod([1, *(layer.stride for layer in layers)])
    tones = [
        line
        for line in candidates
        if amplitudes[line.k] ** 2 > max(10 ** (LINE_DB / 10), replicas[line.k * N_FFT // stride])
    ]
    valleys = [
        line
        for line in candidates
        if zeros[line.layer - 1][line.k // rates[line.layer - 1] % layers[line.layer - 1].stride]
    ]
    arrays: dict[str, Array] = {"predicted": replicas + hann_lobes(amplitudes, N_FFT)}
    arrays["line_power"] = amplitudes[[line.k for line in tones]] ** 2
    for kind, lines in (("line", tones), ("valley", valleys)):
        arrays[f"{kind}s"] = samplerate * np.array([line.k for line in lines], dtype=np.float64)
        arrays[f"{kind}_layer"] = np.array([line.layer for line in lines], dtype=np.int64)
        arrays[f"{kind}_replica"] = np.array([line.replica for line in lines], dtype=bool)
    return arrays


def stack_prediction(signal: Floats, stack: Stack) -> dict[str, Array]:
    """Predict every layer of a stack for its `signal` [samples]: the names of `predict`, `_1` .. .

    Returns no arrays if an operator has no taps, or adds noise.
    """
    arrays: dict[str, Array] = {}
    filters: list[Filters] = []
    for index, layer in enumerate(stack_layers(stack), start=1):
        try:
            filters.append(operator_taps(layer))
        except LookupError:
            return {}
        if added_noise(layer) is not None:
            return {}
        prediction = predict(signal, stack.samplerate, filters)
        arrays |= {f"{name}_{index}": values for name, values in prediction.items()}
    return arrays
