"""Steady outputs of upsampling operators, and weights as training might leave them."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

TIME = 160
# Largest difference of two consecutive periods of a steady output.
PERIODIC = 1e-7


def steady_period(layer: nn.Module, in_channels: int, stride: int) -> NDArray[Any]:
    """One period [out_channels, stride] of the output for ones, in double precision."""
    layer = layer.double().eval()
    with torch.no_grad():
        output = layer(torch.ones(1, in_channels, TIME, dtype=torch.float64))[0].numpy()
    start = TIME // 2 * stride
    period, following = (output[:, i : i + stride] for i in (start, start + stride))
    np.testing.assert_allclose(period, following, atol=PERIODIC)
    return period


def tone_to_constant(layer: nn.Module, in_channels: int, stride: int) -> float:
    """Largest amplitude of a tone over that of the constant, over all output channels."""
    lines = np.abs(np.fft.fft(steady_period(layer, in_channels, stride), axis=1))
    return float(lines[:, 1:].max() / lines[:, 0].max())


def randomize(layer: nn.Module) -> None:
    """Draw all parameters from N(0, 1), as far from the initialisation as training may go."""
    torch.manual_seed(5)
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
