"""From a user's description to a network under audit; the rest is found out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from upsampling.config.audits import MODEL_FILES, TORCHSCRIPT
from upsampling.errors import UserError
from upsampling.networks.network import Network, NetworkError
from upsampling.networks.onnx_file import read_graph
from upsampling.networks.onnx_network import OnnxNetwork
from upsampling.networks.torch_file import from_factory, load_weights, read_torchscript
from upsampling.networks.torch_network import TorchNetwork
from upsampling.networks.upsamplers import Structure, find_structure

RATE_NAMES = ("samplerate", "sample_rate", "sampling_rate")
DEFAULT_RATE = 44100
# Networks with at most as many input channels take audio, unless the user says otherwise.
MOST_AUDIO_CHANNELS = 2


@dataclass(frozen=True)
class Source:
    """A user's description of a network; None is for the network to tell.

    `first` and `last` are tensors of an ONNX graph between which the audit takes place; `length`
    is an input length in samples or frames that the network takes.
    """

    path: str
    kind: str | None = None
    samplerate: int | None = None
    channels: int | None = None
    weights: str | None = None
    first: str | None = None
    last: str | None = None
    length: int | None = None


def open_network(source: Source) -> tuple[Network, Structure, list[str]]:
    """Load a network and find its layers; also the assumptions, one sentence each.

    Raises `UserError` with one line for whatever cannot be loaded or run.
    """
    try:
        return (_open_onnx if source.path.endswith(".onnx") else _open_torch)(source)
    except NetworkError as error:
        raise UserError(f"{source.path}: {error}") from error


def _open_torch(source: Source) -> tuple[Network, Structure, list[str]]:
    if source.first or source.last:
        raise UserError("--from and --to name tensors of ONNX graphs alone")
    module, told = _module(source)
    samplerate, notes = _rate(source.samplerate or told.get("samplerate") or _samplerate_of(module))
    kind = source.kind or told.get("kind")
    network = TorchNetwork(module, source.path, samplerate)
    failures: list[str] = []
    for dtype in (torch.float64, torch.float32):
        network.set_precision(dtype)
        for channels, rank in _shapes(module, source.channels or told.get("channels"), kind):
            network.channels, network.rank, network.kind = channels, rank, _kind(kind, channels)
            try:
                return network, find_structure(network, source.length), notes
            except NetworkError as error:
                shape = f"[1, {channels}, time]" if rank == 3 else "[1, time]"
                failures.append(f"{shape}: {error}")
    raise NetworkError(
        f"it cannot be audited with an input {failures[0]} (--channels, --input and --length say "
        "what it takes)"
    )


def _shapes(module: Any, channels: int | None, kind: str | None) -> list[tuple[int, int]]:
    """Channels and rank of inputs to try: the user's, else those of the first layers."""
    if channels is not None:
        counts = [channels]
    else:
        names = ("in_channels", "in_features", "input_size")
        given = [getattr(one, name, None) for one in module.modules() for name in names]
        counts = [one for one in given if isinstance(one, int)] or _first_weights(module)
        counts = [1, 2, *counts[:4]] if kind == "audio" else [*counts[:4], 1, 2]
    shapes = [(count, 3) for count in dict.fromkeys(counts)]
    return [*shapes, (1, 2)] if 1 in counts else shapes


def _first_weights(module: Any) -> list[int]:
    """Second axes of the first weights, which TorchScript has in place of `in_channels`."""
    tensors = [one for one in module.parameters() if one.ndim >= 2]
    return list(dict.fromkeys([size for one in tensors[:2] for size in (one.shape[1], len(one))]))


def _kind(kind: str | None, channels: int) -> str:
    return kind or ("audio" if channels <= MOST_AUDIO_CHANNELS else "latent")


def _rate(samplerate: int | None) -> tuple[int, list[str]]:
    """A sampling rate, and a note if it is assumed."""
    if samplerate:
        return samplerate, []
    return DEFAULT_RATE, [
        f"No sampling rate was given: {DEFAULT_RATE} Hz is assumed (--samplerate)."
    ]


def _samplerate_of(module: Any) -> int | None:
    values = (getattr(module, name, None) for name in RATE_NAMES)
    return next((one for one in values if isinstance(one, int) and one > 0), None)


def _module(source: Source) -> tuple[Any, dict[str, Any]]:
    """The module that a path names, and the known facts about its input."""
    path = Path(source.path)
    if path.is_dir() or path.suffix in TORCHSCRIPT:
        _refuse_weights(source, path)
        return _trained_here(path) if path.is_dir() else (read_torchscript(path), {})
    file, colon, name = source.path.rpartition(":")
    if colon and file.endswith(".py"):
        module = from_factory(Path(file), name)
        if source.weights is not None:
            load_weights(module, Path(source.weights))
        return module, {}
    if not path.exists():
        raise UserError(f"there is no file or folder {path}")
    raise UserError(
        f"{path} is no network: give path/to/file.py:factory, a .onnx file, a .pt file of "
        "TorchScript, or the folder of a model that this pipeline trained"
    )


def _refuse_weights(source: Source, path: Path | str) -> None:
    if source.weights is not None:
        raise UserError(f"{path} has its own weights; leave out --weights")


def _trained_here(folder: Path) -> tuple[Any, dict[str, Any]]:
    from upsampling.config.model import MelganSettings
    from upsampling.operators.nearest import Nearest
    from upsampling.training.checkpoints import load_model

    for name in MODEL_FILES:
        if not (folder / name).is_file():
            raise UserError(f"{folder} is no model of this pipeline: it has no {name}")
    try:
        module = load_model(folder)
    except (KeyError, TypeError, json.JSONDecodeError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{folder} is no model of this pipeline: {reason}") from error
    for one in module.modules():
        if isinstance(one, Nearest):
            # Equal computations for each length: an audit follows its operations by name.
            one.implementation = "plain"
    # A user's architecture has none.
    settings = getattr(module, "settings", None)
    told = {"samplerate": module.samplerate, "kind": "audio", "channels": module.audio_channels}
    if isinstance(settings, MelganSettings):
        told |= {"kind": "features", "channels": settings.mels}
    return module, told


def _open_onnx(source: Source) -> tuple[Network, Structure, list[str]]:
    _refuse_weights(source, source.path)
    model = read_graph(Path(source.path), source.first, source.last)
    samplerate, notes = _rate(source.samplerate or _rate_beside(Path(source.path), model))
    network = OnnxNetwork(model, source.path, "latent", samplerate)
    network.channels = network.channels or source.channels or 1
    if source.channels and source.channels != network.channels:
        raise UserError(
            f"{source.path}: its input has {network.channels} channels, not {source.channels}"
        )
    network.kind = _kind(source.kind, network.channels)
    return network, find_structure(network, source.length), notes


def _rate_beside(path: Path, model: Any) -> int | None:
    """The sampling rate of the graph's metadata, or of a Piper voice's settings beside it."""
    for entry in model.metadata_props:
        if entry.key in RATE_NAMES and entry.value.isdigit():
            return int(entry.value)
    try:
        value = json.loads(Path(f"{path}.json").read_text())["audio"]["sample_rate"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, int) and value > 0 else None
