"""Gradients of training losses with respect to the waveform, and how far their lines stand out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from upsampling.config.losses import Loss, comb_factor
from upsampling.config.sections import LossGradient
from upsampling.decibels import power_to_db
from upsampling.errors import UserError
from upsampling.losses.terms import TrainingLoss
from upsampling.measures.from_waveform import MINIMUM_SPACING, N_FFT, comb_prominences
from upsampling.measures.spectra import mean_spectrum
from upsampling.probes.signals import probe_signal


def training_losses(settings: LossGradient, losses: Mapping[str, Loss]) -> dict[str, NDArray[Any]]:
    """Spectra of the gradients of `losses`, by name, scaled to an RMS of 1.

    The waveform and its target are those of `settings`; its critic is not used, as training losses
    have their own. Returns `frequencies` Hz [bins], and per name `{name}_measured` dB [bins] and
    `{name}_prominence` dB: the comb prominence at multiples of samplerate / `comb_factor()`, the
    lines of a deep feature loss with strides.
    """
    rate = settings.samplerate
    if round(settings.seconds * rate) < N_FFT:
        raise UserError(
            f"figures.loss_gradient: {settings.seconds:g} s at {rate} Hz are too short for spectra "
            f"of {N_FFT} samples; write at least {N_FFT / rate:.2f} s"
        )
    spacing = rate / comb_factor()
    assert spacing >= MINIMUM_SPACING * rate / N_FFT
    output, target = (
        torch.from_numpy(probe_signal(name, settings.seconds, rate, index))[None, None, None]
        for index, name in enumerate((settings.signal, settings.target))
    )
    arrays: dict[str, NDArray[Any]] = {}
    for name, loss in losses.items():
        samples = gradient(loss, output, target)
        scaled = samples / np.sqrt(np.mean(samples**2))
        arrays["frequencies"], power = mean_spectrum(scaled, rate, N_FFT)
        arrays[f"{name}_measured"] = power_to_db(power)
        ((mean, _),) = comb_prominences(power, [spacing], rate)
        arrays[f"{name}_prominence"] = np.array(mean)
    return arrays


def gradient(loss: Loss, output: torch.Tensor, target: torch.Tensor) -> NDArray[Any]:
    """Gradient [time] of `loss` with respect to `output` [1, 1, 1, time]."""
    leaf = output.clone().requires_grad_()
    (grad,) = torch.autograd.grad(TrainingLoss(loss)(leaf, target).sum(), leaf)
    return grad[0, 0, 0].double().numpy()
