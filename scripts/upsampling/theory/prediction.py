"""The spectrum that a stack of linear upsamplers must give: lines, valleys and replicas (Sec. 5).

Write the input as its mean c and the rest x. By the noble identity (see `taps`) the stack is zero
insertion by S = s_1 .. s_l and one filter G, with an offset of period S. Hence

* c and all biases come out as a signal of period S: lines at k / S of the output rate, and nothing
  between them. Line k is exact; its level is |A[k]|, A the DFT of one period over S.
* x comes out as its replicas, copies of its spectrum around all multiples of its rate, coloured by
  |G(f)|^2. For white noise of variance v that is |G(f)|^2 v / S, and no more need be known.

Which layer a line belongs to: layer m puts lines at multiples of its input rate R_{m-1} that are
no multiples of its output rate R_m. Those up to R_m / 2 are the layer's own tones; those above
appear when later layers raise the rate, as replicas of them, R_m j +- f. An interpolation has its
zeros in these same places, and they are replicated alike: valleys.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from upsampling.config.sections import Stack
from upsampling.measures.spectra import N_FFT, mean_spectrum
from upsampling.probes.operator_stack import stack_layers
from upsampling.theory.taps import Filters, operator_taps, own_noise

Array = NDArray[Any]
Floats = NDArray[np.floating[Any]]

# A gain so far below the largest one is a zero in single precision.
ZERO_DB = -80.0
# Lines below the display's floor and the rounding of single precision are none.
LINE_DB = -110.0
HANN_NOISE = 1.5


def line_amplitudes(filters: Filters, period: ArrayLike) -> Floats:
    """|A[k]| [out, S], k = 0 .. S - 1, of the answer to an endless signal of `period` [in, p].

    S is the stride times p, and line k stands at k / S of the output rate.
    """
    steady = filters.steady(period)
    return np.abs(np.fft.fft(steady, axis=-1)) / steady.shape[-1]


def hann_lobes(amplitudes: Floats, n_fft: int) -> Floats:
    """Power [n_fft // 2 + 1] that `mean_spectrum` reads for lines |A[k]| [S] at k / S.

    The Hann window's transform is sinc(d) / (1 - d^2), d in bins from the line. Lines several bins
    apart do not interfere, so their powers add.
    """
    bins = np.arange(n_fft // 2 + 1)
    power = np.zeros(len(bins))
    for line, amplitude in enumerate(amplitudes):
        # From the nearest of the line's periods, one of which lies within half a spectrum.
        distance = (bins - line * n_fft / len(amplitudes) + n_fft / 2) % n_fft - n_fft / 2
        unit = np.abs(np.abs(distance) - 1) < 1e-9
        square = np.where(unit, 0.0, distance**2)
        lobe = np.where(unit, 0.5, np.sinc(distance) / (1 - square))
        power += (amplitude * lobe) ** 2
    return power


def noise_power(filters: Filters, variance: float, n_fft: int) -> Floats:
    """Power [n_fft // 2 + 1] that `mean_spectrum` reads for white noise through `filters`.

    One channel in and out. White noise of variance v reads 1.5 v / n_fft (the Hann window's noise
    bandwidth); inserted zeros leave one sample in `stride` of it.
    """
    gain = np.abs(filters.response(np.arange(n_fft // 2 + 1) / n_fft)[0, 0]) ** 2
    return gain * HANN_NOISE * variance / (n_fft * filters.stride)


def origins(strides: Sequence[int]) -> list[tuple[int, int, bool]]:
    """Lines of a stack: (k, layer, replica) for k = 1 .. S // 2, at k times the input's rate.

    `layer` counts from 1, the deepest; `replica` says that the line lies above half of that
    layer's output rate.
    """
    rates = np.cumprod([1, *strides])
    lines = []
    for k in range(1, int(rates[-1]) // 2 + 1):
        layer = next(m for m in range(len(strides), 0, -1) if k % rates[m - 1] == 0)
        lines.append((k, layer, bool(2 * k > rates[layer])))
    return lines


def zeros(layer: Filters) -> Array:
    """Which of the gains at k / s [s] of a layer with one channel are zeros: its valleys."""
    grid = np.abs(layer.response(np.linspace(0, 0.5, 257))[0, 0])
    gain = np.abs(layer.response(np.arange(layer.stride) / layer.stride)[0, 0])
    return gain < 10 ** (ZERO_DB / 20) * grid.max()


def predict(signal: Floats, samplerate: int, layers: Sequence[Filters]) -> dict[str, Array]:
    """Predict the last output of a stack of single-channel `layers` for `signal` [samples].

    `predicted` [N_FFT // 2 + 1]: mean power in the units of `mean_spectrum`; `lines` Hz [count],
    with `line_power`, `line_layer` and `line_replica`; `valleys` Hz [count], with `valley_layer`
    and `valley_replica`. Lines less than `LINE_DB` re a constant 1, or than the
    spectrum around them, are left out. The input's own spectrum is measured, between inserted
    zeros: the prediction is what the stack makes of it.
    """
    filters = reduce(Filters.then, layers)
    stride = filters.stride
    mean = float(np.mean(signal, dtype=np.float64))
    amplitudes = line_amplitudes(filters, [[mean]])[0]
    inserted = np.zeros(stride * len(signal))
    inserted[::stride] = signal - mean
    _, replicas = mean_spectrum(inserted, stride * samplerate, N_FFT)
    replicas *= np.abs(filters.response(np.arange(N_FFT // 2 + 1) / N_FFT)[0, 0]) ** 2
    places = origins([layer.stride for layer in layers])
    empty = [zeros(layer) for layer in layers]
    rates = np.cumprod([1, *(layer.stride for layer in layers)])
    lines = [
        place
        for place in places
        if amplitudes[place[0]] ** 2
        > max(10 ** (LINE_DB / 10), replicas[place[0] * N_FFT // stride])
    ]
    valleys = [
        (k, layer, replica)
        for k, layer, replica in places
        if empty[layer - 1][k // rates[layer - 1] % layers[layer - 1].stride]
    ]
    arrays: dict[str, Array] = {"predicted": replicas + hann_lobes(amplitudes, N_FFT)}
    arrays["line_power"] = amplitudes[[k for k, *_ in lines]] ** 2
    for kind, chosen in (("line", lines), ("valley", valleys)):
        arrays[f"{kind}s"] = samplerate * np.array([k for k, *_ in chosen], dtype=np.float64)
        arrays[f"{kind}_layer"] = np.array([layer for _, layer, _ in chosen], dtype=np.int64)
        arrays[f"{kind}_replica"] = np.array([replica for *_, replica in chosen], dtype=bool)
    return arrays


def stack_prediction(signal: Floats, stack: Stack) -> dict[str, Array]:
    """Predict every layer of a stack for its `signal` [samples]: the names of `predict`, `_1` .. .

    An operator that has no taps, or adds noise of its own, is not predicted: there are no arrays
    then.
    """
    arrays: dict[str, Array] = {}
    filters: list[Filters] = []
    for index, layer in enumerate(stack_layers(stack), start=1):
        try:
            filters.append(operator_taps(layer))
        except LookupError:
            return {}
        if own_noise(layer) is not None:
            return {}
        predicted = predict(signal, stack.samplerate, filters)
        arrays |= {f"{name}_{index}": values for name, values in predicted.items()}
    return arrays
