"""The sections of config.yaml, and the whole file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from upsampling.config.audits import Audit, AuditName
from upsampling.config.declared import (
    INTERNAL,
    Bounds,
    Count,
    Gain,
    Hertz,
    Natural,
    Part,
    Pattern,
    Seconds,
    SecondsOrNone,
    Seed,
    Stride,
    Unique,
)
from upsampling.config.losses import CriticSettings
from upsampling.config.model import Last, Operator, Options
from upsampling.config.repairs import Repair
from upsampling.config.training import TrainingSettings

Signal = Literal[
    "silence", "ones", "constant", "white_noise", "sweep", "music", "percussive", "speech_like"
]
Metric = Literal["SDR", "ISR", "SIR", "SAR"]
METRICS: tuple[Metric, ...] = ("SDR", "ISR", "SIR", "SAR")
STAGES = ("initialised", "trained")
DATASETS = {
    "demo": "synthetic songs and one real recording",
    "own": "tracks of your own, as WAV files in the layout of MUSDB18-HQ",
    "musdb18": "MUSDB18",
    "musdb18hq": "MUSDB18-HQ",
    "musdb18_7s": "the 7-second edition of MUSDB18",
}
Seeds = Annotated[tuple[Seed, ...], Bounds(minimum=1), Unique()]
Folder = Annotated[str, Pattern(r"[^\x00-\x1f{}]{1,1000}", "write a path without braces")]
# The composer has names for 341 songs of each role; parts of shorter songs cannot hold a note.
Songs = Annotated[int, Bounds(minimum=1, maximum=341)]
SongSeconds = Annotated[float, Bounds(minimum=4, maximum=3600)]
VariantName = Annotated[
    str,
    Pattern(
        "[a-z][a-z0-9_]{0,63}",
        "a variant's name begins with a letter and has at most 64 lower-case letters, digits and "
        "underscores",
    ),
]
ScaleName = Annotated[
    str,
    Pattern(
        "[a-z][a-z0-9_]{0,63}", "a scale's name has lower-case letters, digits and underscores"
    ),
]


Share = Annotated[float, Bounds(above=0, maximum=0.9)]
Validation = Literal["musdb"] | tuple[str, ...] | Share


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
class Panels:
    """Variants whose panels a figure shows, in order."""

    panels: Annotated[tuple[str, ...], Bounds(minimum=1, maximum=26)]


@dataclass(frozen=True)
class Seeded:
    """A figure of random weights."""

    seed: Annotated[Seed, "of the weights"] = 0


@dataclass(frozen=True)
class Stack:
    """A stack of equal single-channel operators: one column of Figs. 6-8."""

    operator: Operator
    signal: Annotated[Signal, "input of the stack"]
    options: Options = field(default_factory=dict)
    seed: Annotated[Seed, "of the weights and the signal"] = 0
    layers: Literal[3] = 3
    stride: Stride = 2
    samplerate: Annotated[Hertz, "of the input, in Hz"] = 4000
    seconds: Seconds = 3.0
    operator_code: Annotated[str, INTERNAL] = ""


@dataclass(frozen=True)
class Columns:
    """The two columns of Figs. 6-8."""

    left: Stack
    right: Stack


@dataclass(frozen=True)
class OperatorSpectra:
    """Every variant's outermost operator alone, on a constant and white noise."""

    stride: Stride = 4
    samplerate: Annotated[Hertz, "of the outputs, in Hz"] = 44100
    seconds: Seconds = 2.0
    seed: Seed = 0


@dataclass(frozen=True)
class Replicas:
    """Each kind of spectral replica of Sec. 5 alone, through layers without bias."""

    following: Annotated[
        tuple[Last, ...], Bounds(minimum=1), "the layers after the artifact, a row each"
    ]
    layers: Count = 2
    stride: Stride = 4
    samplerate: Annotated[Hertz, "of the outputs, in Hz"] = 44100
    seconds: Seconds = 3.0
    seed: Seed = 0
    kernel_size: Annotated[Count, "of the transposed convolution whose tones are replicated"] = 8
    bias: Annotated[float, Bounds(minimum=-1, maximum=1), "before the ReLU of the offset"] = 0.0


@dataclass(frozen=True)
class LossGradient:
    """Gradients of losses with strided layers (Sec. 2, issue iii)."""

    critic: CriticSettings = field(default_factory=CriticSettings)
    signal: Annotated[Signal, "waveform of which the losses are taken"] = "white_noise"
    target: Annotated[Signal, "their reference"] = "speech_like"
    samplerate: Annotated[Hertz, "Hz"] = 22050
    seconds: Seconds = 3.0


@dataclass(frozen=True)
class FiguresSettings:
    """Settings of the figures; a figure beyond the paper is not drawn without its key."""

    figure1: Panels
    figure6: Columns
    figure7: Columns
    figure8: Columns
    figure9: Panels
    figure2: Seeded = field(default_factory=Seeded)
    figure5: Seeded = field(default_factory=Seeded)
    overlay: Annotated[bool, "Figs. 6-8 with predicted tones, valleys and replicas"] = False
    operator_spectra: OperatorSpectra | None = None
    replicas: Replicas | None = None
    loss_gradient: LossGradient | None = None


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
class DataSettings:
    """The data set of a scale."""

    dataset: Annotated[
        Literal["demo", "own", "musdb18", "musdb18hq", "musdb18_7s"],
        "own: your tracks, WAV files in the layout of MUSDB18-HQ",
    ]
    root: Annotated[Folder, "folder of train/ and test/, and of the download"]
    store: Annotated[Folder | None, "folder of the decoded tracks; null: root/store"] = None
    validation: Annotated[
        Validation,
        "tracks of train/ to validate on: names, a share such as 0.1, or musdb: its own fourteen",
    ] = "musdb"
    beyond_full_scale: Annotated[
        Literal["refuse", "scale"], "for a track with louder samples: all its stems are scaled"
    ] = "refuse"
    seed: Annotated[Seed, "of the demo songs"] = 0
    train: Annotated[Songs, "demo songs to train on"] = 8
    valid: Annotated[Songs, "demo songs to validate on"] = 2
    test: Annotated[Songs, "demo songs to test on"] = 2
    seconds: Annotated[SongSeconds, "length of a demo song"] = 24.0
    test_seconds: Annotated[SongSeconds, "length of a demo song to test on"] = 12.0


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
