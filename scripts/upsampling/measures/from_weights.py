"""What the weights of an upsampling layer tell, with no audio: of any checkpoint, any operator.

A linear upsampler of stride s makes of an impulse in input channel i, at its output channel o, a
filter h[i, o]; feeding it any signal is the same as inserting s - 1 zeros after each sample and
applying these filters. They are read off the layer's own responses to impulses (less its response
to silence, that is its bias), in double precision. So an operator of one's own needs no formula,
and one that is not linear has the filters of an impulse of size one.

Tones. p[j] = sum over m of h[j + m s] is the steady response to a constant (`theory`), and
P[k] = |DFT(p)[k]| / s its tone at k / s. The polyphase imbalance of one filter is
sqrt(sum over k > 0 of P[k]^2) / P[0]. Over pairs of channels, numerator and denominator are
aggregated by RMS each: P[0] of a random filter comes near zero, and the RMS of such quotients has
no expectation. Independent weights of zero mean give sqrt(s - 1), the same as 0 dB at each line.

Filtering. Independent white noise in all channels becomes the spectrum S(f), the sum over pairs of
|H[i, o](f)|^2, f in cycles per output sample, which the filters' summed autocorrelation gives.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from upsampling.measures.from_waveform import (
    N_FFT,
    RANGE_DB,
    Measurement,
    comb_frequencies,
    notch_depth,
)
from upsampling.models.base import UpsamplingLayer

Floats = NDArray[np.floating[Any]]

# Input samples on either side of the impulse; doubled until the response has room.
REACHES = (8, 16, 32, 64, 128)
# Input channels whose responses are taken, at most: evenly spaced ones stand for the others. With
# each comes every output channel, thousands of filters in a layer of 32 channels or more.
MOST_CHANNELS = 32
# Relative size of what double precision leaves of a zero.
ROUNDING = 1e-12
DROOP_AT = 0.9


@dataclass(frozen=True)
class ImpulseResponses:
    """Sums over pairs of channels of a layer's responses, and the part of its bias.

    `comb` [stride]: sum of P[k]^2; `bias_comb` [stride]: the same of the response to silence;
    `ones_comb` [stride]: P[k]^2 of the first output channel when all input channels are 1;
    `correlation` [2 L - 1]: summed autocorrelation of filters of L samples; `boundary`, `steady`:
    summed energy of the deviation from the steady response to a constant, and of that response,
    in the first and the last L samples.
    """

    stride: int
    comb: Floats
    bias_comb: Floats
    ones_comb: Floats
    correlation: Floats
    boundary: float
    steady: float


@torch.inference_mode()
def impulse_responses(module: nn.Module, stride: int, channels: int) -> ImpulseResponses:
    """Feed impulses and constants to a layer of `channels` input channels, and sum up."""
    layer = deepcopy(module).double().eval()
    picked = np.unique(np.linspace(0, channels - 1, min(channels, MOST_CHANNELS)).astype(int))
    support, reach = _support(layer, stride, channels)
    length = support.stop - support.start
    impulse = (torch.arange(2 * reach + 1) == reach).double()
    taps = _responses(layer, channels, picked, impulse)[..., support].numpy()
    comb = np.sum(_comb(taps, stride), axis=(0, 1))
    spectra = np.abs(np.fft.rfft(taps, 2 * length)) ** 2
    lags = np.fft.irfft(spectra.sum(axis=(0, 1)), 2 * length)
    correlation = np.roll(lags, length - 1)[: 2 * length - 1]
    output = _responses(layer, channels, picked, torch.ones(4 * reach + 1).double())
    period = _steady_period(output, stride)
    ends, rest = (torch.cat([o[..., :length], o[..., -length:]], dim=-1) for o in (output, period))
    boundary = float((ends - rest).square().sum())
    steady = float(rest.square().sum())
    flat = torch.zeros(1, channels, 4 * reach + 1, dtype=torch.float64)
    silent = layer(flat)
    ones = layer(flat + 1) - silent
    bias_comb = np.sum(_comb(_period(silent, stride), stride), axis=(0, 1))
    ones_comb = _comb(_period(ones, stride), stride)[0, 0]
    return ImpulseResponses(stride, comb, bias_comb, ones_comb, correlation, boundary, steady)


def _period(output: Tensor, stride: int) -> Floats:
    """One period of `output` [..., time] from its middle; zeros if it has none.

    An operator with noise of its own gives no period, and noise is no tone.
    """
    time = output.shape[-1]
    start = time // 2 // stride * stride
    period, before = output[..., start : start + stride], output[..., start - stride : start]
    return (period * torch.allclose(period, before, rtol=1e-9, atol=1e-12)).numpy()


def _responses(layer: nn.Module, channels: int, picked: Any, waveform: Tensor) -> Tensor:
    """Responses [picked, out, time] to `waveform` in one channel at a time, less the bias's."""
    inputs = torch.zeros(len(picked) + 1, channels, len(waveform), dtype=torch.float64)
    inputs[torch.arange(len(picked)), torch.as_tensor(picked)] = waveform
    outputs = layer(inputs)
    return outputs[:-1] - outputs[-1:]


def _support(layer: nn.Module, stride: int, channels: int) -> tuple[slice, int]:
    """Where the filters are not zero in the response to an impulse, and the reach that shows it."""
    first = np.arange(min(channels, 4))
    for reach in REACHES:
        places = (torch.arange(2 * reach + 1) == reach).double()
        response = _responses(layer, channels, first, places)
        size = response.abs().amax(dim=(0, 1))
        used = np.flatnonzero((size > ROUNDING * size.max()).numpy())
        if not len(used):
            return slice(0, stride), reach
        inside = used[0] >= stride and used[-1] < len(size) - stride
        if inside or reach == REACHES[-1]:
            return slice(int(used[0]), int(used[-1]) + 1), reach
    raise AssertionError("unreachable")


def _steady_period(output: Tensor, stride: int) -> Tensor:
    """The middle period of `output` [..., time], repeated over its whole length."""
    time = output.shape[-1]
    start = time // 2 // stride * stride
    period = output[..., start : start + stride]
    return period.repeat(*[1] * (output.ndim - 1), time // stride + 1)[..., :time]


def _comb(filters: Floats, stride: int) -> Floats:
    """P[k]^2 [..., stride] of filters or periods [..., samples]."""
    missing = -filters.shape[-1] % stride
    padded = np.pad(filters, [(0, 0)] * (filters.ndim - 1) + [(0, missing)])
    sums = padded.reshape(*filters.shape[:-1], -1, stride).sum(axis=-2)
    return np.abs(np.fft.fft(sums, axis=-1) / stride) ** 2


def imbalance(comb: Floats) -> float:
    """Polyphase imbalance from summed P[k]^2 [stride]; 0 for what rounding leaves of equal sums.

    A layer without any constant in its output, but with tones, has the reciprocal of that.
    """
    tones, constant = float(np.sum(comb[1:])), float(comb[0])
    if tones <= ROUNDING**2 * constant or tones == 0:
        return 0.0
    return float(np.sqrt(min(tones / max(constant, 1e-300), ROUNDING**-2)))


def image_to_base(correlation: Floats, stride: int) -> float:
    """Energy in dB above the old Nyquist frequency over that below it, for white noise.

    The integral of S(f) over |f| < 0.5 / s is the sum over lags n of r[n] sin(pi n / s) / (pi n)
    with the summed autocorrelation r; over all frequencies it is r[0] (Parseval).
    """
    lags = np.arange(len(correlation)) - len(correlation) // 2
    base = float(np.sum(correlation * np.sinc(lags / stride)) / stride)
    total = float(correlation[len(correlation) // 2])
    return _ratio(total - base, base)


def spectrum(correlation: Floats, frequencies: Floats) -> Floats:
    """S(f) at `frequencies` [count] in cycles per output sample, at least zero."""
    lags = np.arange(len(correlation) // 2 + 1)
    half = correlation[len(correlation) // 2 :] * np.where(lags, 2.0, 1.0)
    waves = np.cos(2 * np.pi * np.outer(frequencies, lags))
    return np.maximum(waves @ half, 0.0)


def droop(correlation: Floats, stride: int) -> float:
    """Gain in dB at 0.9 of the old Nyquist frequency, relative to that at 0 Hz, by S(f)."""
    edge, constant = spectrum(correlation, np.array([DROOP_AT * 0.5 / stride, 0.0]))
    return _ratio(float(edge), float(constant))


def expected_notch_depth(correlation: Floats, frequency: float, samplerate: float) -> float:
    """`notch_depth` in dB at `frequency` in Hz that white noise shows, seen through a Hann window.

    The expected power of a bin is S(f) under the window's own spectrum. To half a bin's width, that
    is the mean over frequencies in between, weighted with the squared transform of the window.
    """
    fine = 4
    offsets = np.arange(-8 * fine, 8 * fine + 1) / fine
    # The transform of a Hann window at `offsets` from its centre, in bins.
    window = np.sinc(offsets) / (1 - np.where(np.abs(offsets) == 1, 0, offsets) ** 2)
    window[np.abs(offsets) == 1] = 0.5
    weights = window**2 / np.sum(window**2)
    grid = np.arange(-8 * fine, (N_FFT // 2 + 8) * fine + 1) / (fine * N_FFT)
    lags = len(correlation) // 2
    padded = np.zeros(N_FFT * fine)
    padded[: lags + 1] = correlation[lags:]
    padded[len(padded) - lags :] = correlation[:lags]
    circle = np.maximum(np.fft.fft(padded).real, 0.0)
    power = circle[np.rint(grid * N_FFT * fine).astype(int) % len(circle)]
    seen = np.convolve(power, weights, mode="valid")[::fine]
    return notch_depth(seen, frequency, round(samplerate))


def measure_layers(layers: Sequence[UpsamplingLayer]) -> list[Measurement]:
    """Records of upsampling `layers` from their weights, each under its comb's spacing.

    `polyphase_imbalance` and `bias_imbalance` (ratios: of what a constant input adds, and of the
    response to silence; both zero if and only if no constant input gives a tone),
    `tone_to_constant` (dB: |P[1]| / |P[0]| of one output channel when all input channels are 1),
    `image_to_base` and `droop` (dB), `boundary_error` (dB: energy of the deviation from the steady
    response to a constant, within the length of a filter from either end, relative to the steady
    response there). For the outermost, the last, `notch_depth` at each of its lines, as
    `expected_notch_depth`; for all together, without a frequency, the RMS over layers of
    `polyphase_imbalance`.
    """
    records: list[Measurement] = []

    def record(name: str, frequency: float | None, value: float, unit: str = "dB") -> None:
        records.append(Measurement(measure=name, frequency_hz=frequency, value=value, unit=unit))

    found = []
    for layer in layers:
        response = impulse_responses(layer.module, layer.stride, layer.in_channels)
        found.append(imbalance(response.comb))
        record("polyphase_imbalance", layer.spacing, found[-1], "1")
        ones = response.ones_comb
        record("tone_to_constant", layer.spacing, _ratio(float(ones[1]), float(ones[0])))
        record("bias_imbalance", layer.spacing, imbalance(response.bias_comb), "1")
        record("image_to_base", layer.spacing, image_to_base(response.correlation, layer.stride))
        record("droop", layer.spacing, droop(response.correlation, layer.stride))
        record("boundary_error", layer.spacing, _ratio(response.boundary, response.steady))
    record("polyphase_imbalance", None, float(np.sqrt(np.mean(np.square(found)))), "1")
    samplerate = round(layers[-1].spacing * layers[-1].stride)
    for frequency in comb_frequencies(layers[-1].spacing, samplerate):
        depth = expected_notch_depth(response.correlation, float(frequency), samplerate)
        record("notch_depth", float(frequency), depth)
    return records


def _ratio(part: float, whole: float) -> float:
    """10 log10(part / whole) within +-`RANGE_DB`; 0 if both are nothing."""
    if part <= 0 and whole <= 0:
        return 0.0
    limit = 10 ** (RANGE_DB / 10)
    return 10 * float(np.log10(np.clip(part / max(whole, 1e-300), 1 / limit, limit)))
