"""An inverse lifting step with trained filters as an upsampler."""

import torch
from torch import Tensor, nn

from upsampling.config.operators import LearnedWaveletOptions
from upsampling.operators.base import filter_each
from upsampling.operators.lazy_wavelet import SQRT2, LazyWavelet


class LearnedWavelet(LazyWavelet):
    """Inverse lifting step with trained predict and update filters, initialised as Haar's.

    The filters have `lifting` samples, an odd number, and are shared by all channels. For any
    parameters predict sums to 1 and update to 1/2, which keeps a zero of the high band at 0 Hz and
    of the low band at half the rate (Nakamura et al. 2021, doi:10.1109/TASLP.2021.3072496). The
    step is invertible for any filters.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bias: bool = True,
        kernel_size: int = LearnedWaveletOptions.kernel_size,
        lifting: int = LearnedWaveletOptions.lifting,
    ):
        super().__init__(in_channels, out_channels, stride, bias=bias, kernel_size=kernel_size)
        if lifting % 2 == 0:
            raise ValueError(f"lifting filters have an odd length, not {lifting}")
        center = torch.zeros(lifting)
        center[lifting // 2] = 1
        steps = range(len(self.convolutions))
        self.predictors = nn.ParameterList(nn.Parameter(center.clone()) for _ in steps)
        self.updates = nn.ParameterList(nn.Parameter(center / 2) for _ in steps)

    def predict(self, even: Tensor, step: int) -> Tensor:
        """Predict odd from even samples, `[batch, channels, time]`."""
        return filter_each(even, _with_sum(self.predictors[step], 1.0))

    def update(self, high: Tensor, step: int) -> Tensor:
        """Return the high band's contribution to even samples, `[batch, channels, time]`."""
        return filter_each(high, _with_sum(self.updates[step], 0.5))

    def inverse(self, high: Tensor, low: Tensor, step: int) -> tuple[Tensor, Tensor]:
        high, low = high * SQRT2, low / SQRT2
        even = low - self.update(high, step)
        return even, high + self.predict(even, step)


def _with_sum(parameter: Tensor, total: float) -> Tensor:
    """Shift the values of `parameter` so that they sum to `total`."""
    return parameter - parameter.mean() + total / len(parameter)
