"""The models and operators that jobs will build, which are tried before any job."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from upsampling.config.experiment import Experiment
from upsampling.config.model import DemucsLikeSettings
from upsampling.own_code import class_fingerprint


def models(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Each model that a job will build: the key `where` it stands, `model`, and `trained`."""
    for name in experiment.variants:
        drawn = experiment.initialisation(name)
        built = [
            (experiment.model(name), name in experiment.scored),
            (drawn["model"], False),
            (drawn["paper_model"], False),
            (experiment.init_statistics(name)["model"], False),
        ]
        for model, trained in built:
            yield {"where": f"variants.{name}", "model": json.loads(model), "trained": trained}


def operators(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Each operator that a job will build alone or in a model: `where`, and its arguments.

    One from a file has its fingerprint as `code`.
    """
    for entry in _operators(experiment):
        name, where = entry["operator"], entry["where"]
        code = {"code": class_fingerprint(name, where)} if ":" in name else {}
        yield entry | code


def _operators(experiment: Experiment) -> Iterator[dict[str, Any]]:
    for name in experiment.variants:
        settings = experiment.model_settings(name)
        if isinstance(settings, DemucsLikeSettings):
            shared = {"where": f"variants.{name}", "stride": settings.stride, "bias": settings.bias}
            operator, options = settings.outermost
            outputs = len(settings.sources) * settings.audio_channels
            widths = (settings.channels, outputs)
            yield shared | {"operator": operator, "options": options, "channels": widths}
            if settings.depth > 1:
                widths = (settings.channels * settings.growth, settings.channels)
                inner = {"operator": settings.operator, "options": settings.options}
                yield shared | inner | {"channels": widths}
    figures = experiment.settings.figures
    for where, stack in figures.stacks.items():
        yield _alone(where, asdict(stack), stack.stride)
    if figures.operator_spectra:
        for name in experiment.variants:
            stride = figures.operator_spectra.stride
            yield _alone(f"variants.{name}", experiment.outermost(name), stride)
    if figures.replicas:
        for where, layer in figures.following.items():
            alone = _alone(where, asdict(layer), figures.replicas.stride)
            yield alone | {"bias": False, "linear": True}


def _alone(where: str, entry: Mapping[str, Any], stride: int) -> dict[str, Any]:
    """A single-channel operator outside of any model."""
    return {
        "where": where,
        "operator": entry["operator"],
        "options": entry.get("options") or {},
        "stride": stride,
        "bias": entry.get("bias", True),
        "channels": (1, 1),
    }
