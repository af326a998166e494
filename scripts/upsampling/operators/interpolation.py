"""Interpolation upsamplers (Sec. 3): no tonal artifacts, but filtering artifacts."""

from collections.abc import Collection

import torch
from torch import Tensor
from torch.nn import functional

from upsampling.operators.base import SameConvolution, Upsampler
from upsampling.operators.phases import Interpolation, costs, find_phases
from upsampling.operators.polyphase import convolve
from upsampling.settings import nearest_match


def interpolate_nearest(signal: Tensor, stride: int) -> Tensor:
    """Repeat each sample `stride` times: `[..., time]` to `[..., stride * time]`.

    The filter is rectangular, its response a sinc (Sec. 3).
    """
    return signal.repeat_interleave(stride, dim=-1)


def interpolate_half_pixel(signal: Tensor, stride: int) -> Tensor:
    """Linear interpolation between sample centres: `[batch, channels, time]` to `stride * time`.

    The convention of the authors' notebooks (PyTorch's `align_corners=False`). For stride 2 its
    filter is (1, 3, 3, 1) / 4, whose response is a cos^3: -9.0 dB at the old Nyquist frequency.
    """
    return functional.interpolate(signal, scale_factor=stride, mode="linear", align_corners=False)


def interpolate_align_corners(signal: Tensor, stride: int) -> Tensor:
    """Linear interpolation that maps first to first and last to last sample (Wave-U-Net).

    Its step is (time - 1) / (stride * time - 1) samples, so it is not exactly shift-invariant.
    """
    return functional.interpolate(
        signal, size=stride * signal.shape[-1], mode="linear", align_corners=True
    )


def interpolate_triangle(signal: Tensor, stride: int) -> Tensor:
    """Zero insertion and a triangular filter of half-width `stride`: a sinc^2 (Sec. 3).

    Every `stride`-th output sample is an input sample; the last one is held.
    """
    following = torch.cat([signal[..., 1:], signal[..., -1:]], dim=-1)
    weight = torch.arange(stride, dtype=signal.dtype, device=signal.device) / stride
    between = signal.unsqueeze(-1) * (1 - weight) + following.unsqueeze(-1) * weight
    return between.flatten(-2)


LINEAR: dict[str, Interpolation] = {
    "half_pixel": interpolate_half_pixel,
    "align_corners": interpolate_align_corners,
    "triangle": interpolate_triangle,
}
PATHS = ("auto", "plain", "polyphase")


class Nearest(Upsampler):
    """Nearest-neighbour interpolation, then a convolution with filters of `length` samples.

    `length` 10 at stride 4 is what the parameter count of Table 1 forces; 0 leaves the
    convolution out, which needs as many channels out as in. Source: Sec. 3, Fig. 6.

    `path` chooses how it is computed, not what: `plain` interpolates and convolves, `polyphase`
    does both at the low rate, `auto` takes what costs less for the shapes at hand.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        *,
        bias: bool = True,
        length: int = 10,
        path: str = "auto",
    ):
        super().__init__(channels_in, channels_out, stride, bias=bias)
        if length == 0 and channels_in != channels_out:
            raise ValueError("interpolation alone (length 0) cannot change the number of channels")
        refuse_unknown("path", path, PATHS)
        if path == "polyphase" and length == 0:
            raise ValueError("interpolation alone (length 0) has no polyphase path")
        self.path = path
        self.interpolation: Interpolation = interpolate_nearest
        self.shift_invariant = True
        self.convolution = (
            SameConvolution(channels_in, channels_out, length, bias=bias) if length else None
        )

    def interpolate(self, signal: Tensor) -> Tensor:
        """Upsample `[batch, channels, time]` without a learnable part."""
        return self.interpolation(signal, self.stride)

    def way(self, samples: int) -> str:
        """How `samples` (batch times time) are computed: `plain`, or polyphase by order.

        `auto` is the cheapest of `phases.costs`, `polyphase` the cheaper of its two orders.
        """
        if self.path == "plain" or self.convolution is None or not self.shift_invariant:
            return "plain"
        phases = find_phases(self.interpolation, self.stride, self.convolution.kernel_size[0])
        found = costs(phases, samples, self.channels_in, self.channels_out)
        if self.path == "polyphase":
            del found["plain"]
        return min(found, key=lambda way: found[way])

    def forward(self, signal: Tensor) -> Tensor:
        if self.convolution is None:
            return self.interpolate(signal)
        way = self.way(signal.shape[0] * signal.shape[-1])
        if way == "plain":
            return self.convolution(self.interpolate(signal))
        weight, bias = self.convolution.weight, self.convolution.bias
        phases = find_phases(self.interpolation, self.stride, weight.shape[-1])
        return convolve(signal, weight, bias, phases, way)


class Linear(Nearest):
    """Linear interpolation in one of its three definitions, then a convolution.

    Source: Sec. 3, Figs. 6 and 8. `definition` names which interpolation: the paper's text
    describes `triangle`, the authors' notebooks use `half_pixel`, Wave-U-Net `align_corners`.
    The last one is not shift-invariant and has the plain path alone.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        stride: int,
        *,
        bias: bool = True,
        length: int = 10,
        definition: str = "half_pixel",
        path: str = "auto",
    ):
        super().__init__(channels_in, channels_out, stride, bias=bias, length=length, path=path)
        if path == "polyphase" and definition == "align_corners":
            raise ValueError("align_corners is not shift-invariant and has no polyphase path")
        refuse_unknown("definition", definition, LINEAR)
        self.definition = definition
        self.interpolation = LINEAR[definition]
        self.shift_invariant = definition != "align_corners"


def refuse_unknown(option: str, value: str, choices: Collection[str]) -> None:
    """Raise a `ValueError` that lists the choices if `value` is not one of them."""
    if value not in choices:
        raise ValueError(
            f"{option} '{value}'{nearest_match(value, choices)}; choose from {', '.join(choices)}"
        )
