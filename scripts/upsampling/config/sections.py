"""The sections of config.yaml, and the whole file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from upsampling.config.audits import Audit, AuditName
from upsampling.config.data import DataSettings
from upsampling.config.declared import (
    Bounds,
    Count,
    Gain,
    Natural,
    Part,
    Pattern,
    Seconds,
    SecondsOrNone,
    Seed,
    Unique,
    name_pattern,
)
from upsampling.config.figures import FiguresSettings, Signal
from upsampling.config.model import Operator, Options
from upsampling.config.repairs import Repair
from upsampling.config.training import TrainingSettings

Metric = Literal["SDR", "ISR", "SIR", "SAR"]
METRICS: tuple[Metric, ...] = ("SDR", "ISR", "SIR", "SAR")
STAGES = ("initialised", "trained")
Seeds = Annotated[tuple[Seed, ...], Bounds(minimum=1), Unique()]
VariantName = Annotated[str, name_pattern("a variant")]
ScaleName = Annotated[
    str,
    Pattern(
        "[a-z][a-z0-9_]{0,63}", "a scale's name has lower-case letters, digits and underscores"
    ),
]


@dataclass(frozen=True)
class Printed:
    """Numbers that the paper prints in a row of Table 1."""

    sdr: Annotated[float | None, "dB"] = None
    epoch_seconds: Annotated[float, Bounds(above=0)] | None = None
    parameters: Annotated[str | None, Pattern(r"[0-9.]+M", "write it as printed, such as 703M")] = (
        None
    )


@dataclass(frozen=True)
class EvaluationSettings:
    """Separation of whole tracks in overlapping segments, and their scores by BSSEval v4."""

    engine: Annotated[
        Literal["exact", "museval"], "exact: the same metrics in closed form, much faster"
    ] = "exact"
    metrics: Annotated[
        tuple[Metric, ...],
        Unique(),
        "SDR, and any of ISR, SIR and SAR, which take most of the time",
    ] = METRICS
    aggregation: Annotated[
        Literal["median", "mean", "whole_track"],
        "median: over frames, then over tracks (footnote 3); mean: over both; whole_track: one SDR "
        "per track, mean over tracks",
    ] = "median"
    segment_seconds: Annotated[Seconds, "length of a segment"] = 10.0
    overlap: Annotated[
        float, Bounds(minimum=0, maximum=0.9), "share of a segment that the next one overlaps"
    ] = 0.25
    batch_size: Annotated[Count, "segments that are separated at once"] = 1
    shifts: Annotated[Natural, "randomly shifted passes to average (footnote 4); 0: one pass"] = 0
    shift_seed: Annotated[Seed, "of the shifts, equal for all models and tracks"] = 0
    excerpt_seconds: Annotated[SecondsOrNone, "length of the WAV excerpts of separated sources"] = (
        10.0
    )

    def __post_init__(self) -> None:
        if "SDR" not in self.metrics:
            raise ValueError(
                f"metrics: {list(self.metrics)} is not allowed; "
                "list SDR, and any of ISR, SIR and SAR"
            )


@dataclass(frozen=True)
class InitialisationSettings:
    """Spectrograms of models at initialisation, at the paper's width (Figs. 1 and 9)."""

    seed: Annotated[Seed, "of the weights and the signal"] = 0
    signal: Annotated[Signal, "input of the models"] = "white_noise"
    seconds: Annotated[Seconds, "length of the signal"] = 6.0
    channels: Annotated[Count, "of the Demucs-like models"] = 100
    rescale: Annotated[Gain | None, "as model.rescale"] = None


# Keys of these that change the model.
AT_INITIALISATION = ("channels", "rescale")


@dataclass(frozen=True)
class ProbesSettings:
    """Test signals for each model, before training and, where it is trained, after."""

    seed: Annotated[Seed, "of the random signals"] = 0
    seconds: Annotated[Seconds, "length of each signal"] = 3.0
    signals: Annotated[tuple[Signal, ...], Bounds(minimum=1), Unique(), "the test signals"] = (
        "silence",
        "ones",
        "white_noise",
        "sweep",
        "speech_like",
        "percussive",
        "music",
    )


@dataclass(frozen=True)
class InitStatisticsSettings:
    """Artifacts over many random initialisations of each variant, at a width of its own."""

    seeds: Annotated[Count, "initialisations per variant"] = 24
    seconds: Annotated[Seconds, "length of each probe"] = 2.0
    channels: Annotated[Count, "of the Demucs-like models"] = 32
    depth: Annotated[Count, "of the Demucs-like models"] = 6


@dataclass(frozen=True)
class GallerySettings:
    """The gallery, the page report/gallery.html."""

    seeds: Annotated[Count, "number of seeds with pictures and sounds; the table has all"] = 1
    signals: Annotated[tuple[Signal, ...] | None, Unique(), "of probes.signals; null: all"] = None
    probe_seconds: Annotated[Seconds, "length of the probes' sounds"] = 3.0
    tracks: Annotated[Natural, "test tracks, in alphabetical order, with excerpts"] = 2
    excerpt_seconds: Annotated[Seconds, "length of the excerpts"] = 4.0
    megabytes: Annotated[Gain, "size limit; the page says how much is left out"] = 24.0


@dataclass(frozen=True)
class AtScale:
    """Keys of a variant that differ at a scale."""

    training: Annotated[Mapping[str, Any], Part(TrainingSettings)] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """An upsampler: one panel, and one training run and table row if it is trained."""

    operator: Operator | None = None
    options: Options = field(default_factory=dict)
    figure_title: Annotated[str | None, "name in figures; null: the variant's name"] = None
    table_label: Annotated[str | None, "name in tables; null: that in figures"] = None
    train: Annotated[bool, "false: measured at initialisation only"] = True
    enabled: Annotated[bool, "false: checked, and left out of everything"] = True
    floor: Annotated[float, Bounds(maximum=-1), "lowest level of its spectrograms, in dB"] = -150.0
    model: Annotated[Mapping[str, Any], "keys that differ from the section `model`"] = field(
        default_factory=dict
    )
    training: Annotated[Mapping[str, Any], Part(TrainingSettings), "the same for `training`"] = (
        field(default_factory=dict)
    )
    initialisation: Annotated[
        Mapping[str, Any], Part(InitialisationSettings), "the same for `initialisation`"
    ] = field(default_factory=dict)
    scales: Annotated[Mapping[str, AtScale], "keys that differ at a scale, by its name"] = field(
        default_factory=dict
    )
    printed: Annotated[Printed | None, "the paper's numbers of this row of Table 1"] = None
    repair: Annotated[
        Repair | None, "in place of training: another variant's trained models, repaired"
    ] = None


@dataclass(frozen=True)
class Literature:
    """A row of Table 1 that is quoted, not trained here."""

    table_label: Annotated[str, "name in tables"]
    source: Annotated[str, "reference of the publication"]
    printed: Printed = field(default_factory=Printed)
    note: Annotated[str, "footnote of the printed SDR"] = ""
    scores: Annotated[
        str | tuple[str, ...],
        "folder of published scores (museval's JSON files) that fill the row, or one per seed",
    ] = ()

    @property
    def folders(self) -> tuple[str, ...]:
        """`scores` as a tuple."""
        return (self.scores,) if isinstance(self.scores, str) else self.scores


@dataclass(frozen=True)
class Scale:
    """A size of the experiment: its data set, and keys that differ from the sections above."""

    data: DataSettings
    seeds: Seeds | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Annotated[Mapping[str, Any], Part(TrainingSettings)] = field(default_factory=dict)
    evaluation: Annotated[Mapping[str, Any], Part(EvaluationSettings)] = field(default_factory=dict)
    initialisation: Annotated[Mapping[str, Any], Part(InitialisationSettings)] = field(
        default_factory=dict
    )
    init_statistics: Annotated[Mapping[str, Any], Part(InitStatisticsSettings)] = field(
        default_factory=dict
    )
    gallery: Annotated[Mapping[str, Any], Part(GallerySettings)] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """The whole configuration, with the chosen scale merged into it."""

    scale: Annotated[str, "one of `scales`"]
    variants: Annotated[Mapping[VariantName, Variant], "the upsamplers, by name"]
    figures: FiguresSettings
    scales: Annotated[Mapping[ScaleName, Scale], "sizes of the experiment, by name"]
    seeds: Annotated[Seeds, "one initialisation and one training run each"] = (0,)
    model: Annotated[Mapping[str, Any], "defaults of the variants' models"] = field(
        default_factory=dict
    )
    training: TrainingSettings = field(default_factory=TrainingSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    initialisation: InitialisationSettings = field(default_factory=InitialisationSettings)
    probes: ProbesSettings = field(default_factory=ProbesSettings)
    init_statistics: InitStatisticsSettings = field(default_factory=InitStatisticsSettings)
    gallery: GallerySettings = field(default_factory=GallerySettings)
    audits: Annotated[Mapping[AuditName, Audit], "networks and recordings to audit"] = field(
        default_factory=dict
    )
    literature: Annotated[tuple[Literature, ...], "quoted rows of Table 1"] = ()
