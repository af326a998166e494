"""One resolved variant or training run as frozen dataclasses, built from canonical JSON.

Standard library only: the Snakefile imports this module each time the workflow is parsed.
"""

import dataclasses
import difflib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar


class UserError(Exception):
    """A mistake of the user's, whose message says what is wrong, where, and what to do."""


def run(main: Callable[[], None]) -> None:
    """Run a program's `main`; a `UserError` ends it with its message alone and exit status 1."""
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")


def nearest_match(word: str, choices: Any) -> str:
    """Return ' (did you mean ...?)' with the choice most like `word`, or ''."""
    close = difflib.get_close_matches(str(word), [str(choice) for choice in choices], 1, 0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""


T = TypeVar("T")


def from_mapping(settings: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build the dataclass `settings` from `values`; an unknown key is a `UserError`."""
    names = [f.name for f in dataclasses.fields(settings)]  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            raise UserError(
                f"{where}: unknown key '{key}'{nearest_match(key, names)}; "
                f"choose from {', '.join(names)}"
            )
    return settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def canonical(values: Any) -> str:
    """JSON with sorted keys and no spaces: equal settings give equal text, whatever their order."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def merge(base: Mapping[str, Any], *layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings, later ones winning; nested mappings are merged, all else is replaced."""
    merged = dict(base)
    for layer in layers:
        for key, value in layer.items():
            old = merged.get(key)
            both = isinstance(old, Mapping) and isinstance(value, Mapping)
            merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


@dataclass(frozen=True)
class DemucsLikeSettings:
    """The Demucs-like autoencoder (Sec. 6; Défossez et al. 2019) around one upsampling operator.

    The defaults are the paper's where it states them; `encoder_kernel`, `context`, `bottleneck`
    and `padding` are what it leaves open (see docs/choices.md for the evidence). `last` names
    another operator for the outermost decoder block, as {operator: ..., options: {...}}; without it
    that block has the same one as all others.
    """

    architecture: str = "demucs_like"
    operator: str = "transposed"
    options: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ("drums", "bass", "other", "vocals")
    audio_channels: int = 2
    samplerate: int = 44100
    channels: int = 100
    growth: int = 2
    depth: int = 6
    length: int = 8
    stride: int = 4
    encoder_kernel: int = 1
    context: int = 7
    bottleneck: str = "lstm_sum"
    padding: str = "valid"
    bias: bool = True
    first_relu: bool = True
    rescale: float | None = 0.1
    operator_code: str = ""
    last: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class MelganSettings:
    """The MelGAN generator (Sec. 1; Kumar et al. 2019): mel spectrogram in, waveform out."""

    architecture: str = "melgan"
    operator: str = "transposed"
    samplerate: int = 22050
    mels: int = 80
    channels: int = 32
    ratios: tuple[int, ...] = (8, 8, 2, 2)
    lengths: tuple[int, ...] = (16, 16, 4, 4)
    residual_layers: int = 3


@dataclass(frozen=True)
class TrainingSettings:
    """How one model is trained (Sec. 6): L1 loss, Adam, 600 epochs, batches of 32.

    `segment_seconds`, `stride_seconds`, `remix_group` and `shift_seconds` are those of the
    published Demucs, whose augmentation the paper adopts. `examples_per_epoch` null means one
    example per stride and track. `precision` is that of the model's passes (weights are always
    float32). `revision` is bumped when a change of code calls for retraining.
    """

    revision: int = 1
    loss: str = "l1"
    precision: str = "fp32"
    learning_rate: float = 2.0e-4
    epochs: int = 600
    batch_size: int = 32
    segment_seconds: float = 10.0
    stride_seconds: float = 1.0
    shift_seconds: float = 1.0
    remix_group: int = 4
    flip_sign: bool = True
    flip_channels: bool = True
    examples_per_epoch: int | None = None
    validation_seconds: float | None = None


ARCHITECTURES: dict[str, type[DemucsLikeSettings] | type[MelganSettings]] = {
    "demucs_like": DemucsLikeSettings,
    "melgan": MelganSettings,
}


def model_settings(values: Mapping[str, Any], where: str) -> DemucsLikeSettings | MelganSettings:
    """Build the settings of the architecture that `values` names."""
    name = values.get("architecture", "demucs_like")
    if name not in ARCHITECTURES:
        raise UserError(
            f"{where}: unknown architecture '{name}'{nearest_match(name, ARCHITECTURES)}; "
            f"choose from {', '.join(ARCHITECTURES)}"
        )
    return from_mapping(ARCHITECTURES[name], values, where)
