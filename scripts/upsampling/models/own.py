"""Architectures that a user brings along in a file."""

import functools
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from upsampling.config.model import OwnSettings
from upsampling.errors import UserError
from upsampling.models.base import AudioModel
from upsampling.operators import build_operator
from upsampling.operators.base import seeded
from upsampling.own_code import load_class


def build_own(settings: OwnSettings) -> AudioModel:
    """Build an architecture from a file; `UserError` if that fails or it is no `AudioModel`."""
    where = f"architecture '{settings.architecture}'"
    arguments = dict(settings.arguments)
    if settings.operator is not None:
        arguments["upsampler"] = functools.partial(
            build_operator, settings.operator, options=settings.options
        )
    try:
        model = load_class(settings.architecture, where)(**arguments)
    except (TypeError, ValueError) as error:
        raise UserError(f"{where} with {arguments}: {error}") from error
    if not isinstance(model, AudioModel):
        raise UserError(f"{where} is no subclass of upsampling.models.base.AudioModel")
    if not getattr(model, "samplerate", 0) or not model.find_upsamplers():
        raise UserError(f"{where}: set `samplerate`, and let `find_upsamplers` return its layers")
    return model


def load_own_weights(settings: Any, seed: int) -> AudioModel:
    """Build the architecture of `OwnSettings` and load the weights that were trained elsewhere."""
    with seeded(seed):
        model = build_own(settings)
    path = str(settings.weights)
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} cannot be read as safetensors: {error}") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} does not fit {settings.architecture}: {reason}") from error
    return model.eval()
