"""Nearest-neighbor interpolation (Sec. 3): no tonal artifacts, but filtering artifacts."""

from torch import Tensor

from upsampling.config.declared import choices
from upsampling.config.operators import Implementation, NearestOptions
from upsampling.operators.base import (
    SameConvolution,
    Upsampler,
    refuse_channel_change,
    refuse_unknown,
)
from upsampling.operators.polyphase import by_convolution, by_matrix_products
from upsampling.operators.polyphase_maps import MOVE, Interpolation, PolyphaseMaps, copy_cost, costs

IMPLEMENTATIONS = choices(Implementation)


def interpolate_nearest(signal: Tensor, stride: int) -> Tensor:
    """Repeat each sample `stride` times: `[..., time]` to `[..., stride * time]`.

    The filter is rectangular, its frequency response a sinc (Sec. 3).
    """
    return signal.repeat_interleave(stride, dim=-1)


class Nearest(Upsampler):
    """Nearest-neighbor interpolation, then a convolution with filters of `kernel_size` samples.

    `kernel_size` 10 at stride 4 is forced by the parameter count of Table 1; 0 leaves the
    convolution out, which needs as many channels out as in. Source: Sec. 3, Fig. 6.

    `implementation` chooses between equal computations: `plain` interpolates and convolves,
    `polyphase` does both at the low rate, `auto` takes the cheaper one for the shapes at hand.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        kernel_size: int = NearestOptions.kernel_size,
        implementation: str = NearestOptions.implementation,
    ):
        super().__init__(in_channels, out_channels, stride, bias=bias)
        refuse_channel_change(kernel_size, in_channels, out_channels)
        refuse_unknown("implementation", implementation, IMPLEMENTATIONS)
        if implementation == "polyphase" and kernel_size == 0:
            raise ValueError("interpolation alone (kernel_size 0) has no polyphase implementation")
        self.kernel_size = kernel_size
        self.implementation = implementation
        self.interpolation: Interpolation = interpolate_nearest
        self.shift_invariant = True
        self.convolution: SameConvolution | None = None
        if kernel_size:
            self.convolution = SameConvolution(in_channels, out_channels, kernel_size, bias=bias)

    def interpolate(self, signal: Tensor) -> Tensor:
        """Upsample `[batch, channels, time]` without a learnable part."""
        return self.interpolation(signal, self.stride)

    def choose_implementation(self, batch: int, time: int, move: int = MOVE["cpu"]) -> str:
        """Return the cheapest of `costs` that `implementation` allows."""
        if self.implementation == "plain" or self.convolution is None or not self.shift_invariant:
            return "plain"
        by_name = costs(self.maps(), batch, time, self.in_channels, self.out_channels, move)
        if self.implementation == "polyphase":
            del by_name["plain"]
        return min(by_name, key=lambda name: by_name[name])

    def maps(self) -> PolyphaseMaps:
        """Return the maps of the polyphase implementation."""
        return PolyphaseMaps(self.interpolation, self.stride, self.kernel_size)

    def forward(self, signal: Tensor) -> Tensor:
        if self.convolution is None:
            return self.interpolate(signal)
        batch, _, time = signal.shape
        chosen = self.choose_implementation(batch, time, copy_cost(signal.device))
        if chosen == "plain":
            return self.convolution(self.interpolate(signal))
        convolve = by_convolution if chosen == "convolution" else by_matrix_products
        return convolve(signal, self.convolution.weight, self.convolution.bias, self.maps())
