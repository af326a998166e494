"""The upsampling operators and the registry that maps a config name to one."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from upsampling.operators.base import Upsampler
from upsampling.operators.doubling import LearnedLinear
from upsampling.operators.filters import KaiserSinc, NearestTwoStrides, Sinc, Stretch
from upsampling.operators.head import IstftHead
from upsampling.operators.initialised import SubpixelICNR, SubpixelZOH, TransposedNearestInit
from upsampling.operators.interpolation import Linear, Nearest
from upsampling.operators.noise import NoiseSinc
from upsampling.operators.subpixel import Subpixel
from upsampling.operators.transposed import Transposed
from upsampling.operators.wavelet import HaarWavelet, LazyWavelet, LearnedWavelet
from upsampling.settings import UserError, nearest_match

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
    path, colon, class_name = name.rpartition(":")
    if not colon:
        raise UserError(
            f"unknown operator '{name}'{nearest_match(name, OPERATORS)}; choose from "
            f"{', '.join(OPERATORS)}, or name your own as path/to/file.py:ClassName"
        )
    if not Path(path).is_file():
        raise UserError(f"operator '{name}': there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"operator_{Path(path).stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"operator '{name}': {path} cannot be imported: {error!r}") from error
    if not hasattr(module, class_name):
        raise UserError(f"operator '{name}': {path} has no class {class_name}")
    return getattr(module, class_name)


def build_operator(
    name: str,
    channels_in: int,
    channels_out: int,
    stride: int,
    *,
    bias: bool = True,
    options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Build one operator; a custom one is tried on a short signal and refused if its shape is off.

    Raises `UserError` for an unknown operator, options that it does not take, or an output that
    is not `[batch, channels_out, output_length(time)]`.
    """
    operator = find_operator(name)
    try:
        layer = operator(channels_in, channels_out, stride, bias=bias, **(options or {}))
    except (TypeError, ValueError) as error:
        raise UserError(f"operator '{name}' with options {dict(options or {})}: {error}") from error
    if name not in OPERATORS:
        with torch.no_grad():
            weight = next(layer.parameters(), torch.zeros(0))
            shape = tuple(layer(torch.zeros(1, channels_in, 32, device=weight.device)).shape)
        expected = (1, channels_out, output_length(layer, stride, 32))
        if shape != expected:
            raise UserError(
                f"operator '{name}': [1, {channels_in}, 32] at stride {stride} gave {list(shape)}, "
                f"expected {list(expected)}; define output_length(time) if its borders differ"
            )
    return layer


def output_length(layer: nn.Module, stride: int, time: int) -> int:
    """Samples that `layer` makes of `time`: by its own `output_length`, else `stride * time`."""
    return layer.output_length(time) if hasattr(layer, "output_length") else stride * time  # type: ignore[operator]
