"""The rows and captions of tables that a configuration asks for, as canonical JSON.

Standard library only, as each job of the workflow imports it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from upsampling.config.data import DATASETS
from upsampling.config.experiment import Experiment
from upsampling.config.losses import weights
from upsampling.config.mapping import canonical
from upsampling.config.operators import FAMILIES, OPTIONS

# Changes with which Sec. 6 still compares a variant with the others: its modifications of the
# model, and the learning rate that one of them needs.
MODIFICATIONS = {"bias": False, "first_relu": False}
COMPARABLE_TRAINING = {"learning_rate"}


def table1_rows(experiment: Experiment) -> str:
    """The rows of Table 1: variants that are scored, then the literature."""
    own: list[dict[str, Any]] = [
        {
            "variant": name,
            "label": experiment.table_label(name),
            "family": family(experiment, name),
            "original": original(experiment, name),
            "printed": asdict(printed) if (printed := experiment.variants[name].printed) else None,
            **repair_columns(experiment, name),
        }
        for name in experiment.scored
    ]
    quoted = [
        {
            "label": row.table_label,
            "source": row.source,
            "note": row.note,
            "printed": asdict(row.printed),
            "scores": row.folders,
        }
        for row in experiment.settings.literature
    ]
    return canonical(own + quoted)


def repair_columns(experiment: Experiment, variant: str) -> dict[str, Any]:
    """Keys of the row of a repaired variant: no training of its own, and its source."""
    if variant not in experiment.repaired:
        return {}
    repair = experiment.repaired[variant]
    source = f"the trained model '{repair.of}', repaired for {repair.aim}, without training"
    return {"trained": False, "source": source}


def family(experiment: Experiment, variant: str) -> str:
    """The variant's key in `FAMILIES`, '' for one that Sec. 6 does not compare.

    Such a variant has another operator, changes the model or the training further than the
    paper's do, or is repaired.
    """
    entry = experiment.variants[variant]
    if entry.repair:
        return ""
    at_scale = entry.scales.get(experiment.scale)
    training = {*entry.training, *(at_scale.training if at_scale else {})}
    if not (entry.model.items() <= MODIFICATIONS.items() and training <= COMPARABLE_TRAINING):
        return ""
    names = (name for name, operators in FAMILIES.items() if entry.operator in operators)
    return next(names, "")


def original(experiment: Experiment, variant: str) -> str:
    """The trained variant that differs from a modified one in the modifications alone, or ''."""

    def upsampler(name: str) -> object:
        entry = experiment.variants[name]
        return OPTIONS[entry.operator or ""](**entry.options)

    if not (experiment.variants[variant].model and family(experiment, variant)):
        return ""
    plain = [
        name
        for name in experiment.trained
        if family(experiment, name) and not experiment.variants[name].model
    ]
    operator = experiment.variants[variant].operator
    same = (
        name
        for name in plain
        if experiment.variants[name].operator == operator and upsampler(name) == upsampler(variant)
    )
    return next(same, "")


def scored_rows(experiment: Experiment) -> str:
    """The rows that have scores; labels that no comparison shows are left out."""
    own: list[dict[str, Any]] = [{"variant": name, "label": name} for name in experiment.scored]
    quoted = [
        {"label": row.table_label, "scores": row.folders}
        for row in experiment.settings.literature
        if row.folders
    ]
    return canonical(own + quoted)


def table2_rows(experiment: Experiment) -> str:
    """The rows of Table 2: variants with a trained model, then the others."""
    trained = [name for name in experiment.variants if "trained" in experiment.stages(name)]
    others = [name for name in experiment.variants if name not in trained]
    rows = [
        {"variant": name, "label": experiment.figure_title(name), "trained": name in trained}
        for name in [*trained, *others]
    ]
    return canonical(rows)


def history_rows(experiment: Experiment) -> str:
    """The rows of the table of artifacts through training."""
    rows = [
        {"variant": name, "label": experiment.figure_title(name)} for name in experiment.trained
    ]
    return canonical(rows)


def loss_rows(experiment: Experiment) -> list[dict[str, str]]:
    """Trained variants that differ from another in the loss alone; [] if there are none.

    `group` names the first variant with equal other settings. `control` is the variant whose deep
    feature loss has stride 1 in place of strides, or ''.
    """
    groups: dict[str, dict[str, dict[str, float]]] = {}
    for name in experiment.trained:
        training = json.loads(experiment.training(name))
        training.pop("loss", None)
        terms = weights(experiment.training_settings(name).loss)
        key = experiment.model(name) + canonical(training)
        groups.setdefault(key, {})[name] = terms
    return [
        {
            "variant": name,
            "label": experiment.figure_title(name),
            "group": next(iter(group)),
            "loss": loss_text(terms),
            "control": next((other for other in group if group[other] == dense(terms)), ""),
        }
        for group in groups.values()
        if len({canonical(terms) for terms in group.values()}) > 1
        for name, terms in group.items()
    ]


def loss_text(terms: Mapping[str, float]) -> str:
    """A sum of losses as text: 'l1 + 0.01 stft'."""
    return " + ".join(
        name if weight == 1 else f"{weight:g} {name}" for name, weight in terms.items()
    )


def dense(terms: Mapping[str, float]) -> dict[str, float]:
    """The control of a sum with a strided feature loss; {} for other sums."""
    if "features" not in terms or "features_dense" in terms:
        return {}
    return {("features_dense" if name == "features" else name): w for name, w in terms.items()}


def audit_rows(experiment: Experiment) -> str:
    """The rows of the table of audits, in the order of the configuration."""
    rows = [{"audit": name, "title": experiment.audit_title(name)} for name in experiment.audits]
    return canonical(rows)


def training_summary(experiment: Experiment) -> dict[str, Any]:
    """Epochs and channels, for captions."""
    model = experiment.model_settings(experiment.trained[0]) if experiment.trained else None
    channels = getattr(model, "channels", None)
    return {"epochs": experiment.settings.training.epochs, "channels": channels}


def table1_description(experiment: Experiment) -> str:
    """The data set, the extent of training and the aggregation, for the caption of Table 1."""
    return canonical(
        {
            "data_set": DATASETS[experiment.data.dataset],
            "aggregation": experiment.settings.evaluation.aggregation,
            **training_summary(experiment),
        }
    )


def table2_description(experiment: Experiment) -> str:
    """The extent of training, for the caption of Table 2."""
    return canonical(training_summary(experiment))
