"""Mistakes that no single key shows: unknown names, names used twice, short signals, folders."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upsampling.config.declared import check_part, read_settings, shown, suggest
from upsampling.config.figures import Stack
from upsampling.config.losses import check_segment
from upsampling.config.model import Last, OwnSettings, check_operator, settings_class
from upsampling.config.repairs import check_repairable
from upsampling.config.sections import AT_INITIALISATION, Config
from upsampling.errors import UserError

if TYPE_CHECKING:
    from upsampling.config.experiment import Experiment

# Points of the spectra that measures and figures are taken from (measures.from_waveform and
# measures.spectra, theory); tests hold these numbers equal to those there.
MEASURED_POINTS = 16384
SPECTROGRAM_POINTS = 2048
THEORY_POINTS = 4096
SUBSETS = ("train", "test")


def check_sections(config: Mapping[str, Any]) -> None:
    """Check the file as it is written, so that messages name the keys that stand there."""
    settings: Config = read_settings(Config, config, "")
    scales = settings.scales
    if settings.scale not in scales:
        raise UserError(
            f"scale: unknown value {shown(settings.scale)}{suggest(settings.scale, scales)}"
        )
    for name, variant in settings.variants.items():
        for scale in variant.scales:
            if scale not in scales:
                raise UserError(
                    f"variants.{name}.scales.{scale}: there is no scale '{scale}'"
                    f"{suggest(scale, scales)}"
                )
    architecture = settings.model.get("architecture", "demucs_like")
    sections = {"model": settings.model}
    sections |= {f"scales.{name}.model": scale.model for name, scale in scales.items()}
    for where, section in sections.items():
        check_part(settings_class(architecture, "model"), section, where)


def check_variant(experiment: "Experiment", name: str) -> None:
    """Refuse a variant whose model cannot be built, repaired or trained."""
    entry, where = experiment.variants[name], f"variants.{name}"
    if entry.repair:
        check_repairable(name, entry.repair, experiment.model_settings(name))
        return
    architecture = experiment.architecture(name)
    check_part(settings_class(architecture, f"{where}.model"), entry.model, f"{where}.model")
    for key in AT_INITIALISATION:
        if key in entry.initialisation and key not in experiment.at_initialisation(name):
            raise UserError(
                f"{where}.initialisation.{key}: it has no effect on a model of the architecture "
                f"{architecture} here; leave it out, and write a width into {where}.model"
            )
    if entry.operator is not None:
        check_operator(entry.operator, entry.options, where)
    elif ":" not in architecture:
        raise UserError(f"{where}: the key 'operator' is missing; add it")
    settings = experiment.model_settings(name)
    experiment.training_settings(name)
    if isinstance(settings, OwnSettings) and settings.weights is not None:
        if not Path(settings.weights).is_file():
            raise UserError(f"{where}.model.weights: there is no file {shown(settings.weights)}")
        if entry.train:
            raise UserError(f"{where}: it has weights already; add `train: false`")
    if entry.train and not settings.trainable:
        raise UserError(f"{where}: a {architecture} model is not trained here; add `train: false`")


def check_figures(experiment: "Experiment") -> None:
    """Refuse panels of unknown variants, and unknown operators and options."""
    figures = experiment.settings.figures
    for figure in ("figure1", "figure9"):
        for panel in getattr(figures, figure).panels:
            if panel not in experiment.variants:
                raise UserError(
                    f"figures.{figure}.panels: there is no variant {shown(panel)}"
                    f"{suggest(panel, experiment.variants)}"
                )
    layers: dict[str, Stack | Last] = dict(figures.stacks)
    if figures.replicas:
        layers |= {f"replicas.following.{n}": x for n, x in enumerate(figures.replicas.following)}
    for key, layer in layers.items():
        check_operator(layer.operator, layer.options, f"figures.{key}")


def check_labels(experiment: "Experiment") -> None:
    """Refuse two rows of a table, or two panels of a figure, of one name."""
    own = [(f"variants.{name}", experiment.table_label(name)) for name in experiment.scored]
    quoted = [
        (f"literature.{place}", row.table_label)
        for place, row in enumerate(experiment.settings.literature)
    ]
    _refuse_repeated("table_label", own + quoted)
    titles = [(f"variants.{name}", experiment.figure_title(name)) for name in experiment.variants]
    _refuse_repeated("figure_title", titles)


def _refuse_repeated(key: str, named: list[tuple[str, str]]) -> None:
    first: dict[str, str] = {}
    for where, label in named:
        if label in first:
            raise UserError(
                f"{where}.{key}: '{label}' is that of {first[label]}, too; change one of them"
            )
        first[label] = where


def check_lengths(experiment: "Experiment") -> None:
    """Refuse signals that are too short for the spectra that are taken of them."""
    settings = experiment.settings
    figures = settings.figures
    rates = {name: getattr(experiment.model_settings(name), "samplerate", None)
             for name in experiment.variants}  # fmt: skip
    lowest = min((rate for rate in rates.values() if rate), default=44100)
    needed = [
        ("probes.seconds", settings.probes.seconds, lowest, MEASURED_POINTS // 2),
        ("init_statistics.seconds", settings.init_statistics.seconds, lowest, MEASURED_POINTS // 2),
        ("initialisation.seconds", settings.initialisation.seconds, lowest, SPECTROGRAM_POINTS),
    ]
    needed += [
        (f"variants.{name}.initialisation.seconds", variant.initialisation["seconds"],
         rates[name] or lowest, SPECTROGRAM_POINTS)
        for name, variant in experiment.variants.items() if "seconds" in variant.initialisation
    ]  # fmt: skip
    needed += [
        (f"figures.{key}.seconds", stack.seconds, stack.samplerate, SPECTROGRAM_POINTS)
        for key, stack in figures.stacks.items()
    ]
    for kind in ("operator_spectra", "replicas"):
        if section := getattr(figures, kind):
            needed.append((f"figures.{kind}.seconds", section.seconds, section.samplerate,
                           THEORY_POINTS))  # fmt: skip
    for key, seconds, samplerate, samples in needed:
        if seconds * samplerate < samples:
            raise UserError(
                f"{key}: {seconds:g} s are too short at {samplerate} Hz; write at least "
                f"{samples / samplerate:.3g}"
            )
    for name in experiment.trained:
        training = experiment.training_settings(name)
        where = f"variants.{name}.training"
        check_segment(training.loss, training.segment_seconds, rates[name] or lowest, where)
        if (training.examples_per_epoch or training.batch_size) < training.batch_size:
            raise UserError(
                f"{where}: {training.examples_per_epoch} examples_per_epoch are "
                f"less than a batch of {training.batch_size}; raise them or lower batch_size"
            )


def check_folders(experiment: "Experiment") -> None:
    """Refuse folders of published scores without them, and a root that is a level too deep."""
    if experiment.published and experiment.settings.evaluation.aggregation == "whole_track":
        raise UserError(
            "evaluation.aggregation: published scores (literature.*.scores) have no SDR of a whole "
            "track; choose median or mean"
        )
    root = Path(experiment.data.root)
    where = f"scales.{experiment.scale}.data.root"
    if root.exists() and not root.is_dir():
        raise UserError(f"{where}: '{root}' is a file; name a folder")
    parents = [folder for folder in (root.parent, root.parent.parent) if has_subsets(folder)]
    if root.is_dir() and not has_subsets(root) and parents and root != parents[0]:
        raise UserError(
            f"{where}: '{root}' lies inside a data set; name the folder that holds train/ and "
            f"test/: {parents[0]}"
        )


def has_subsets(folder: Path) -> bool:
    """Return True if a folder has train/ and test/."""
    return all((folder / subset).is_dir() for subset in SUBSETS)
