"""A subpixel convolution whose output is smoothed by a zero-order hold."""

from torch import Tensor
from torch.nn import functional

from upsampling.operators.subpixel import Subpixel


class SubpixelZOH(Subpixel):
    """Subpixel convolution, then the mean of `stride` consecutive samples (a zero-order hold).

    The mean's zeros lie at all multiples of the low rate, so a constant gives no tone for any
    weights, before and after training, at the cost of the frequency response of nearest-neighbor
    interpolation. Source: Sugawara, Shiota and Kiya 2019 (doi:10.1017/ATSIP.2019.2); Kinoshita and
    Kiya 2020 (arXiv:2002.02117).
    """

    def forward(self, signal: Tensor) -> Tensor:
        stride = self.stride
        padded = functional.pad(super().forward(signal), ((stride - 1) // 2, stride // 2))
        return functional.avg_pool1d(padded, stride, 1)
