"""Measures of a layer's weights, beside those of independent random weights of its shape."""

import numpy as np
import torch
from torch import nn

from upsampling.measures.from_weights import imbalance, measure_layers
from upsampling.models.base import UpsamplingLayer
from upsampling.networks.kernels import Kernel
from upsampling.theory.closed_forms import comb_spectrum


def polyphase_imbalance(kernel: Kernel) -> float:
    """sqrt(sum over k > 0 of P[k]^2) / P[0], each aggregated by RMS over all pairs of channels.

    P[k] is the DFT of the phases' sums. Zero if and only if no constant input gives a tone.
    """
    return imbalance(np.sum(comb_spectrum(kernel.phase_sums()) ** 2, axis=(0, 1)))


def random_imbalance(kernel: Kernel) -> float:
    """The same of independent weights of zero mean, in expectation: sqrt(stride - 1).

    E|P[k]|^2 is the number of taps for every k, whatever the overlap (`theory.expectation`). A
    fixed interpolation has no weights to draw: it keeps the imbalance that it has.
    """
    return float(np.sqrt(kernel.stride - 1)) if kernel.source else polyphase_imbalance(kernel)


def weight_measures(kernel: Kernel, spacing: float) -> dict[str, float]:
    """Response and borders of a layer whose comb has `spacing` in Hz.

    `tone_to_constant`, `bias_imbalance`, `image_to_base`, `droop`, `boundary_error`: see
    `measures.from_weights.measure_layers`. Of at most 32 input channels.
    """
    inside, outside, count = kernel.taps.shape
    layer = nn.ConvTranspose1d(inside, outside, count, kernel.stride, bias=False)
    layer.weight.data = torch.from_numpy(kernel.taps.copy())
    records = measure_layers(
        [UpsamplingLayer(_Phased(layer, kernel), kernel.stride, inside, spacing)]
    )
    measures = ("tone_to_constant", "bias_imbalance", "image_to_base", "droop", "boundary_error")
    return {one["measure"]: one["value"] for one in records if one["measure"] in measures}


class _Phased(nn.Module):
    """A transposed convolution with a bias for each phase."""

    bias: torch.Tensor

    def __init__(self, layer: nn.ConvTranspose1d, kernel: Kernel):
        super().__init__()
        self.layer = layer
        self.register_buffer("bias", torch.from_numpy(kernel.bias.copy()))

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        output = self.layer(signal)
        phase = torch.arange(output.shape[-1]) % self.bias.shape[-1]
        return output + self.bias[:, phase]
