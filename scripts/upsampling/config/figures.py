"""The section `figures` of config.yaml."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from upsampling.config.declared import INTERNAL, Bounds, Count, Hertz, Seconds, Seed, Stride
from upsampling.config.losses import CriticSettings
from upsampling.config.model import Last, Operator, Options

Signal = Literal[
    "silence", "ones", "constant", "white_noise", "sweep", "music", "percussive", "speech_like"
]


@dataclass(frozen=True)
class Panels:
    """Variants whose panels a figure shows, in order."""

    panels: Annotated[tuple[str, ...], Bounds(minimum=1, maximum=26)]


@dataclass(frozen=True)
class Seeded:
    """A figure of random weights."""

    seed: Annotated[Seed, "of the weights"] = 0


@dataclass(frozen=True)
class Stack:
    """A stack of equal single-channel operators: one column of Figs. 6-8."""

    operator: Operator
    signal: Annotated[Signal, "input of the stack"]
    options: Options = field(default_factory=dict)
    seed: Annotated[Seed, "of the weights and the signal"] = 0
    layers: Literal[3] = 3
    stride: Stride = 2
    samplerate: Annotated[Hertz, "of the input, in Hz"] = 4000
    seconds: Seconds = 3.0
    operator_code: Annotated[str, INTERNAL] = ""


@dataclass(frozen=True)
class Columns:
    """The two columns of Figs. 6-8."""

    left: Stack
    right: Stack


@dataclass(frozen=True)
class OperatorSpectra:
    """Every variant's outermost operator alone, on a constant and white noise."""

    stride: Stride = 4
    samplerate: Annotated[Hertz, "of the outputs, in Hz"] = 44100
    seconds: Seconds = 2.0
    seed: Seed = 0


@dataclass(frozen=True)
class Replicas:
    """Each kind of spectral replica of Sec. 5 alone, through layers without bias."""

    following: Annotated[
        tuple[Last, ...], Bounds(minimum=1), "the layers after the artifact, a row each"
    ]
    layers: Count = 2
    stride: Stride = 4
    samplerate: Annotated[Hertz, "of the outputs, in Hz"] = 44100
    seconds: Seconds = 3.0
    seed: Seed = 0
    kernel_size: Annotated[Count, "of the transposed convolution whose tones are replicated"] = 8
    bias: Annotated[float, Bounds(minimum=-1, maximum=1), "before the ReLU of the offset"] = 0.0


@dataclass(frozen=True)
class LossGradient:
    """Gradients of losses with strided layers (Sec. 2, issue iii)."""

    critic: CriticSettings = field(default_factory=CriticSettings)
    signal: Annotated[Signal, "waveform of which the losses are taken"] = "white_noise"
    target: Annotated[Signal, "their reference"] = "speech_like"
    samplerate: Annotated[Hertz, "Hz"] = 22050
    seconds: Seconds = 3.0


@dataclass(frozen=True)
class FiguresSettings:
    """Settings of the figures; a figure beyond the paper is not drawn without its key."""

    figure1: Panels
    figure6: Columns
    figure7: Columns
    figure8: Columns
    figure9: Panels
    figure2: Seeded = field(default_factory=Seeded)
    figure5: Seeded = field(default_factory=Seeded)
    overlay: Annotated[bool, "Figs. 6-8 with predicted tones, valleys and replicas"] = False
    operator_spectra: OperatorSpectra | None = None
    replicas: Replicas | None = None
    loss_gradient: LossGradient | None = None

    @property
    def stacks(self) -> dict[str, Stack]:
        """The columns of Figs. 6-8 by their keys, such as figure6.left."""
        return {
            f"{figure}.{side}": getattr(getattr(self, figure), side)
            for figure in ("figure6", "figure7", "figure8")
            for side in ("left", "right")
        }
