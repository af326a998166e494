"""Linear interpolation in three definitions (Sec. 3)."""

import torch
from torch import Tensor
from torch.nn import functional

from upsampling.config.operators import LinearOptions
from upsampling.operators.base import refuse_unknown
from upsampling.operators.nearest import Nearest
from upsampling.operators.polyphase_maps import Interpolation


def interpolate_half_pixel(signal: Tensor, stride: int) -> Tensor:
    """Linear interpolation between sample centers: `[batch, channels, time]` to `stride * time`.

    The convention of the authors' notebooks (PyTorch's `align_corners=False`). For stride 2 its
    filter is (1, 3, 3, 1) / 4, whose frequency response is a cos^3: -9.0 dB at the old Nyquist
    frequency.
    """
    if signal.is_cuda:
        return half_pixel_by_phases(signal, stride)
    return functional.interpolate(signal, scale_factor=stride, mode="linear", align_corners=False)


def half_pixel_by_phases(signal: Tensor, stride: int) -> Tensor:
    """The same, phase by phase, for GPUs: there PyTorch's own gradient varies from run to run.

    It adds in whatever order threads arrive.
    """
    held = torch.cat([signal[..., :1], signal, signal[..., -1:]], dim=-1).unsqueeze(-1)
    previous, current, following = held[..., :-2, :], held[..., 1:-1, :], held[..., 2:, :]
    # Distances of an input sample's outputs from its center, in input samples.
    centers = torch.arange(stride, dtype=torch.float64, device=signal.device) + 0.5
    before, after = (centers / stride - 0.5).to(signal.dtype).tensor_split([stride // 2])
    blocks = [torch.lerp(current, previous, -before), torch.lerp(current, following, after)]
    return torch.cat(blocks, dim=-1).flatten(-2)


def interpolate_align_corners(signal: Tensor, stride: int) -> Tensor:
    """Linear interpolation that maps first to first and last to last sample (Wave-U-Net).

    Its step is (time - 1) / (stride * time - 1) samples, so it is not exactly shift-invariant.
    """
    size = stride * signal.shape[-1]
    if signal.is_cuda:
        return align_corners_as_image(signal, size)
    return functional.interpolate(signal, size=size, mode="linear", align_corners=True)


def align_corners_as_image(signal: Tensor, size: int) -> Tensor:
    """The same to `size` samples, for GPUs: PyTorch has reproducible gradients for images alone."""
    return functional.interpolate(
        signal.unsqueeze(-2), size=(1, size), mode="bilinear", align_corners=True
    ).squeeze(-2)


def interpolate_triangle(signal: Tensor, stride: int) -> Tensor:
    """Zero insertion and a triangular filter of half-width `stride`: a sinc^2 (Sec. 3).

    Every `stride`-th output sample is an input sample; the last one is held.
    """
    following = torch.cat([signal[..., 1:], signal[..., -1:]], dim=-1)
    weight = torch.arange(stride, dtype=signal.dtype, device=signal.device) / stride
    return (signal.unsqueeze(-1) * (1 - weight) + following.unsqueeze(-1) * weight).flatten(-2)


LINEAR: dict[str, Interpolation] = {
    "half_pixel": interpolate_half_pixel,
    "align_corners": interpolate_align_corners,
    "triangle": interpolate_triangle,
}


class Linear(Nearest):
    """Linear interpolation in one of its three definitions, then a convolution.

    Source: Sec. 3, Figs. 6 and 8. `definition` names the interpolation: the paper's text describes
    `triangle`, the authors' notebooks use `half_pixel`, Wave-U-Net `align_corners`. The last one is
    not shift-invariant and has the plain implementation alone.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        kernel_size: int = LinearOptions.kernel_size,
        definition: str = LinearOptions.definition,
        implementation: str = LinearOptions.implementation,
    ):
        super().__init__(
            in_channels,
            out_channels,
            stride,
            bias=bias,
            kernel_size=kernel_size,
            implementation=implementation,
        )
        if implementation == "polyphase" and definition == "align_corners":
            raise ValueError(
                "align_corners is not shift-invariant and has no polyphase implementation"
            )
        refuse_unknown("definition", definition, LINEAR)
        self.definition = definition
        self.interpolation = LINEAR[definition]
        self.shift_invariant = definition != "align_corners"
