"""The costs of an operator: parameters, and multiply-adds per output sample."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from upsampling.operators import build_operator

# Samples at the low rate: borders do not affect the second decimal of a ratio.
TIME = 512


@dataclass(frozen=True)
class Cost:
    """Trainable parameters, and multiply-adds per output sample, all output channels together."""

    parameters: int
    multiply_adds: float


def operator_cost(
    name: str,
    in_channels: int,
    out_channels: int,
    stride: int,
    options: Mapping[str, Any] | None = None,
) -> Cost:
    """Count the costs of the operator `name`, with bias, by running it once.

    Multiply-adds are those of convolutions, fixed filters included, at the low or the high rate, as
    the operator is defined: faster implementations of the same function are not used.
    Copies, sums and products of single samples are not counted.
    """
    layer = build_operator(name, in_channels, out_channels, stride, options=options).eval()
    if hasattr(layer, "implementation"):
        setattr(layer, "implementation", "plain")  # noqa: B010
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        layer(torch.zeros(1, in_channels, TIME))
    return Cost(
        parameters=sum(p.numel() for p in layer.parameters() if p.requires_grad),
        multiply_adds=counter.get_total_flops() / 2 / (TIME * stride),
    )
