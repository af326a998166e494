"""Options of the upsampling operators, by the name that a configuration gives them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from upsampling.config.declared import Bounds

# Filters of a few thousand taps are tried and measured in seconds; the paper's have at most 10.
LONGEST = 4096
Length = Annotated[int, Bounds(minimum=1, maximum=LONGEST)]
KernelSize = Annotated[Length, "length of the filters, in samples"]
Implementation = Annotated[
    Literal["auto", "plain", "polyphase"],
    "computes the same result at the high rate (plain) or the low rate (polyphase); "
    "auto: whichever costs less",
]
ZeroCrossings = Annotated[Length, "zero crossings of the sinc on either side"]


@dataclass(frozen=True)
class TransposedOptions:
    """Filters of a transposed convolution, or of a convolution after zero insertion."""

    kernel_size: KernelSize = 8


@dataclass(frozen=True)
class SubpixelOptions:
    """Filters at the low rate: one for each phase or band."""

    kernel_size: KernelSize = 3


@dataclass(frozen=True)
class LearnedWaveletOptions(SubpixelOptions):
    """Filters at the low rate, and those of the lifting scheme."""

    lifting: Annotated[Length, "length of the lifting filters, an odd number of samples"] = 3


@dataclass(frozen=True)
class InterpolatorOptions:
    """The convolution after an interpolation."""

    kernel_size: Annotated[
        int,
        Bounds(minimum=0, maximum=LONGEST),
        "length of the convolution after the interpolation, in samples; 0: none",
    ] = 10


@dataclass(frozen=True)
class NearestOptions(InterpolatorOptions):
    """Nearest-neighbor interpolation."""

    implementation: Implementation = "auto"


@dataclass(frozen=True)
class LinearOptions(NearestOptions):
    """Linear interpolation, of which three definitions are in use."""

    definition: Annotated[
        Literal["half_pixel", "align_corners", "triangle"],
        "half_pixel: PyTorch's align_corners=False, as in the authors' notebooks; align_corners: "
        "Wave-U-Net; triangle: the paper's text",
    ] = "half_pixel"


@dataclass(frozen=True)
class Nearest2sOptions:
    """Nearest-neighbor interpolation and a convolution whose length the stride decides."""

    implementation: Implementation = "auto"


@dataclass(frozen=True)
class SincOptions(InterpolatorOptions):
    """Hann-windowed sinc interpolation."""

    zeros: ZeroCrossings = 24


@dataclass(frozen=True)
class NoiseSincOptions:
    """Hann-windowed sinc interpolation and a high-passed branch."""

    zeros: ZeroCrossings = 8
    branch: Annotated[
        Literal["noise", "stretch"],
        "input of the branch: standard normal noise, or the features between inserted zeros",
    ] = "noise"


@dataclass(frozen=True)
class IstftHeadOptions:
    """Inverse short-time Fourier transform."""

    n_fft: Annotated[Length | None, "samples of a frame, at least 2 strides; null: 4 strides"] = (
        None
    )


OPTIONS: dict[str, type] = {
    "transposed": TransposedOptions,
    "nearest": NearestOptions,
    "linear": LinearOptions,
    "subpixel": SubpixelOptions,
    "subpixel_icnr": SubpixelOptions,
    "subpixel_zoh": SubpixelOptions,
    "transposed_nearest_init": TransposedOptions,
    "nearest_2s": Nearest2sOptions,
    "learned_linear": InterpolatorOptions,
    "stretch": TransposedOptions,
    "sinc": SincOptions,
    "kaiser_sinc": InterpolatorOptions,
    "lazy_wavelet": SubpixelOptions,
    "haar_wavelet": SubpixelOptions,
    "learned_wavelet": LearnedWaveletOptions,
    "noise_sinc": NoiseSincOptions,
    "istft_head": IstftHeadOptions,
}

# The operators with a learned filter per phase, which a repair can change.
LEARNED_PHASES = (
    "transposed",
    "transposed_nearest_init",
    "subpixel",
    "subpixel_icnr",
    "subpixel_zoh",
)

# The operators by the upsamplers that Sec. 6 compares; it says nothing about others.
FAMILIES = {
    "transposed": ("transposed", "transposed_nearest_init", "stretch"),
    "subpixel": ("subpixel", "subpixel_icnr"),
    "nearest": ("nearest", "nearest_2s"),
    "interpolation": ("linear", "learned_linear", "sinc", "kaiser_sinc"),
}
