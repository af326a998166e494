"""The output of a model for a test signal."""

import numpy as np
import torch
from torch import Tensor

from upsampling.models.base import AudioModel, center_trim
from upsampling.probes.signals import Samples, probe_signal


def model_output(
    model: AudioModel,
    signal: str,
    seconds: float,
    seed: int,
    *,
    margin: int = 0,
    source: int = 0,
    channel: int = 0,
) -> tuple[Samples, Samples, int]:
    """Feed the test signal `signal` to `model`; return input, output [samples] and samplerate.

    Both are those of `channel`, the output of the separated `source`, aligned in time. They are the
    central part of a signal that is longer by `margin` samples at either end. The output has the
    precision of the weights.
    """
    samples = round(seconds * model.samplerate)
    length = model.input_length(samples + 2 * margin)
    waveforms = multichannel_signal(signal, length, model.samplerate, seed, model.audio_channels)
    output = model.process(waveforms[None])[0, source, channel]
    return (
        center_trim(waveforms[channel], samples).numpy(),
        center_trim(output, min(samples, output.shape[-1])).numpy(),
        model.samplerate,
    )


def multichannel_signal(
    signal: str, samples: int, samplerate: int, seed: int, channels: int
) -> Tensor:
    """Return the test signal as [channels, samples]; random ones are independent per channel."""
    seconds = samples / samplerate
    waveforms = [probe_signal(signal, seconds, samplerate, seed + n) for n in range(channels)]
    return torch.from_numpy(np.stack(waveforms))
