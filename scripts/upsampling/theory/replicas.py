"""Spectral replicas, one kind at a time: of tones, of filtering artifacts, of offsets (Sec. 5).

Three signals at a low rate, each with one artifact and nothing else, go through the same upsampling
layers without biases, so that all that follows is replicas:

* tones: ones through a random transposed convolution, less the output's mean: its tones alone.
* filtering: white noise through linear interpolation, which leaves valleys at multiples of the
  noise's rate.
* offsets: white noise x of U(-1, 1) through a bias b, |b| <= 1, and a ReLU. It stays white; its
  mean is E = (1 + b)^2 / 4 and its variance (1 + b)^3 / 6 - E^2. A mean is a line at 0 Hz, so it
  is replicated at all multiples of the signal's rate.

Zero insertion alone shows all replicas as strong as what they are replicas of. Other layers colour
them by their response: an interpolation's zeros fall on the replicas of the offset, which is what
Sec. 5 suggests to use them for.
"""

from functools import reduce
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from upsampling.config.model import Last
from upsampling.config.sections import Replicas
from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.measures.spectra import mean_spectrum
from upsampling.operators import build_operator
from upsampling.operators.base import seeded
from upsampling.probes.signals import probe_signal
from upsampling.theory.prediction import hann_lobes, line_amplitudes, noise_power
from upsampling.theory.taps import Filters, operator_taps

Array = NDArray[Any]

KINDS = ("tones", "filtering", "offsets")
N_FFT = 4096
NOISE_VARIANCE = 1 / 3
# Settling time of filters at either end, in samples of the low rate.
BORDER = 64


def _layer(entry: Last, stride: int, seed: int) -> tuple[torch.nn.Module, Filters]:
    """A single-channel operator without bias, and its taps; `UserError` if it has none."""
    with seeded(seed):
        built = build_operator(entry.operator, 1, 1, stride, bias=False, options=entry.options)
    try:
        return built, operator_taps(built)
    except LookupError as error:
        raise UserError(f"figures.replicas: operator '{entry.operator}': {error}") from error


@torch.inference_mode()
def source(kind: str, count: int, settings: Replicas) -> tuple[Tensor, list[Filters], Array, float]:
    """A signal [1, 1, about `count`] with one artifact, and what theory knows of it.

    That is: filters that made it of white noise (none: it is white), one period of its steady part,
    and the variance of the white noise.
    """
    stride, seed, bias = settings.stride, settings.seed, settings.bias
    if kind == "tones":
        entry = Last("transposed", {"kernel_size": settings.kernel_size})
        layer, filters = _layer(entry, stride, seed)
        period = filters.steady([[1.0]])
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
    `_predicted`, dB [bins] as `mean_spectrum` reads; `_lines` Hz and `_levels` dB of the predicted
    lines above 0 Hz.
    """
    layers, stride, samplerate = settings.layers, settings.stride, settings.samplerate
    seconds = settings.seconds
    if seconds * samplerate < N_FFT:
        raise UserError(
            f"figures.replicas: {seconds} s are too short for spectra of {N_FFT} points"
        )
    factor = stride**layers
    count = round(seconds * samplerate / factor) + 2 * BORDER
    arrays: dict[str, Array] = {}
    for index, entry in enumerate(settings.following):
        built = [_layer(entry, stride, settings.seed + 1 + layer) for layer in range(layers)]
        for kind in KINDS:
            signal, made, period, variance = source(kind, count, settings)
            for layer, _ in built:
                signal = layer(signal)
            output = signal[0, 0, BORDER * factor : -BORDER * factor].numpy()
            frequencies, power = mean_spectrum(output, samplerate, N_FFT)
            filters = reduce(Filters.then, [taps for _, taps in built])
            amplitudes = line_amplitudes(filters, period)[0]
            noise = noise_power(reduce(Filters.then, [*made, filters]), variance, N_FFT)
            lines = np.arange(1, len(amplitudes) // 2 + 1)
            name = f"{kind}_{index}"
            arrays |= {
                "frequencies": frequencies,
                f"{name}_measured": power_to_db(power),
                f"{name}_predicted": power_to_db(noise + hann_lobes(amplitudes, N_FFT)),
                f"{name}_lines": lines * samplerate / len(amplitudes),
                f"{name}_levels": power_to_db(amplitudes[lines] ** 2),
            }
    return arrays
