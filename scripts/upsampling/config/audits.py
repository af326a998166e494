"""The section `audits` of config.yaml: networks and recordings, and the audit's options for each.

Standard library only, as each job of the workflow imports it.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from upsampling.config.declared import (
    Bounds,
    Count,
    Hertz,
    Pattern,
    Seconds,
    Seed,
    name_pattern,
)
from upsampling.errors import UserError

InputKind = Literal["audio", "features", "latent"]
# A repair takes away the combs of silence; of silence and sounds; or of any constant.
Aim = Literal["silence", "sounds", "constants"]
AuditPath = Annotated[
    str,
    Pattern(
        r"(?!-)(?:[^\x00-\x1f{}]|\{scale\}){1,1000}",
        "write a path that does not begin with a dash, in one line, with no braces but {scale}",
    ),
]
AuditName = Annotated[str, name_pattern("an audit")]
FOR_RECORDINGS = ("strides", "spacing")
MODEL_FILES = ("best.safetensors", "spec.json")
TORCHSCRIPT = (".pt", ".pth", ".ts", ".jit")
FOR_BOTH = ("network", "recordings", "title")


@dataclass(frozen=True)
class Audit:
    """A network or recordings to audit (docs/audit.md): a page, a figure and a row of a table."""

    network: Annotated[
        AuditPath | None,
        "path/to/file.py:factory, .onnx, .pt (TorchScript), or the folder of a trained model",
    ] = None
    recordings: Annotated[tuple[AuditPath, ...], "audio files, or folders of them"] = ()
    title: Annotated[str | None, "name in tables and figures; null: the audit's name"] = None
    samplerate: Annotated[Hertz | None, "of a network's output, in Hz; null: as it says"] = None
    input: Annotated[InputKind | None, "of a network; null: audio for one or two channels"] = None
    channels: Annotated[Count | None, "of a network's input; null: found out"] = None
    length: Annotated[Count | None, "of an input that a network takes; null: found out"] = None
    weights: Annotated[AuditPath | None, "safetensors file for a factory's network"] = None
    from_tensor: Annotated[str | None, "part of an ONNX graph: its input"] = None
    to_tensor: Annotated[str | None, "part of an ONNX graph: its output"] = None
    features: Annotated[
        AuditPath | None, "path/to/file.py:function of waveform and rate, to probe with sounds"
    ] = None
    seed: Annotated[Seed, "of a network's probes"] = 0
    seconds: Annotated[Seconds, "of each of a network's probes"] = 3.0
    repair: Annotated[Aim | None, "write repaired weights, without combs in this"] = None
    excerpts: Annotated[tuple[AuditPath, ...], "audio files for `repair: sounds`"] = ()
    strides: Annotated[
        tuple[Count, ...] | None, Bounds(minimum=1), "of a recording's decoder, deepest first"
    ] = None
    spacing: Annotated[
        Annotated[float, Bounds(above=0)] | None,
        "of a recording's comb, in Hz; without it and strides: found out",
    ] = None

    def __post_init__(self) -> None:
        if (self.network is None) == (not self.recordings):
            raise ValueError("name either a network or recordings")
        given = [one.name for one in fields(self) if getattr(self, one.name) != one.default]
        audited = "recordings" if self.network is None else "network"
        for name in given:
            if name not in FOR_BOTH and (name in FOR_RECORDINGS) != (audited == "recordings"):
                raise ValueError(f"'{name}' is not for an audit of a {audited.removesuffix('s')}")
        if self.strides and self.spacing:
            raise ValueError("give either strides or a spacing")
        if self.excerpts and self.repair != "sounds":
            raise ValueError("excerpts are for `repair: sounds`")

    def at(self, scale: str) -> "Audit":
        """The same with `scale` for {scale} in all paths."""

        def fill(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(fill, value))
            return value.replace("{scale}", scale) if isinstance(value, str) else value

        paths = ("network", "recordings", "weights", "features", "excerpts")
        return replace(self, **{name: fill(getattr(self, name)) for name in paths})

    @property
    def command(self) -> dict[str, Any]:
        """The subcommand `kind` of audit.py, its `options`, and what it audits, `names`.

        `repaired` is the name of a file for a network's repaired weights.
        """
        flags: dict[str, Any] = {
            "samplerate": self.samplerate,
            "input": self.input,
            "channels": self.channels,
            "length": self.length,
            "weights": self.weights,
            "from": self.from_tensor,
            "to": self.to_tensor,
            "features": self.features,
            "seed": self.seed if self.network else None,
            "seconds": self.seconds if self.network else None,
            "repair-for": self.repair,
            "strides": ",".join(map(str, self.strides)) if self.strides else None,
            "spacing": self.spacing,
        }
        options = [f"--{name}={value}" for name, value in flags.items() if value is not None]
        if self.excerpts:
            options += ["--excerpts", *self.excerpts]
        if self.network is None:
            return {"kind": "recording", "options": options, "names": list(self.recordings)}
        call = {"kind": "network", "options": options, "names": [self.network]}
        return call | {"repaired": f"repaired{repaired_suffix(self.network)}"}

    @property
    def files(self) -> list[str]:
        """The files that are read; of a trained model's folder its weights and description."""
        if self.network is None:
            return list(self.recordings)
        file, colon, _ = self.network.rpartition(":")
        network = file if colon and file.endswith(".py") else self.network
        parts = [network] if Path(network).suffix else [f"{network}/{one}" for one in MODEL_FILES]
        functions = [self.features.rpartition(":")[0]] if self.features else []
        return [*parts, *([self.weights] if self.weights else []), *functions, *self.excerpts]


def repaired_suffix(network: str) -> str:
    """The suffix of a network's repaired weights, which keep its format."""
    suffix = Path(network).suffix
    if suffix in TORCHSCRIPT:
        return ".pt"
    return suffix if suffix == ".onnx" else ".safetensors"


def check_audit_files(name: str, audit: Audit, models: Collection[str]) -> None:
    """Raise `UserError` for a file that is missing and not in `models`, folders that jobs fill."""
    for file in audit.files:
        if not Path(file).exists() and str(Path(file).parent) not in models:
            raise UserError(
                f"audits.{name}: there is no file '{file}', and no model is trained into its folder"
            )
