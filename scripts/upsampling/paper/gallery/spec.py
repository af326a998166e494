"""What the gallery shows of an experiment; standard library only, as the workflow imports it."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from upsampling.experiment import DATASETS, Experiment
from upsampling.settings import (
    MelganSettings,
    UserError,
    canonical,
    from_mapping,
    model_settings,
)

# As in Figs. 1 and 9: MelGAN's weights of deviation 0.02 make it quiet.
FLOOR, MELGAN_FLOOR = -150.0, -200.0


@dataclass(frozen=True)
class GallerySettings:
    """The section `gallery` of config.yaml.

    `seeds` is how many seeds (the first ones) have sounds and pictures, `signals` which probes
    (null: all), `tracks` how many test tracks, `probe_seconds` and `excerpt_seconds` how much of
    each sound. What would take the page over `megabytes` is left out, and the page says so.
    """

    seeds: int = 1
    signals: tuple[str, ...] | None = None
    probe_seconds: float = 3.0
    tracks: int = 2
    excerpt_seconds: float = 4.0
    megabytes: float = 24.0


def gallery_settings(experiment: Experiment) -> GallerySettings:
    """The gallery's settings at the experiment's scale."""
    return from_mapping(GallerySettings, experiment.config.get("gallery", {}), "gallery")


def gallery_signals(experiment: Experiment) -> list[str]:
    """The probe signals on the page, in the order of `probes.signals`; others are refused."""
    chosen = gallery_settings(experiment).signals
    for name in chosen or ():
        if name not in experiment.signals:
            raise UserError(
                f"gallery.signals: '{name}' is not among probes.signals; "
                f"choose from {', '.join(experiment.signals)}"
            )
    return [name for name in experiment.signals if chosen is None or name in chosen]


def gallery_seeds(experiment: Experiment) -> list[int]:
    """The seeds whose sounds and pictures are on the page."""
    return experiment.seeds[: gallery_settings(experiment).seeds]


def gallery_spec(experiment: Experiment) -> str:
    """Canonical JSON of what the page shows: texts of the config, names of variants and probes."""
    settings, config = gallery_settings(experiment), experiment.config
    return canonical(
        {
            "scale": experiment.scale,
            "data_set": DATASETS[experiment.data["dataset"]],
            "real_data": experiment.data["dataset"] != "demo",
            "epochs": config["training"]["epochs"],
            "channels": config["model"]["channels"],
            "settings": asdict(settings),
            "seeds": gallery_seeds(experiment),
            "signals": gallery_signals(experiment),
            "initialisation_signal": config["initialisation"]["signal"],
            "variants": [_variant(experiment, name) for name in experiment.variants],
        }
    )


def _variant(experiment: Experiment, name: str) -> dict[str, Any]:
    entry = experiment.variants[name]
    initial = json.loads(experiment.initialisation(name)["model"])
    model = model_settings(initial, f"variants.{name}.model")
    melgan = isinstance(model, MelganSettings)
    return {
        "name": name,
        "title": experiment.title(name),
        "label": experiment.label(name),
        "operator": entry["operator"],
        "options": entry.get("options", {}),
        "trained": name in experiment.trained,
        "width": model.channels,
        "stride": model.ratios[-1] if isinstance(model, MelganSettings) else model.stride,
        "floor": MELGAN_FLOOR if melgan else FLOOR,
    }
