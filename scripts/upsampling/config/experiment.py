"""From config.yaml to one resolved experiment: checked, scaled, and cut to each job's needs.

No torch and no pandas: each job of the workflow imports it.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache, cached_property
from typing import Any

from upsampling.config.audits import Audit, check_audit_files
from upsampling.config.declared import fields_of, read_settings
from upsampling.config.figures import LossGradient
from upsampling.config.mapping import canonical, merge
from upsampling.config.model import ModelSettings, model_settings, settings_class
from upsampling.config.plausibility import (
    check_figures,
    check_folders,
    check_labels,
    check_lengths,
    check_sections,
    check_variant,
)
from upsampling.config.published_scores import score_files
from upsampling.config.repairs import Repair, resolve_repairs
from upsampling.config.sections import AT_INITIALISATION, Config, Variant
from upsampling.config.training import OBSERVATION, TrainingSettings
from upsampling.errors import UserError
from upsampling.own_code import class_fingerprint


class Experiment:
    """A checked configuration at its chosen scale; raises `UserError` if it is not valid.

    `settings` holds the whole configuration, typed and with all defaults. Methods that return
    canonical JSON leave defaults out, so that a new key with a default reruns no job.
    """

    def __init__(self, config: Mapping[str, Any]):
        check_sections(config)
        self.scale: str = config["scale"]
        self._unscaled = config
        self._config = merge(config, config["scales"][self.scale])
        # Data sets stay in the section scales.
        sections = {key: value for key, value in self._config.items() if key != "data"}
        self.settings: Config = read_settings(Config, sections, "")
        self._section_architecture = self.settings.model.get("architecture", "demucs_like")
        # The settings of the model that is trained for a variant, and those of its training.
        self.model_settings: Callable[[str], ModelSettings] = cache(self._read_model_settings)
        self.training_settings: Callable[[str], TrainingSettings]
        self.training_settings = cache(self._read_training_settings)
        self.data = self.settings.scales[self.scale].data.located
        self.seeds: list[int] = list(self.settings.seeds)
        self.variants: Mapping[str, Variant] = resolve_repairs(self.settings.variants)
        for name in sorted(self.variants, key=lambda name: self.variants[name].repair is not None):
            check_variant(self, name)
        self.variants = {name: entry for name, entry in self.variants.items() if entry.enabled}
        if not self.variants:
            raise UserError("variants: none is enabled; remove `enabled: false` from one")
        audits = self.settings.audits.items()
        self.audits: Mapping[str, Audit] = {name: one.at(self.scale) for name, one in audits}
        models = {
            f"results/{self.scale}/models/{variant}/seed{seed}"
            for variant in self.scored
            for seed in self.seeds
        }
        for name, audit in self.audits.items():
            check_audit_files(name, audit, models)
        check_figures(self)
        check_labels(self)
        check_lengths(self)
        check_folders(self)
        self.samplerate = self._samplerate()

    @cached_property
    def trained(self) -> list[str]:
        """Variants that are trained here, in the order of the config."""
        return [name for name in self.scored if not self.variants[name].repair]

    @cached_property
    def scored(self) -> list[str]:
        """Variants whose models are scored: trained here or repaired; in the config's order."""
        return [name for name, variant in self.variants.items() if variant.train]

    @cached_property
    def repaired(self) -> dict[str, Repair]:
        """Variants that are repairs of trained models."""
        return {name: entry.repair for name, entry in self.variants.items() if entry.repair}

    @cached_property
    def weights(self) -> dict[str, str]:
        """Files of weights of the variants that were trained elsewhere."""
        files = {name: self._model(name).get("weights") for name in self.untrained}
        return {name: file for name, file in files.items() if file}

    @cached_property
    def untrained(self) -> list[str]:
        """Variants without a model of this pipeline's training, in the order of the config."""
        return [name for name in self.variants if name not in self.scored]

    @cached_property
    def with_operator(self) -> list[str]:
        """Variants that name an operator, as all do but architectures of a user's."""
        return [name for name, variant in self.variants.items() if variant.operator]

    def stages(self, variant: str) -> list[str]:
        """The stages at which a variant's model is measured."""
        after = variant in self.scored or variant in self.weights
        return ["initialised", "trained"] if after else ["initialised"]

    @property
    def scoring(self) -> str:
        """Canonical JSON of how models are scored; how scores are aggregated afterwards is not."""
        evaluation = self._config.get("evaluation", {})
        return canonical({key: evaluation[key] for key in evaluation if key != "aggregation"})

    @cached_property
    def published(self) -> list[dict[str, Any]]:
        """Folders of published scores: the key `where` each stands, `folder`, and its `files`.

        `files` are paths, sizes in bytes and times in ns.
        """
        found = []
        for place, row in enumerate(self.settings.literature):
            for folder in row.folders:
                where = f"literature.{place}.scores"
                try:
                    files = list(score_files(folder).values())
                except UserError as error:
                    raise UserError(f"{where}: {error}") from error
                stats = [(str(path), path.stat()) for path in files]
                listed = [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]
                found.append({"where": where, "folder": folder, "files": listed})
        return found

    @property
    def published_files(self) -> list[str]:
        """The files of published scores that tables read."""
        return [path for entry in self.published for path, *_ in entry["files"]]

    @property
    def signals(self) -> list[str]:
        """The probe signals for each model, before and after training."""
        return list(self.settings.probes.signals)

    @property
    def probes(self) -> str:
        """Canonical JSON of the probe signals, with their defaults."""
        return canonical(asdict(self.settings.probes))

    def model(self, variant: str) -> str:
        """Canonical JSON of the model that is trained for `variant`."""
        return canonical(self._model(variant))

    def training(self, variant: str) -> str:
        """Canonical JSON of the training settings of `variant` that decide its weights."""
        settings = self._training(variant)
        return canonical({key: settings[key] for key in settings if key not in OBSERVATION})

    def initialisation(self, variant: str) -> dict[str, Any]:
        """The model at initialisation and at paper width, and its probe signal (Figs. 1 and 9).

        Keys: `model`, `paper_model` (canonical JSON), `signal`, `seconds`, `seed`. `paper_model`
        would be trained at paper scale; its parameters are counted, at any width of `model`.
        """
        section = asdict(self.settings.initialisation)
        section |= self.variants[variant].initialisation
        paper_model = self._model(variant, self._unscaled.get("model", {}))
        changes = {key: section[key] for key in self.at_initialisation(variant)}
        return {
            "model": canonical(paper_model | changes),
            "paper_model": canonical(paper_model),
            **{key: section[key] for key in ("signal", "seconds", "seed")},
        }

    def init_statistics(self, variant: str) -> dict[str, str]:
        """Canonical JSON: the `model` whose initialisations are measured, and `statistics`."""
        section = asdict(self.settings.init_statistics)
        settings = self.model_settings(variant)
        widths = {key: section.pop(key) for key in ("channels", "depth")}
        model = self._model(variant) | {k: v for k, v in widths.items() if hasattr(settings, k)}
        section["probe_seed"] = self.settings.probes.seed
        return {"model": canonical(model), "statistics": canonical(section)}

    def audit_title(self, audit: str) -> str:
        """The name of an audit in tables and figures."""
        return self.audits[audit].title or audit.replace("_", " ")

    def _samplerate(self) -> int | None:
        """The sampling rate in Hz of all trained models whose settings have one."""
        rates = {
            name: getattr(self.model_settings(name), "samplerate", None) for name in self.trained
        }
        known = [(name, rate) for name, rate in rates.items() if rate]
        for name, rate in known:
            if rate != known[0][1]:
                raise UserError(
                    f"variants.{name}: its samplerate is {rate}, that of variants.{known[0][0]} "
                    f"{known[0][1]}; trained variants share one data set, so write one rate"
                )
        return known[0][1] if known else None

    def stack(self, figure: str, side: str) -> str:
        """Canonical JSON of the operator stack of one column of Figs. 6-8."""
        stack = self.settings.figures.stacks[f"{figure}.{side}"]
        values = asdict(stack)
        del values["operator_code"]
        return canonical(values | self._code(stack.operator, f"figures.{figure}.{side}"))

    def theory(self, kind: str) -> str:
        """Canonical JSON of one `kind` of spectra.

        operator_spectra, replicas, loss_gradient: comparisons with theory; training_losses:
        gradients of the losses of all trained variants.
        """
        if kind == "training_losses":
            settings = asdict(self.settings.figures.loss_gradient or LossGradient())
            losses = {name: self.training_settings(name).loss for name in self.trained}
            return canonical(settings | {"losses": losses})
        settings = asdict(getattr(self.settings.figures, kind))
        if kind == "operator_spectra":
            settings["operators"] = {name: self._outermost(name) for name in self.with_operator}
        return canonical(settings)

    def table_label(self, variant: str) -> str:
        """The name of a variant in tables."""
        return self.variants[variant].table_label or self.figure_title(variant)

    def figure_title(self, variant: str) -> str:
        """The short name of a variant in figures."""
        return self.variants[variant].figure_title or variant.replace("_", " ")

    def architecture(self, variant: str) -> str:
        """The architecture of a variant's model."""
        return self.variants[variant].model.get("architecture", self._section_architecture)

    def at_initialisation(self, variant: str) -> list[str]:
        """The keys of the section `initialisation` that change the variant's model."""
        if self.architecture(variant) != self._section_architecture:
            return []
        fields = fields_of(settings_class(self._section_architecture, "model"))
        return [key for key in AT_INITIALISATION if key in fields]

    def _read_model_settings(self, variant: str) -> ModelSettings:
        return model_settings(self._model(variant), f"variants.{variant}.model")

    def _read_training_settings(self, variant: str) -> TrainingSettings:
        where = f"variants.{variant}.training"
        return read_settings(TrainingSettings, self._training(variant), where)

    def _model(self, variant: str, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A variant's model over the section model, if that is of the same architecture."""
        entry, where = self.variants[variant], f"variants.{variant}"
        architecture = self.architecture(variant)
        base = self.settings.model if base is None else base
        shared = architecture == self._section_architecture
        model = merge(base if shared else {}, entry.model)
        if entry.operator is not None:
            model["operator"] = entry.operator
        if "options" in fields_of(settings_class(architecture, f"{where}.model")):
            model["options"] = dict(entry.options)
        last = (model.get("last") or {}).get("operator", "")
        model |= self._code(entry.operator or "", where, last)
        if ":" in architecture:
            model["code"] = class_fingerprint(architecture, f"{where}.model.architecture")
        return model

    def _code(self, operator: str, where: str, last: str = "") -> dict[str, str]:
        """The key `operator_code`, if operators come from files."""
        named = {f"{where}.operator": operator, f"{where}.model.last.operator": last}
        codes = [class_fingerprint(name, key) for key, name in named.items() if ":" in name]
        return {"operator_code": " ".join(codes)} if codes else {}

    def _outermost(self, variant: str) -> dict[str, Any]:
        """The operator of a variant's outermost block: its name, options and bias."""
        model = self._model(variant)
        named = model.get("last") or model
        code = {"code": model["operator_code"]} if "operator_code" in model else {}
        return {
            "operator": named["operator"],
            "options": named.get("options", {}),
            "bias": model.get("bias", True),
        } | code

    def _training(self, variant: str) -> dict[str, Any]:
        entry = self.variants[variant]
        own = [entry.training]
        if self.scale in entry.scales:
            own.append(entry.scales[self.scale].training)
        settings = merge(self._config.get("training", {}), *own)
        # A sum of losses replaces another; their terms are not merged.
        losses = [section["loss"] for section in own if "loss" in section]
        return settings | ({"loss": losses[-1]} if losses else {})
