"""Settings of the architectures that an upsampling operator can be put into."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from upsampling.config.declared import (
    INTERNAL,
    Bounds,
    Count,
    Gain,
    Hertz,
    Pattern,
    Stride,
    check_part,
    read_settings,
    shorten,
    shown,
    suggest,
)
from upsampling.config.operators import OPTIONS
from upsampling.errors import UserError

OWN_CLASS = Pattern(r".+\.py:[A-Za-z_]\w*", "name your own class as path/to/file.py:ClassName")
Operator = Annotated[str, "a registered operator, or path/to/file.py:ClassName for your own"]
Options = Annotated[Mapping[str, Any], "the operator's own options"]
Samplerate = Annotated[Hertz, "sampling rate in Hz, that of the data set"]


@dataclass(frozen=True)
class Last:
    """An operator and its options, for a single layer."""

    operator: Operator
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class DemucsLikeSettings:
    """The Demucs-like autoencoder (Sec. 6; Défossez et al. 2019) around one upsampling operator.

    The defaults are the paper's where it states them. It does not state `encoder_kernel_size`,
    `context_kernel_size`, `bottleneck` and `padding`; docs/choices.md has the evidence for these.
    """

    trainable: ClassVar[bool] = True
    architecture: Literal["demucs_like"] = "demucs_like"
    operator: Annotated[Operator, INTERNAL] = "transposed"
    options: Annotated[Options, INTERNAL] = field(default_factory=dict)
    operator_code: Annotated[str, INTERNAL] = ""
    sources: Annotated[tuple[str, ...], INTERNAL] = ("drums", "bass", "other", "vocals")
    audio_channels: Annotated[Count, INTERNAL] = 2
    samplerate: Samplerate = 44100
    channels: Annotated[Count, "channels of the outermost block"] = 100
    growth: Annotated[Count, "ratio of the channels of consecutive blocks"] = 2
    depth: Annotated[Count, "number of encoder blocks, equal to that of decoder blocks"] = 6
    kernel_size: Annotated[Count, "of the encoder's strided convolutions"] = 8
    stride: Annotated[Stride, "of each block"] = 4
    encoder_kernel_size: Annotated[Count, "of the convolution before the encoder's GLU"] = 1
    context_kernel_size: Annotated[Count, "of the convolution before the decoder's GLU"] = 7
    bottleneck: Annotated[
        Literal["lstm_sum", "lstm_linear", "none"],
        "two-layer bidirectional LSTM whose directions are added, or mixed by a linear layer",
    ] = "lstm_sum"
    padding: Annotated[
        Literal["valid", "same"],
        "valid: none, the output covers the center of the input, as in Demucs; same: zeros",
    ] = "valid"
    bias: Annotated[bool, "biases of all layers"] = True
    first_relu: Annotated[bool, "ReLU of encoder block 1"] = True
    rescale: Annotated[Gain | None, "reference of Demucs's weight rescaling; null: none"] = 0.1
    last: Annotated[
        Last | None, "operator of the outermost decoder block; null: that of the others"
    ] = None

    @property
    def strides(self) -> tuple[int, ...]:
        """Strides of the upsampling layers, the deepest first."""
        return (self.stride,) * self.depth

    @property
    def outermost(self) -> tuple[str, Mapping[str, Any]]:
        """Name and options of the outermost upsampling operator."""
        last = self.last
        return (last.operator, last.options) if last else (self.operator, self.options)


@dataclass(frozen=True)
class MelganSettings:
    """The MelGAN generator (Sec. 1; Kumar et al. 2019): mel spectrogram in, waveform out."""

    trainable: ClassVar[bool] = False
    architecture: Literal["melgan"] = "melgan"
    operator: Annotated[Literal["transposed"], INTERNAL] = "transposed"
    samplerate: Samplerate = 22050
    mels: Annotated[Count, "mel bands of the input"] = 80
    channels: Annotated[Count, "channels before the last convolution"] = 32
    ratios: Annotated[tuple[Stride, ...], Bounds(minimum=1), "strides, the deepest first"] = (
        8,
        8,
        2,
        2,
    )
    kernel_sizes: Annotated[tuple[Count, ...], "of the transposed convolutions"] = (16, 16, 4, 4)
    residual_layers: Annotated[Count, "residual blocks after each upsampling layer"] = 3
    weight_init: Annotated[
        Literal["default", "normal"],
        "PyTorch's own initial weights, which take effect in the published code; or N(0, 0.02)",
    ] = "default"

    def __post_init__(self) -> None:
        if len(self.kernel_sizes) != len(self.ratios):
            raise ValueError(
                f"kernel_sizes: {len(self.kernel_sizes)} of them for {len(self.ratios)} ratios; "
                "write one for each"
            )

    @property
    def strides(self) -> tuple[int, ...]:
        """Strides of the upsampling layers, the deepest first."""
        return self.ratios

    @property
    def outermost(self) -> tuple[str, Mapping[str, Any]]:
        """Name and options of the outermost upsampling operator."""
        return self.operator, {}


@dataclass(frozen=True)
class OwnSettings:
    """Your own architecture: a subclass of `upsampling.models.base.AudioModel` in a file.

    It is built as `ClassName(**arguments)`; if the variant names an operator, with `upsampler=`, a
    function of (in_channels, out_channels, stride) that builds one.
    """

    architecture: Annotated[str, OWN_CLASS, "path/to/file.py:ClassName"]
    code: Annotated[str, INTERNAL] = ""
    operator: Annotated[Operator | None, INTERNAL] = None
    options: Annotated[Options, INTERNAL] = field(default_factory=dict)
    operator_code: Annotated[str, INTERNAL] = ""
    arguments: Annotated[Mapping[str, Any], "keyword arguments of the class"] = field(
        default_factory=dict
    )
    weights: Annotated[
        str | None, "safetensors file of a model that was trained elsewhere; null: none"
    ] = None
    trainable: ClassVar[bool] = True
    # Known to the model alone.
    strides: ClassVar[tuple[int, ...]] = ()
    outermost: ClassVar[tuple[str, Mapping[str, Any]]] = ("", MappingProxyType({}))


ModelSettings = DemucsLikeSettings | MelganSettings | OwnSettings


ARCHITECTURES: dict[str, type[DemucsLikeSettings | MelganSettings]] = {
    "demucs_like": DemucsLikeSettings,
    "melgan": MelganSettings,
}


def settings_class(architecture: object, where: str) -> Any:
    """The settings class of a registered architecture, or of one in a file."""
    if isinstance(architecture, str) and architecture in ARCHITECTURES:
        return ARCHITECTURES[architecture]
    if isinstance(architecture, str) and ":" in architecture:
        return OwnSettings
    raise UserError(
        f"{where}.architecture: unknown architecture '{shorten(architecture)}'"
        f"{suggest(architecture, ARCHITECTURES)}, or name your own as path/to/file.py:ClassName"
    )


def model_settings(values: Mapping[str, Any], where: str) -> ModelSettings:
    """Build the settings of the architecture that `values` names; `UserError` for a mistake."""
    settings = read_settings(
        settings_class(values.get("architecture", "demucs_like"), where), values, where
    )
    if settings.operator is not None:
        check_operator(settings.operator, getattr(settings, "options", {}), where)
    if isinstance(settings, DemucsLikeSettings) and settings.last is not None:
        check_operator(settings.last.operator, settings.last.options, f"{where}.last")
    return settings


def check_operator(operator: str, options: Any, where: str) -> None:
    """Raise `UserError` for an unknown operator, or options that a registered one does not have."""
    if operator in OPTIONS:
        check_part(OPTIONS[operator], options, f"{where}.options")
        return
    if ":" not in operator:
        raise UserError(
            f"{where}.operator: unknown value {shown(operator)}{suggest(operator, OPTIONS)}, "
            "or name your own as path/to/file.py:ClassName"
        )
    OWN_CLASS.check(operator, f"{where}.operator")
