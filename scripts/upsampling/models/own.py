"""Architectures from a user's file."""

import functools

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from upsampling.config.model import OwnSettings
from upsampling.errors import UserError, reason_of
from upsampling.models.base import AudioModel, in_double_precision
from upsampling.operators import build_operator
from upsampling.operators.base import seeded
from upsampling.own_code import load_class

# Length of the silence on which a model is tried.
TRIAL_SECONDS = 0.25


def build_own(settings: OwnSettings) -> AudioModel:
    """Build an architecture from a file and try it on silence, unless on the meta device.

    Raises `UserError` if the class is no `AudioModel`, its constructor fails, or the model does not
    meet the interface of `AudioModel`.
    """
    where = f"architecture '{settings.architecture}'"
    architecture = load_class(settings.architecture, where)
    if not issubclass(architecture, AudioModel):
        raise UserError(f"{where} is no subclass of upsampling.models.base.AudioModel")
    arguments = dict(settings.arguments)
    if settings.operator is not None:
        arguments["upsampler"] = functools.partial(
            build_operator, settings.operator, options=settings.options
        )
    try:
        model = architecture(**arguments)
    except UserError:
        raise
    except Exception as error:
        names = ", ".join(arguments) or "no arguments"
        raise UserError(f"{where}, built with {names}: {reason_of(error)}") from error
    parameter = next(model.parameters(), None)
    if parameter is None:
        raise UserError(f"{where} has no parameters")
    if not parameter.is_meta:
        check_layers(model, where)
        check_output(model, where)
    return model


def check_layers(model: AudioModel, where: str) -> None:
    """Raise `UserError` for a wrong rate or settling, or layers that do not upsample by a stride.

    With any borders, a layer of stride s gives s more output samples for one more input sample.
    """
    samplerate = getattr(model, "samplerate", None)
    if not isinstance(samplerate, int) or samplerate < 1:
        raise UserError(f"{where}: samplerate is {samplerate}; set it to a whole number of Hz")
    if not isinstance(model.settling, int) or model.settling < 0:
        raise UserError(f"{where}: settling is {model.settling}; set it to a number of samples")
    try:
        layers = [(module, int(stride), int(channels)) for module, stride, channels
                  in model.find_upsamplers()]  # fmt: skip
    except Exception as error:
        raise UserError(
            f"{where}: find_upsamplers fails or does not return a list of "
            f"(module, stride, in_channels): {reason_of(error)}"
        ) from error
    if not layers:
        raise UserError(f"{where}: find_upsamplers returns no layer")
    for index, (module, stride, channels) in enumerate(layers):
        place = f"{where}: upsampling layer {index} of find_upsamplers"
        try:
            short, long = (_length(module, channels, time) for time in (32, 33))
        except Exception as error:
            raise UserError(f"{place} fails on [1, {channels}, 32]: {reason_of(error)}") from error
        if long - short != stride or stride < 2:
            raise UserError(
                f"{place} has stride {long - short} and is listed with {stride}; list layers with "
                "their strides, at least 2"
            )


@torch.no_grad()
def _length(module: nn.Module, channels: int, time: int) -> int:
    device = next(module.parameters(), torch.zeros(0)).device
    return module(torch.zeros(1, channels, time, device=device)).shape[-1]


def check_output(model: AudioModel, where: str) -> None:
    """Raise `UserError` unless `model` maps silence to `[1, sources, audio_channels, time]`.

    In the precision of its weights and, as for measurements of steady outputs, in double precision.
    """
    try:
        length = model.input_length(round(TRIAL_SECONDS * model.samplerate))
        silence = torch.zeros(1, model.audio_channels, length)
        training = model.training
        shape = list(model.process(silence).shape)
        model.train(training)
        with in_double_precision(model):
            model.process(silence)
    except Exception as error:
        raise UserError(
            f"{where} fails on {TRIAL_SECONDS} s of silence, in single or in double precision: "
            f"{reason_of(error)}"
        ) from error
    expected = [1, max(1, len(model.sources)), model.audio_channels]
    if shape[:-1] != expected or shape[-1] < 1:
        raise UserError(
            f"{where}: an input of shape {list(silence.shape)} gave {shape}, expected "
            f"[{', '.join(map(str, expected))}, time] for its sources and audio_channels"
        )


def load_own_weights(settings: OwnSettings, seed: int) -> AudioModel:
    """Build an architecture and load the weights of its settings, which were trained elsewhere.

    Raises `UserError` for a file that is no safetensors file, does not fit or is not finite.
    """
    with seeded(seed):
        model = build_own(settings)
    path = str(settings.weights)
    try:
        weights: dict[str, Tensor] = load_file(path)
        model.load_state_dict(weights)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} cannot be read as safetensors: {reason_of(error)}") from error
    except RuntimeError as error:
        raise UserError(
            f"{path} does not fit {settings.architecture}: {reason_of(error)}"
        ) from error
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise UserError(f"{path}: {name} has values that are not finite")
    return model.eval()
