"""Spectral replicas, one kind at a time: of tones, of filtering artifacts, of offsets (Sec. 5).

Three signals at a low rate, each with a single artifact, go through the same upsampling layers
without biases, so that these layers add replicas alone:

* tones: ones through a random transposed convolution, less the mean of the output: its tones alone.
* filtering: white noise through linear interpolation, which leaves valleys at multiples of the
  noise's rate.
* offsets: white noise x of U(-1, 1) through a bias b, |b| <= 1, and a ReLU. It stays white; its
  mean is E = (1 + b)^2 / 4 and its variance (1 + b)^3 / 6 - E^2. A mean is a line at 0 Hz, so it
  is replicated at all multiples of the signal's rate.

Zero insertion alone shows all replicas as strong as their originals. Other layers color them by
their frequency response: the zeros of an interpolation fall on the replicas of the offset, which is
the use that Sec. 5 suggests for them.
"""

from functools import reduce
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from upsampling.config.figures import Replicas
from upsampling.config.model import Last
from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.measures.spectra import mean_spectrum
from upsampling.operators import build_operator
from upsampling.operators.base import seeded
from upsampling.probes.signals import probe_signal
from upsampling.theory.filters import Filters
from upsampling.theory.operator_spectra import BORDER, N_FFT, NOISE_VARIANCE
from upsampling.theory.prediction import hann_lobes, line_amplitudes, line_arrays, noise_power
from upsampling.theory.taps import operator_taps

Array = NDArray[Any]

KINDS = ("tones", "filtering", "offsets")


def _layer(entry: Last, stride: int, seed: int) -> tuple[torch.nn.Module, Filters]:
    """A single-channel operator without bias, and its taps; `UserError` if it has none."""
    with seeded(seed):
        layer = build_operator(entry.operator, 1, 1, stride, bias=False, options=entry.options)
    try:
        return layer, operator_taps(layer)
    except LookupError as error:
        raise UserError(f"figures.replicas: operator '{entry.operator}': {error}") from error


@torch.inference_mode()
def source_signal(
    kind: str, count: int, settings: Replicas
) -> tuple[Tensor, list[Filters], Array, float]:
    """A signal [1, 1, about `count`] with one artifact, and its description in closed form.

    That is: filters that shaped it from white noise (none: it is white), one period of its steady
    part, and the variance of the white noise.
    """
    stride, seed, bias = settings.stride, settings.seed, settings.bias
    if kind == "tones":
        entry = Last("transposed", {"kernel_size": settings.kernel_size})
        layer, filters = _layer(entry, stride, seed)
        period = filters.steady_output([[1.0]])
        ones = torch.ones(1, 1, count // stride)
        return layer(ones) - float(period.mean()), [], period - period.mean(), 0.0
    noise = torch.from_numpy(probe_signal("white_noise", count, 1, seed))[None, None]
    if kind == "filtering":
        layer, filters = _layer(Last("linear", {"kernel_size": 0}), stride, seed)
        return layer(noise[..., : count // stride]), [filters], np.zeros((1, 1)), NOISE_VARIANCE
    mean = (1 + bias) ** 2 / 4
    return (noise + bias).relu(), [], np.full((1, 1), mean), (1 + bias) ** 3 / 6 - mean**2


@torch.inference_mode()
def replicas(settings: Replicas) -> dict[str, Array]:
    """Pass the three signals through the layers of each operator in `settings.following`.

    Everything on one channel, each layer upsampling by the stride. Layers have no biases. Returns
    `frequencies` Hz [bins]; per signal and entry (from 0) `{kind}_{entry}_measured` and
    `_predicted`, dB [bins] in the units of `mean_spectrum`; `_lines` Hz and `_levels` dB of the
    predicted lines above 0 Hz.
    """
    depth, stride, samplerate = settings.layers, settings.stride, settings.samplerate
    seconds = settings.seconds
    if seconds * samplerate < N_FFT:
        raise UserError(
            f"figures.replicas: {seconds} s are too short for spectra of {N_FFT} points"
        )
    factor = stride**depth
    count = round(seconds * samplerate / factor) + 2 * BORDER
    arrays: dict[str, Array] = {}
    for index, entry in enumerate(settings.following):
        layers = [_layer(entry, stride, settings.seed + 1 + number) for number in range(depth)]
        for kind in KINDS:
            signal, shaping, period, variance = source_signal(kind, count, settings)
            for layer, _ in layers:
                signal = layer(signal)
            output = signal[0, 0, BORDER * factor : -BORDER * factor].numpy()
            arrays["frequencies"], power = mean_spectrum(output, samplerate, N_FFT)
            filters = reduce(Filters.then, [taps for _, taps in layers])
            amplitudes = line_amplitudes(filters, period)[0]
            noise = noise_power(reduce(Filters.then, [*shaping, filters]), variance, N_FFT)
            name = f"{kind}_{index}"
            arrays[f"{name}_measured"] = power_to_db(power)
            arrays[f"{name}_predicted"] = power_to_db(noise + hann_lobes(amplitudes, N_FFT))
            arrays |= line_arrays(name, amplitudes, samplerate)
    return arrays
