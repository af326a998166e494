"""What models and stacks of operators make of a probe signal."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from upsampling.models.demucs_like import DemucsLike, centre
from upsampling.models.melgan import log_mel
from upsampling.operators import build_operator
from upsampling.probes.signals import signal as probe_signal
from upsampling.settings import MelganSettings

Array = np.ndarray[Any, Any]


def stack_layers(
    operator: str, options: Mapping[str, Any], *, layers: int, stride: int, seed: int, **_: Any
) -> list[nn.Module]:
    """Build the consecutive single-channel operators of `stack_response`, deepest first."""
    built = []
    for layer in range(1, layers + 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed * 1000 + layer)
            built.append(build_operator(operator, 1, 1, stride, options=options))
    return built


@torch.inference_mode()
def stack_response(
    signal: str,
    operator: str,
    options: Mapping[str, Any],
    *,
    layers: int,
    stride: int,
    samplerate: int,
    seconds: float,
    seed: int,
) -> dict[str, Array]:
    """Pass a probe signal through `layers` consecutive single-channel operators with bias.

    The stacks of Figs. 6, 7, 8 and 10. Layer i is drawn from (`seed`, i) with PyTorch's default
    initialisation, as the authors' notebooks leave it. Returns `signal`, `layer_1` .. float32
    [samples], and `samplerates` int [layers + 1] in Hz.
    """
    inputs = probe_signal(signal, seconds, samplerate, seed)
    arrays: dict[str, Array] = {"signal": inputs}
    current = torch.from_numpy(inputs)[None, None]
    built = stack_layers(operator, options, layers=layers, stride=stride, seed=seed)
    for layer, upsampler in enumerate(built, start=1):
        current = upsampler(current)
        arrays[f"layer_{layer}"] = current[0, 0].numpy()
    arrays["samplerates"] = samplerate * stride ** np.arange(layers + 1)
    return arrays


@torch.inference_mode()
def respond(model: nn.Module, waveforms: Tensor) -> Tensor:
    """Feed `waveforms` [batch, channels, samples] to `model` in the precision of its weights.

    Returns [batch, sources, channels, time]; a MelGAN generator, which hears the mel spectrogram of
    the first channel, returns [batch, 1, 1, time].
    """
    model.eval()
    kind = next(model.parameters()).dtype
    settings = model.settings
    if isinstance(settings, MelganSettings):
        mels = [log_mel(w[0].numpy(), settings.samplerate, settings.mels) for w in waveforms]
        return model(torch.cat(mels).to(kind)).unsqueeze(1)
    return model(waveforms.to(kind))


def input_length(model: nn.Module, samples: int) -> int:
    """Samples that `respond` needs so that at least `samples` come out."""
    return model.input_length(samples) if isinstance(model, DemucsLike) else samples


def model_response(
    model: nn.Module,
    signal: str,
    seconds: float,
    seed: int,
    *,
    margin: int = 0,
    source: int = 0,
    channel: int = 0,
) -> tuple[Array, Array, int]:
    """Feed the probe signal `signal` to `model`; return input, output [samples] and samplerate.

    A Demucs-like model hears stereo; random signals are independent in its channels. The returned
    input and output are those of `channel` and of the separated `source`, aligned in time, the
    middle of a signal that is longer by `margin` samples at either end. A MelGAN generator hears
    the signal's mel spectrogram, without a margin. The output has the precision of the weights.
    """
    settings = model.settings
    samplerate: int = settings.samplerate  # type: ignore[union-attr, assignment]
    samples = round(seconds * samplerate)
    if isinstance(settings, MelganSettings):
        waveform = probe_signal(signal, seconds, samplerate, seed)
        output = respond(model, torch.from_numpy(waveform)[None, None])[0, 0, 0]
        return waveform, output.numpy(), samplerate
    mixture = stereo(signal, input_length(model, samples + 2 * margin), samplerate, seed)
    output = centre(respond(model, mixture[None])[0, source, channel], samples)
    return centre(mixture[channel], samples).numpy(), output.numpy(), samplerate


def stereo(signal: str, samples: int, samplerate: int, seed: int, channels: int = 2) -> Tensor:
    """The probe signal `signal` as [channels, samples]; random ones are independent in each."""
    seconds = samples / samplerate
    drawn = [probe_signal(signal, seconds, samplerate, seed + index) for index in range(channels)]
    return torch.from_numpy(np.stack(drawn))[:, :samples]
