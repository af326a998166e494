"""Nearest-neighbor interpolation, then a convolution of twice the stride."""

from upsampling.config.operators import Nearest2sOptions
from upsampling.operators.nearest import Nearest


class NearestTwoStrides(Nearest):
    """Nearest-neighbor interpolation, then a convolution of length 2 * stride without bias.

    The `use_nearest_upsample` option of Stable Audio's decoder (Evans et al. 2024,
    arXiv:2402.04825): the length of its transposed convolution. `bias` is ignored;
    `implementation` is that of `Nearest`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        implementation: str = Nearest2sOptions.implementation,
    ):
        super().__init__(
            in_channels,
            out_channels,
            stride,
            bias=False,
            kernel_size=2 * stride,
            implementation=implementation,
        )
