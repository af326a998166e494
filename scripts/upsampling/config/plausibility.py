"""Mistakes that no single key shows: names used twice, signals too short, wrong folders."""

from pathlib import Path
from typing import TYPE_CHECKING

from upsampling.config.losses import check_segment
from upsampling.errors import UserError

if TYPE_CHECKING:
    from upsampling.config.experiment import Experiment

# Points of the spectra that measures and figures are taken from (measures.from_waveform and
# measures.spectra, theory); tests hold these numbers equal to those there.
MEASURED_POINTS = 16384
SPECTROGRAM_POINTS = 2048
THEORY_POINTS = 4096
SUBSETS = ("train", "test")


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
    for figure in ("figure6", "figure7", "figure8"):
        for side in ("left", "right"):
            stack = getattr(getattr(figures, figure), side)
            key = f"figures.{figure}.{side}.seconds"
            needed.append((key, stack.seconds, stack.samplerate, SPECTROGRAM_POINTS))
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
