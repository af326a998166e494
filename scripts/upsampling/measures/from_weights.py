"""Measures of an upsampling layer from its weights alone, of any checkpoint and any operator.

A linear upsampler of stride s turns an impulse in input channel i into a filter h[i, o] at its
output channel o; for any signal it is equivalent to inserting s - 1 zeros after each sample and
applying these filters. They are the layer's own impulse responses (less its output for silence,
that is its bias) in double precision. So a custom operator needs no formula, and one that is not
linear has the filters of an impulse of size one.

Tones. p[j] = sum over m of h[j + m s] is the steady output for a constant, and
P[k] = |DFT(p)[k]| / s its tone at k / s. The polyphase imbalance of one filter is
sqrt(sum over k > 0 of P[k]^2) / P[0]. Over pairs of channels, numerator and denominator are
aggregated by RMS each: P[0] of a random filter can come near zero, and the RMS of such quotients
has no expectation. Independent weights of zero mean give sqrt(s - 1), the same as 0 dB at each
line.

Filtering. Independent white noise in all channels gives the spectrum S(f), the sum over pairs of
|H[i, o](f)|^2, f in cycles per output sample, which is the transform of the filters' summed
autocorrelation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from upsampling.decibels import ratio_to_db
from upsampling.measures.from_waveform import N_FFT, Measurement, comb_frequencies, notch_depth
from upsampling.measures.spectra import hann_transform
from upsampling.models.base import UpsamplingLayer, device_of, in_double_precision

Floats = NDArray[np.floating[Any]]

# Input samples on either side of the impulse; the next reach is tried if the filter does not fit.
REACHES = (8, 16, 32, 64, 128)
# At most this many input channels, evenly spaced, get an impulse. Each gives a filter for every
# output channel: thousands of filters in a layer of 32 channels or more.
MOST_CHANNELS = 32
# Relative size of rounding errors in double precision.
ROUNDING = 1e-12
DROOP_AT = 0.9
# Frequencies per bin, and bins on either side, of the Hann window's own spectrum.
FINE, LOBES = 4, 8


@dataclass(frozen=True)
class ImpulseResponses:
    """Sums over pairs of channels of a layer's impulse responses, and its output for silence.

    `comb` [stride]: sum of P[k]^2; `bias_comb` [stride]: the same of the output for silence;
    `ones_comb` [stride]: P[k]^2 of the first output channel when all input channels are 1;
    `correlation` [2 L - 1]: summed autocorrelation of filters of L samples; `boundary`, `steady`:
    summed energy of the deviation from the steady output for a constant, and of that output, in the
    first and the last L samples.
    """

    comb: Floats
    bias_comb: Floats
    ones_comb: Floats
    correlation: Floats
    boundary: float
    steady: float


@torch.no_grad()
def impulse_responses(layer: nn.Module, stride: int, channels: int) -> ImpulseResponses:
    """Feed impulses and constants to a layer of `channels` input channels, and sum up."""
    with in_double_precision(layer):
        filters, reach = _filters(layer, stride, channels)
        length = filters.shape[-1]
        steady_input = torch.ones(4 * reach + 1, dtype=torch.float64)
        output = _channel_outputs(layer, channels, _picked(channels), steady_input)
        flat = torch.zeros(1, channels, 4 * reach + 1, dtype=torch.float64)
        silent = _output(layer, flat)
        ones = _output(layer, flat + 1) - silent
    spectra = np.abs(np.fft.rfft(filters, 2 * length)) ** 2
    lags = np.fft.irfft(spectra.sum(axis=(0, 1)), 2 * length)
    # The middle period, repeated over the whole length.
    times = output.shape[-1] // 2 // stride * stride + torch.arange(output.shape[-1]) % stride
    ends, rest = (
        torch.cat([o[..., :length], o[..., -length:]], dim=-1) for o in (output, output[..., times])
    )
    return ImpulseResponses(
        comb=np.sum(_comb(filters, stride), axis=(0, 1)),
        bias_comb=np.sum(_comb(_period(silent, stride), stride), axis=(0, 1)),
        ones_comb=_comb(_period(ones, stride), stride)[0, 0],
        correlation=np.roll(lags, length - 1)[: 2 * length - 1],
        boundary=float((ends - rest).square().sum()),
        steady=float(rest.square().sum()),
    )


@torch.no_grad()
def steady_comb(layer: nn.Module, stride: int, channels: int) -> Floats:
    """Return the field `comb` of `impulse_responses` alone, in half its time."""
    with in_double_precision(layer):
        filters, _ = _filters(layer, stride, channels)
    return np.sum(_comb(filters, stride), axis=(0, 1))


def _picked(channels: int) -> NDArray[np.intp]:
    """Return the input channels that get an impulse."""
    return np.unique(np.linspace(0, channels - 1, min(channels, MOST_CHANNELS)).astype(np.intp))


def _filters(layer: nn.Module, stride: int, channels: int) -> tuple[Floats, int]:
    """Return impulse responses' nonzero part [picked, out, samples], and a reach that contains it.

    That is the shortest one, or the longest if none does.
    """
    for reach in REACHES:
        impulse = (torch.arange(2 * reach + 1) == reach).double()
        first = _channel_outputs(layer, channels, np.arange(min(channels, 4)), impulse)
        size = first.abs().amax(dim=(0, 1))
        used = np.flatnonzero((size > ROUNDING * size.max()).numpy())
        if not len(used) or (used[0] >= stride and used[-1] < len(size) - stride):
            break
    support = slice(used[0], used[-1] + 1) if len(used) else slice(0, stride)
    outputs = _channel_outputs(layer, channels, _picked(channels), impulse)
    return outputs[..., support].numpy(), reach


def _period(output: Tensor, stride: int) -> Floats:
    """Return one period of `output` [..., time] from its middle; zeros if it has none.

    An operator that adds noise gives no period, and noise is no tone.
    """
    time = output.shape[-1]
    start = time // 2 // stride * stride
    period, before = output[..., start : start + stride], output[..., start - stride : start]
    return (period * torch.allclose(period, before, rtol=1e-9, atol=1e-12)).numpy()


def _channel_outputs(layer: nn.Module, channels: int, picked: Any, waveform: Tensor) -> Tensor:
    """Outputs [picked, out, time] for `waveform` in one channel each, less that for silence."""
    inputs = torch.zeros(len(picked) + 1, channels, len(waveform), dtype=torch.float64)
    inputs[torch.arange(len(picked)), torch.as_tensor(picked)] = waveform
    outputs = _output(layer, inputs)
    return outputs[:-1] - outputs[-1:]


def _output(layer: nn.Module, inputs: Tensor) -> Tensor:
    """The output of `layer` for `inputs`, on the CPU; computed where the layer's tensors are."""
    return layer(inputs.to(device_of(layer))).cpu()


def _comb(filters: Floats, stride: int) -> Floats:
    """Return P[k]^2 [..., stride] of filters or periods [..., samples]."""
    missing = -filters.shape[-1] % stride
    padded = np.pad(filters, [(0, 0)] * (filters.ndim - 1) + [(0, missing)])
    sums = padded.reshape(*filters.shape[:-1], -1, stride).sum(axis=-2)
    return np.abs(np.fft.fft(sums, axis=-1) / stride) ** 2


def imbalance(comb: Floats) -> float:
    """Return the polyphase imbalance from summed P[k]^2 [stride]; 0 for equal sums but rounding.

    At most 1 / `ROUNDING`, for a layer with tones and no constant in its output.
    """
    tones, constant = float(np.sum(comb[1:])), float(comb[0])
    if tones <= ROUNDING**2 * constant or tones == 0:
        return 0.0
    return float(np.sqrt(min(tones / max(constant, 1e-300), ROUNDING**-2)))


def image_to_base(correlation: Floats, stride: int) -> float:
    """Return the energy in dB above the old Nyquist frequency over that below it, for white noise.

    The integral of S(f) over |f| < 0.5 / s is the sum over lags n of r[n] sin(pi n / s) / (pi n)
    with the summed autocorrelation r; over all frequencies it is r[0] (Parseval).
    """
    lags = np.arange(len(correlation)) - len(correlation) // 2
    base = float(np.sum(correlation * np.sinc(lags / stride)) / stride)
    total = float(correlation[len(correlation) // 2])
    return ratio_to_db(total - base, base)


def spectrum(correlation: Floats, frequencies: Floats) -> Floats:
    """Return S(f) at `frequencies` [count] in cycles per output sample, at least zero."""
    lags = np.arange(len(correlation) // 2 + 1)
    half = correlation[len(correlation) // 2 :] * np.where(lags, 2.0, 1.0)
    waves = np.cos(2 * np.pi * np.outer(frequencies, lags))
    return np.maximum(waves @ half, 0.0)


def droop(correlation: Floats, stride: int) -> float:
    """Return the gain in dB at 0.9 of the old Nyquist frequency, relative to 0 Hz, by S(f)."""
    edge, constant = spectrum(correlation, np.array([DROOP_AT * 0.5 / stride, 0.0]))
    return ratio_to_db(float(edge), float(constant))


def expected_notch_depth(correlation: Floats, frequency: float, samplerate: float) -> float:
    """Return the expected `notch_depth` in dB at `frequency` in Hz, for white noise.

    The expected power of a bin is S(f) under the Hann window's own spectrum: the mean of S over
    frequencies a quarter of a bin apart, weighted with the squared transform of the window.
    """
    offsets = np.arange(-LOBES * FINE, LOBES * FINE + 1) / FINE
    weights = hann_transform(offsets) ** 2
    weights /= np.sum(weights)
    grid = np.arange(-LOBES * FINE, (N_FFT // 2 + LOBES) * FINE + 1) / (FINE * N_FFT)
    lags = len(correlation) // 2
    padded = np.zeros(N_FFT * FINE)
    padded[: lags + 1] = correlation[lags:]
    padded[len(padded) - lags :] = correlation[:lags]
    circle = np.maximum(np.fft.fft(padded).real, 0.0)
    power = circle[np.rint(grid * N_FFT * FINE).astype(int) % len(circle)]
    expected = np.convolve(power, weights, mode="valid")[::FINE]
    return notch_depth(expected, frequency, round(samplerate))


def measure_layers(layers: Sequence[UpsamplingLayer]) -> list[Measurement]:
    """Measure upsampling `layers` by their weights, each under its comb's spacing.

    `polyphase_imbalance` and `bias_imbalance` (ratios: of the output for a constant, and of that
    for silence; both zero if and only if no constant input gives a tone), `tone_to_constant` (dB:
    |P[1]| / |P[0]| of one output channel when all input channels are 1), `image_to_base` and
    `droop` (dB), `boundary_error` (dB: energy of the deviation from the steady output for a
    constant, within the length of a filter from either end, relative to the steady output there).
    For the outermost, the last, `notch_depth` at each of its lines, as `expected_notch_depth`; for
    all together, without a frequency, the RMS over layers of `polyphase_imbalance`.
    """
    measurements: list[Measurement] = []

    def add(name: str, frequency: float | None, value: float, unit: str = "dB") -> None:
        measurements.append(
            Measurement(measure=name, frequency_hz=frequency, value=value, unit=unit)
        )

    imbalances = []
    for layer in layers:
        sums = impulse_responses(layer.module, layer.stride, layer.in_channels)
        imbalances.append(imbalance(sums.comb))
        ones = sums.ones_comb
        add("polyphase_imbalance", layer.spacing, imbalances[-1], "1")
        add("tone_to_constant", layer.spacing, ratio_to_db(float(ones[1]), float(ones[0])))
        add("bias_imbalance", layer.spacing, imbalance(sums.bias_comb), "1")
        add("image_to_base", layer.spacing, image_to_base(sums.correlation, layer.stride))
        add("droop", layer.spacing, droop(sums.correlation, layer.stride))
        add("boundary_error", layer.spacing, ratio_to_db(sums.boundary, sums.steady))
    add("polyphase_imbalance", None, float(np.sqrt(np.mean(np.square(imbalances)))), "1")
    samplerate = round(layers[-1].spacing * layers[-1].stride)
    for frequency in comb_frequencies(layers[-1].spacing, samplerate):
        depth = expected_notch_depth(sums.correlation, float(frequency), samplerate)
        add("notch_depth", float(frequency), depth)
    return measurements
