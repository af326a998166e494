"""The upsampling operators, by the name that a configuration gives them."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from upsampling.config.declared import read_settings
from upsampling.config.operators import OPTIONS
from upsampling.errors import UserError, nearest_match, reason_of
from upsampling.operators.base import Upsampler
from upsampling.operators.haar_wavelet import HaarWavelet
from upsampling.operators.istft_head import IstftHead
from upsampling.operators.kaiser_sinc import KaiserSinc
from upsampling.operators.lazy_wavelet import LazyWavelet
from upsampling.operators.learned_linear import LearnedLinear
from upsampling.operators.learned_wavelet import LearnedWavelet
from upsampling.operators.linear import Linear
from upsampling.operators.nearest import Nearest
from upsampling.operators.nearest_2s import NearestTwoStrides
from upsampling.operators.noise_sinc import NoiseSinc
from upsampling.operators.sinc import Sinc
from upsampling.operators.stretch import Stretch
from upsampling.operators.subpixel import Subpixel
from upsampling.operators.subpixel_icnr import SubpixelICNR
from upsampling.operators.subpixel_zoh import SubpixelZOH
from upsampling.operators.transposed import Transposed
from upsampling.operators.transposed_nearest_init import TransposedNearestInit
from upsampling.own_code import load_class

OPERATORS: dict[str, type[Upsampler]] = {
    "transposed": Transposed,
    "nearest": Nearest,
    "linear": Linear,
    "subpixel": Subpixel,
    "subpixel_icnr": SubpixelICNR,
    "subpixel_zoh": SubpixelZOH,
    "transposed_nearest_init": TransposedNearestInit,
    "nearest_2s": NearestTwoStrides,
    "learned_linear": LearnedLinear,
    "stretch": Stretch,
    "sinc": Sinc,
    "kaiser_sinc": KaiserSinc,
    "lazy_wavelet": LazyWavelet,
    "haar_wavelet": HaarWavelet,
    "learned_wavelet": LearnedWavelet,
    "noise_sinc": NoiseSinc,
    "istft_head": IstftHead,
}


def find_operator(name: str) -> type[nn.Module]:
    """Return the operator class of a registered name, or of `path/to/file.py:ClassName`."""
    if name in OPERATORS:
        return OPERATORS[name]
    if ":" not in name:
        raise UserError(
            f"unknown operator '{name}'{nearest_match(name, OPERATORS)}; choose from "
            f"{', '.join(OPERATORS)}, or name your own as path/to/file.py:ClassName"
        )
    return load_class(name, f"operator '{name}'")


def build_operator(
    name: str,
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    bias: bool = True,
    options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Build one operator; a custom one is first run on a short signal.

    Raises `UserError` for an unknown operator, options that it does not take, or an output that
    is not `[batch, out_channels, output_length(time)]`.
    """
    operator, options = find_operator(name), dict(options or {})
    if name in OPTIONS:
        read_settings(OPTIONS[name], options, f"options of operator '{name}'")
    # A custom class may raise any exception.
    mistakes = (TypeError, ValueError) if name in OPERATORS else Exception
    try:
        layer = operator(in_channels, out_channels, stride, bias=bias, **options)
    except UserError:
        raise
    except mistakes as error:
        raise UserError(f"operator '{name}' with options {options}: {reason_of(error)}") from error
    if name not in OPERATORS:
        check_upsampling(layer, in_channels, out_channels, stride, f"operator '{name}'")
    return layer


@torch.no_grad()
def check_upsampling(
    layer: nn.Module, in_channels: int, out_channels: int, stride: int, where: str
) -> None:
    """Run `layer` on zeros `[1, in_channels, 32]`; `UserError` for a failure or a wrong shape."""
    if not isinstance(layer, nn.Module):
        raise UserError(f"{where} is no subclass of torch.nn.Module")
    weight = next(layer.parameters(), torch.zeros(0))
    try:
        shape = list(layer(torch.zeros(1, in_channels, 32, device=weight.device)).shape)
        expected = [1, out_channels, output_length(layer, stride, 32)]
    except Exception as error:
        raise UserError(f"{where} fails on [1, {in_channels}, 32]: {reason_of(error)}") from error
    if shape != expected:
        raise UserError(
            f"{where}: [1, {in_channels}, 32] at stride {stride} gave {shape}, expected "
            f"{expected}; define output_length(time) if its borders differ"
        )


def output_length(layer: nn.Module, stride: int, time: int) -> int:
    """Return the length of `layer`'s output: its `output_length` if defined, else the product."""
    return layer.output_length(time) if hasattr(layer, "output_length") else stride * time  # type: ignore[operator]
