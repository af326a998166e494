"""The output of a model for a probe signal."""

import numpy as np
import torch
from torch import Tensor

from upsampling.models.base import AudioModel, center_trim
from upsampling.probes.signals import Samples
from upsampling.probes.signals import signal as probe_signal


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
    """Feed the probe signal `signal` to `model`; return input, output [samples] and samplerate.

    Random signals are independent in the channels of a stereo model. The returned input and output
    are those of `channel` and of the separated `source`, aligned in time, the middle of a signal
    that is longer by `margin` samples at either end. The output has the precision of the weights.
    """
    samples = round(seconds * model.samplerate)
    length = model.input_length(samples + 2 * margin)
    waveforms = channels_of(signal, length, model.samplerate, seed, model.audio_channels)
    output = model.respond(waveforms[None])[0, source, channel]
    shown = min(samples, output.shape[-1])
    return (
        center_trim(waveforms[channel], samples).numpy(),
        center_trim(output, shown).numpy(),
        model.samplerate,
    )


def channels_of(signal: str, samples: int, samplerate: int, seed: int, channels: int) -> Tensor:
    """The probe signal `signal` as [channels, samples]; random ones are independent in each."""
    seconds = samples / samplerate
    drawn = [probe_signal(signal, seconds, samplerate, seed + index) for index in range(channels)]
    return torch.from_numpy(np.stack(drawn))[:, :samples]
