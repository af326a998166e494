"""The content of the gallery that a configuration asks for.

Standard library only, as each job of the workflow imports it.
"""

import json
from dataclasses import asdict
from typing import Any

from upsampling.config.data import DATASETS
from upsampling.config.experiment import Experiment
from upsampling.config.mapping import canonical
from upsampling.config.model import model_settings
from upsampling.errors import UserError
from upsampling.tables.plan import training_summary


def gallery_signals(experiment: Experiment) -> list[str]:
    """The probe signals on the page, in the order of `probes.signals`.

    Raises `UserError` for a signal of `gallery.signals` that is no probe signal.
    """
    selection = experiment.settings.gallery.signals
    for name in selection or ():
        if name not in experiment.signals:
            raise UserError(
                f"gallery.signals: '{name}' is not among probes.signals; "
                f"choose from {', '.join(experiment.signals)}"
            )
    return [name for name in experiment.signals if selection is None or name in selection]


def gallery_seeds(experiment: Experiment) -> list[int]:
    """The seeds whose sounds and pictures are on the page."""
    return experiment.seeds[: experiment.settings.gallery.seeds]


def gallery_content(experiment: Experiment) -> str:
    """Canonical JSON of the page's content: texts of the config, names of variants and probes."""
    return canonical(
        {
            "scale": experiment.scale,
            "data_set": DATASETS[experiment.data.dataset],
            "real_data": experiment.data.dataset != "demo",
            **training_summary(experiment),
            "settings": asdict(experiment.settings.gallery),
            "seeds": gallery_seeds(experiment),
            "signals": gallery_signals(experiment),
            "initialisation_signal": experiment.settings.initialisation.signal,
            "audits": [
                {"name": name, "title": experiment.audit_title(name)} for name in experiment.audits
            ],
            "variants": [_variant(experiment, name) for name in experiment.variants],
        }
    )


def _variant(experiment: Experiment, name: str) -> dict[str, Any]:
    entry = experiment.variants[name]
    model = model_settings(
        json.loads(experiment.initialisation(name)["model"]), f"variants.{name}.model"
    )
    return {
        "name": name,
        "title": experiment.figure_title(name),
        "label": experiment.table_label(name),
        "operator": entry.operator,
        "options": entry.options,
        "trained": "trained" in experiment.stages(name),
        "scored": name in experiment.scored,
        "width": getattr(model, "channels", None),
        "floor": entry.floor,
    }
