"""Tones of random initialisations: their expected power and their distribution.

PyTorch draws weights and biases from U(-a, a) with a = 1 / sqrt(fan-in), of variance v = a^2 / 3.
Its fan-in is the second dimension of the weight times the kernel_size n: C n for a convolution, but
O n for a transposed one, whose weight is [C, O, n]. Feed the constant x to all C channels. One
period of the steady output has s samples, y[j] = x times the sum over c of the polyphase sums
p_c[j], plus the bias; its lines are A[k] = DFT(y)[k] / s, k = 0 the constant. All weights are
independent and of zero mean, so that with C n weights in total, for any overlap,

    E|A[k]|^2 = (x^2 C n + s^2 [k = 0]) v / s^2                    transposed, stretch: one bias
    E|A[k]|^2 = (x^2 C n + 1) v / s                                subpixel: a bias for each phase

(n weights in all s phases, or n for each phase). For silence, transposed convolutions give a
constant, but subpixel ones also tones as strong as that constant; without biases, or for many
channels, both give tones of 0 dB RMS re the constant. The wavelets of stride 2 are subpixel
convolutions, some rotated by an orthogonal matrix, which changes no expected power.

Random taps of zero mean have E|H(f)|^2 = n v at any frequency: a random layer multiplies every
line's expected power by C n v / s^2, be it a tone, a replica of one, or the constant.

Distribution. Sums over many weights are Gaussian. With as many weights in each phase A[k] is then
complex Gaussian and |A[k]|^2 exponential (with partial overlap, nearly so), unless k = s / 2, where
A[k] is real and |A[k]|^2 a chi^2 variable of one degree of freedom (`power_quantile`). A[k] and
A[0] are independent, and the ratio of their powers has Fisher's F distribution, scaled by the ratio
of expected powers (`level_quantile`). With partial overlap they are correlated; the ratio of two
real Gaussians has Cauchy's distribution (`halfway_quantile`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from upsampling.theory.closed_forms import polyphase_sums

Floats = NDArray[np.floating[Any]]

# Operators with one filter and one bias per phase.
PHASED = ("subpixel", "lazy_wavelet", "haar_wavelet", "learned_wavelet")
# Operators with one filter, whose polyphase components are the phases, and one bias.
SINGLE = ("transposed", "stretch")


@dataclass(frozen=True)
class RandomLayer:
    """A randomly initialised operator; wavelets have `stride` 2."""

    operator: str
    in_channels: int
    out_channels: int
    kernel_size: int
    stride: int
    bias: bool = True

    def __post_init__(self) -> None:
        if self.operator not in PHASED + SINGLE:
            raise ValueError(f"no distribution of tones is known for '{self.operator}'")
        if "wavelet" in self.operator and self.stride != 2:
            raise ValueError("wavelets of other strides than 2 are several layers")

    @property
    def variance(self) -> float:
        """Variance of a weight, and of a bias."""
        channels = self.out_channels if self.operator == "transposed" else self.in_channels
        return 1 / (3 * channels * self.kernel_size)

    def expected_power(self, constant: float = 1.0) -> Floats:
        """E|A[k]|^2 [stride] for the input `constant` in all channels; k = 0 is the constant."""
        weights = constant**2 * self.in_channels * self.kernel_size
        if self.operator in PHASED:
            return np.full(self.stride, (weights + self.bias) * self.variance / self.stride)
        power = np.full(self.stride, weights * self.variance / self.stride**2)
        power[0] += self.bias * self.variance
        return power

    def level_quantile(self, probability: ArrayLike, line: int, constant: float = 1.0) -> Any:
        """Quantile in dB of |A[line]|^2 / |A[0]|^2, with equally many weights in each phase."""
        from scipy.stats import f as fisher

        if self.operator in SINGLE and self.kernel_size % self.stride:
            raise ValueError("with partial overlap, tones and the constant are not independent")
        power = self.expected_power(constant)
        freedom = 1 if 2 * line == self.stride else 2
        ratio = power[line] / power[0] * fisher.ppf(probability, freedom, 1)
        return 10 * np.log10(ratio)

    def power_quantile(self, probability: ArrayLike, line: int, constant: float = 1.0) -> Any:
        """Quantile in dB re 1 of |A[line]|^2: exponential, or chi^2 at half the rate."""
        from scipy.stats import chi2

        freedom = 1 if line in (0, self.stride / 2) else 2
        power = self.expected_power(constant)[line]
        return 10 * np.log10(power * chi2.ppf(probability, freedom) / freedom)


def halfway_quantile(probability: ArrayLike, kernel_size: int, stride: int) -> Any:
    """Quantile in dB of |A[s/2]|^2 / |A[0]|^2 of transposed convolutions without bias, any overlap.

    With n_j of the weights in phase j, both have the variance n, and the covariance
    sum over j of (-1)^j n_j = rho n. The ratio of two such Gaussians is a Cauchy variable around
    rho, of scale sqrt(1 - rho^2). `stride` is even. For kernel_size 3 and stride 2, rho is 1/3.
    """
    from scipy.optimize import brentq
    from scipy.stats import cauchy

    counts = polyphase_sums(np.ones(kernel_size), stride)
    rho = float(np.sum(counts * (-1.0) ** np.arange(stride)) / kernel_size)
    ratio = cauchy(loc=rho, scale=np.sqrt(1 - rho**2))

    def amplitude(share: float) -> float:
        return brentq(lambda a: ratio.cdf(a) - ratio.cdf(-a) - share, 0, 1e9)

    return 20 * np.log10(np.vectorize(amplitude)(probability))
