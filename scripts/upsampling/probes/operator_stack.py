"""Stacks of single-channel operators (Figs. 6, 7, 8 and 10)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from upsampling.config.figures import Stack
from upsampling.operators import build_operator
from upsampling.operators.base import seeded
from upsampling.probes.signals import probe_signal


def stack_layers(stack: Stack) -> list[nn.Module]:
    """Build the single-channel operators of a stack, with bias, the deepest first.

    PyTorch's default initialisation, as in the authors' notebooks, with a seed for each layer.
    """
    layers = []
    for layer in range(1, stack.layers + 1):
        with seeded(stack.seed * 1000 + layer):
            layers.append(build_operator(stack.operator, 1, 1, stack.stride, options=stack.options))
    return layers


@torch.inference_mode()
def stack_outputs(stack: Stack) -> dict[str, NDArray[Any]]:
    """Pass a test signal through a stack.

    Returns float32 arrays [samples] `signal`, `layer_1`, .. and int `samplerates` [layers + 1], Hz.
    """
    inputs = probe_signal(stack.signal, stack.seconds, stack.samplerate, stack.seed)
    arrays: dict[str, NDArray[Any]] = {"signal": inputs}
    current = torch.from_numpy(inputs)[None, None]
    for layer, upsampler in enumerate(stack_layers(stack), start=1):
        current = upsampler(current)
        arrays[f"layer_{layer}"] = current[0, 0].numpy()
    arrays["samplerates"] = stack.samplerate * stack.stride ** np.arange(stack.layers + 1)
    return arrays


def names_and_rates(arrays: Mapping[str, NDArray[Any]]) -> list[tuple[str, int]]:
    """Return name and sampling rate in Hz of each signal of `stack_outputs`, in order."""
    names = [name for name in arrays if name != "samplerates"]
    return list(zip(names, map(int, arrays["samplerates"]), strict=True))
