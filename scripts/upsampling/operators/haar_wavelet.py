"""The inverse Haar wavelet as an upsampler."""

from torch import Tensor

from upsampling.operators.lazy_wavelet import SQRT2, LazyWavelet


class HaarWavelet(LazyWavelet):
    """Inverse Haar wavelet: even = (low - high) / sqrt(2), odd = (low + high) / sqrt(2).

    The lifting scheme with predict(x) = x and update(x) = x / 2.
    """

    def inverse(self, high: Tensor, low: Tensor, step: int) -> tuple[Tensor, Tensor]:
        return (low - high) / SQRT2, (low + high) / SQRT2
