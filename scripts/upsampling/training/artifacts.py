"""Cheap artifact measures of a model in training, with the same test signals at each epoch."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from upsampling.errors import UserError
from upsampling.measures.artifact_rows import WEIGHTS
from upsampling.measures.from_waveform import N_FFT, comb_spacings, measure_waveform
from upsampling.measures.from_weights import imbalance, steady_comb
from upsampling.models.base import AudioModel, UpsamplingLayer, device_of
from upsampling.probes.model_output import model_output
from upsampling.training.device import without_tf32
from upsampling.training.history import EpochMeasurement

SEED = 0
NOISE, SILENCE = "white_noise", "silence"
# Measures of the output for each test signal.
WAVEFORM_MEASURES = {
    SILENCE: ("tone_level", "tone_prominence"),
    NOISE: ("tone_level", "tone_prominence", "notch_depth"),
}
# As long as the test signals of `probes` by default. The output for silence is periodic, so two
# frames of the spectrum are enough.
NOISE_SECONDS = 3.0
SILENCE_FRAMES = 2


def measure_epoch(model: AudioModel, epoch: int) -> list[EpochMeasurement]:
    """Measure the artifacts of `model`, on its device, after `epoch` epochs of training.

    From the weights of each layer: `polyphase_imbalance`, and `polyphase_line`, |P[k]| / |P[0]| at
    k times the spacing of its comb, up to half its output rate; both RMS over pairs of channels.
    From the outputs for silence and for white noise: `tone_level` and `tone_prominence` at each
    line of the outermost layer and at the fundamental of each deeper one; for noise `notch_depth`
    at each line of the outermost layer. Outputs are of single precision: tones in silence some
    140 dB below its constant are rounding errors. `model`, its mode and the state of random
    generators stay as they are. Raises UserError for values that are not finite.
    """
    layers = model.upsampling_layers
    with undisturbed(model):
        rows = [*measure_weights(layers, epoch)]
        for probe in WAVEFORM_MEASURES:
            rows += measure_output(model, layers, probe, epoch)
    if not all(math.isfinite(row.value) for row in rows):
        raise UserError("a measured value is not finite: has the model diverged?")
    return rows


def measure_weights(layers: Sequence[UpsamplingLayer], epoch: int) -> Iterator[EpochMeasurement]:
    """Measure each layer by its weights."""
    for number, layer in enumerate(layers, start=1):
        comb = steady_comb(layer.module, layer.stride, layer.in_channels)
        ratios = [("polyphase_imbalance", 1, imbalance(comb))]
        for line in range(1, layer.stride // 2 + 1):
            ratios.append(("polyphase_line", line, imbalance(comb[[0, line]])))
        for name, line, ratio in ratios:
            yield EpochMeasurement(epoch, WEIGHTS, name, number, line * layer.spacing, ratio, "1")


def measure_output(
    model: AudioModel, layers: Sequence[UpsamplingLayer], probe: str, epoch: int
) -> Iterator[EpochMeasurement]:
    """Measure the output for `probe`; for silence, its steady part."""
    steady = probe == SILENCE
    seconds = SILENCE_FRAMES * N_FFT / model.samplerate if steady else NOISE_SECONDS
    margin = model.settling if steady else 0
    _, output, samplerate = model_output(model, probe, seconds, SEED, margin=margin)
    strides = [layer.stride for layer in layers]
    numbers = [number for number, stride in enumerate(strides, start=1) if stride > 1][::-1]
    layer_of = dict(zip(comb_spacings(strides, samplerate), numbers, strict=True))
    for measured in measure_waveform(output, samplerate, strides):
        name, frequency = measured["measure"], measured["frequency_hz"]
        if name in WAVEFORM_MEASURES[probe] and frequency is not None:
            # Lines that are no layer's fundamental are the outermost layer's.
            number = layer_of.get(frequency, numbers[0])
            value, unit = measured["value"], measured["unit"]
            yield EpochMeasurement(epoch, probe, name, number, frequency, value, unit)


@contextmanager
def undisturbed(model: AudioModel) -> Iterator[None]:
    """Restore the states of random generators, and the mode of `model`, after the block.

    Random generators are seeded for the block, and GPUs do not use TF32: it rounds
    weights to 11 bits, and differently in each phase of an interpolation that is computed as a
    polyphase convolution, which gives tones some 66 dB below a constant that are not the model's.
    """
    training, device = model.training, device_of(model)
    with torch.random.fork_rng([device] if device.type == "cuda" else []), without_tf32():
        torch.manual_seed(SEED)
        try:
            yield
        finally:
            model.train(training)
