"""The figures that a configuration asks for: their settings and panels, without files.

Standard library only, as each job of the workflow imports it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import Any

from upsampling.config.experiment import Experiment
from upsampling.config.mapping import canonical
from upsampling.config.model import Last
from upsampling.config.sections import STAGES
from upsampling.tables.plan import loss_rows

SIDES = ("left", "right")
LAYERS = ("signal", "1", "2", "3")
REPLICAS = ("tones", "filtering", "offsets")
GRADIENTS = ("score_strided", "score_dense", "features_strided", "features_dense")


@dataclass(frozen=True)
class PlannedFigure:
    """A figure's settings over its defaults, and the names of its panels."""

    settings: dict[str, Any] = field(default_factory=dict)
    panels: tuple[str, ...] = ("a",)

    @property
    def json(self) -> str:
        """Canonical JSON of the settings."""
        return canonical(self.settings)


def plan(experiment: Experiment) -> dict[str, PlannedFigure]:
    """Figs. 1-10, the overviews of all variants, and the comparisons with theory, by name."""
    section = experiment.settings.figures
    stack = tuple(f"{side}_{layer}" for side in SIDES for layer in LAYERS)
    figures = {
        "figure1": grid(experiment, section.figure1.panels, ascii_lowercase),
        "figure2": PlannedFigure({"seed": section.figure2.seed}),
        "figure3": PlannedFigure(),
        "figure4": PlannedFigure(),
        "figure5": PlannedFigure({"seed": section.figure5.seed}, ("1", "2", "3", "4")),
        **{f"figure{number}": PlannedFigure({}, stack) for number in (6, 7, 8)},
        "figure9": grid(experiment, section.figure9.panels, ascii_lowercase),
        "figure10": PlannedFigure({}, tuple(panel for panel in stack if "signal" not in panel)),
        "initialisation": grid(experiment, experiment.variants, experiment.variants),
    }
    rows = titled(experiment, experiment.variants)
    if experiment.trained:
        # In the paper, the first trained row is the model as published.
        scored = {name: experiment.figure_title(name) for name in experiment.scored}
        differences = {"reference": experiment.trained[0], "titles": scored}
        figures["track_differences"] = PlannedFigure(differences, ("all",))
        histories = {"rows": titled(experiment, experiment.trained), "seeds": experiment.seeds}
        figures["artifact_history"] = PlannedFigure(histories, ("all",))
    for name in ("artifact_changes", "init_statistics"):
        figures[name] = PlannedFigure({"rows": rows}, ("all",))
    if compared := figure1_trained(experiment):
        figures["figure1_trained"] = outputs_before_after(experiment, compared)
    if section.overlay:
        figures |= {f"figure{number}_theory": PlannedFigure({}, stack) for number in (6, 7, 8)}
    if section.operator_spectra and (named := experiment.with_operator):
        panels = titled(experiment, named)
        figures["operator_spectra"] = PlannedFigure({"panels": panels}, tuple(named))
    if section.replicas:
        headings = [replica_title(entry) for entry in section.replicas.following]
        cells = tuple(f"{kind}_{row + 1}" for kind in REPLICAS for row in range(len(headings)))
        figures["replicas"] = PlannedFigure({"rows": headings}, cells)
    if losses := loss_rows(experiment):
        figures["loss_lines"] = PlannedFigure({"rows": losses}, ("gradients", "outputs"))
    if section.loss_gradient:
        critic = section.loss_gradient.critic
        network = {"layers": critic.layers, "stride": critic.stride}
        figures["loss_gradient"] = PlannedFigure(network, ("waveform", *GRADIENTS, "coverage"))
    return figures


def titled(experiment: Experiment, variants: Iterable[str]) -> list[dict[str, str]]:
    """Names and titles of variants, as rows or panels of a figure."""
    return [{"name": name, "title": experiment.figure_title(name)} for name in variants]


def grid(experiment: Experiment, variants: Iterable[str], panels: Iterable[str]) -> PlannedFigure:
    """One panel per variant, at initialisation."""
    grid_panels = [
        {
            "name": panel,
            "title": panel_title(experiment, variant),
            "floor": experiment.variants[variant].floor,
        }
        for variant, panel in zip(variants, panels, strict=False)
    ]
    names = tuple(str(panel["name"]) for panel in grid_panels)
    return PlannedFigure({"panels": grid_panels}, names)


def panel_title(experiment: Experiment, variant: str) -> str:
    """The title of a panel at initialisation; it names a width that is not the paper's."""
    channels = experiment.variants[variant].initialisation.get("channels")
    narrow = channels not in (None, experiment.settings.initialisation.channels)
    return experiment.figure_title(variant) + (f"\n({channels} channels)" if narrow else "")


def before_after(experiment: Experiment, variant: str, seed: str) -> PlannedFigure:
    """A run's model before and after training."""
    return PlannedFigure(
        {
            "title": f"{experiment.figure_title(variant)}, seed {seed}",
            "rows": [
                {"name": name, "title": name.replace("_", " ")} for name in experiment.signals
            ],
            "strides": list(experiment.model_settings(variant).strides),
        }
    )


def figure1_trained(experiment: Experiment) -> list[str]:
    """The variants of Fig. 1 whose outputs for its signal are measured after training, too."""
    if experiment.settings.initialisation.signal not in experiment.signals:
        return []
    panels = experiment.settings.figures.figure1.panels
    return [name for name in panels if "trained" in experiment.stages(name)]


def outputs_before_after(experiment: Experiment, variants: list[str]) -> PlannedFigure:
    """Several variants' outputs for the signal of Fig. 1, before and after training."""
    signal, seed = experiment.settings.initialisation.signal, experiment.seeds[0]
    strides = {experiment.model_settings(name).strides for name in variants}
    return PlannedFigure(
        {
            "title": f"{signal.replace('_', ' ')}, {experiment.scale} scale, seed {seed}",
            "rows": titled(experiment, variants),
            "strides": list(strides.pop()) if len(strides) == 1 else [],
        },
        tuple(f"{name}_{panel}" for name in variants for panel in (*STAGES, "mean")),
    )


def replica_title(entry: Last) -> str:
    """The title of a row of the replicas: the operator's name, or a shorter one."""
    kernel_size = entry.options.get("kernel_size")
    if entry.operator == "stretch" and kernel_size == 1:
        return "zero insertion"
    return entry.operator.replace("_", " ") + (" alone" if kernel_size == 0 else "")
