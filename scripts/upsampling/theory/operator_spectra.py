"""Each operator's output for a constant and white noise, beside its prediction in closed form.

A single-channel operator at random initialisation gets the input 1 + x, x white noise of U(-1, 1).
Its taps h and offset b (see `taps`) predict the whole output: lines at k / s of the output rate
from the constant and the biases, and |H(f)|^2 times the flat spectrum of the noise. One panel thus
shows an operator's tonal artifacts, its filtering artifacts, and how far the two go together.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from upsampling.config.figures import OperatorSpectra
from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.measures.spectra import mean_spectrum
from upsampling.operators import build_operator
from upsampling.operators.base import seeded
from upsampling.probes.signals import probe_signal
from upsampling.theory.prediction import hann_lobes, line_amplitudes, line_arrays, noise_power
from upsampling.theory.taps import added_noise, operator_taps

Array = NDArray[Any]

N_FFT = 4096
CONSTANT = 1.0
NOISE_VARIANCE = 1 / 3
# Settling time of filters at either end, in input samples.
BORDER = 64


@torch.inference_mode()
def operator_spectra(
    settings: OperatorSpectra, operators: Mapping[str, Mapping[str, Any]]
) -> dict[str, Array]:
    """Spectra of each of `operators` (name: its `operator`, `options`, `bias`).

    All are drawn from the same seed. Returns `frequencies` Hz [bins], and per name
    `{name}_measured` dB [bins] in the units of `mean_spectrum`; for operators that have taps
    `_predicted` dB [bins], and `_lines` Hz and `_levels` dB of the lines above 0 Hz.
    """
    stride, samplerate, seconds = settings.stride, settings.samplerate, settings.seconds
    if seconds * samplerate < N_FFT:
        raise UserError(
            f"figures.operator_spectra: {seconds} s are too short for spectra of {N_FFT} points"
        )
    longer = seconds + 2 * BORDER * stride / samplerate
    noise = probe_signal("white_noise", longer, samplerate // stride, settings.seed)
    # The mean of a finite noise would add to the constant.
    inputs = torch.from_numpy(CONSTANT + noise - noise.mean(dtype=np.float64).astype(np.float32))
    arrays: dict[str, Array] = {}
    for name, entry in operators.items():
        with seeded(settings.seed):
            layer = build_operator(
                entry["operator"], 1, 1, stride, bias=entry["bias"], options=entry.get("options")
            ).eval()
        output = layer(inputs[None, None])[0, 0, BORDER * stride : -BORDER * stride].numpy()
        arrays["frequencies"], power = mean_spectrum(output, samplerate, N_FFT)
        arrays[f"{name}_measured"] = power_to_db(power)
        try:
            filters = operator_taps(layer)
        except LookupError:
            continue
        amplitudes = line_amplitudes(filters, [[CONSTANT]])[0]
        predicted = noise_power(filters, NOISE_VARIANCE, N_FFT) + hann_lobes(amplitudes, N_FFT)
        if noise_filters := added_noise(layer):
            predicted += noise_power(noise_filters, 1.0, N_FFT)
        arrays[f"{name}_predicted"] = power_to_db(predicted)
        arrays |= line_arrays(name, amplitudes, samplerate)
    return arrays
