"""From config.yaml to one resolved experiment: checked, scaled, and cut to what each job needs.

No torch and no pandas: the workflow is parsed anew in every job.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from upsampling.custom import code_of
from upsampling.figure_plan import LAYERS, Figure, outermost, theory_figures
from upsampling.schema import check
from upsampling.settings import (
    MelganSettings,
    TrainingSettings,
    UserError,
    canonical,
    from_mapping,
    merge,
    model_settings,
    nearest_match,
)

STACK = {"layers": 3, "stride": 2, "samplerate": 4000, "seconds": 3, "options": {}, "seed": 0}
PROBED_MODEL = ("channels", "rescale")
DEMO_KEYS = ("seed", "train", "valid", "test", "seconds", "test_seconds")
DATASETS = {
    "demo": "synthetic songs and one real recording",
    "musdb18": "MUSDB18",
    "musdb18hq": "MUSDB18-HQ",
    "musdb18_7s": "the 7-second edition of MUSDB18",
}


class Experiment:
    """A checked configuration at its chosen scale; raises `UserError` if it is not valid."""

    def __init__(self, config: Mapping[str, Any]):
        check(config)
        self.scale: str = config["scale"]
        self.unscaled = config
        self.config = merge(config, config["scales"][self.scale])
        self.seeds: list[int] = self.config["seeds"]
        self.variants: dict[str, dict[str, Any]] = config["variants"]
        self.data: dict[str, Any] = self.config["data"]
        for name in self.variants:
            where = f"variants.{name}"
            model = model_settings(self._model(name, self.config["model"]), f"{where}.model")
            from_mapping(TrainingSettings, self._training(name), f"{where}.training")
            if name in self.trained and isinstance(model, MelganSettings):
                raise UserError(f"{where}: a melgan model is not trained here; add `train: false`")
        self._check_panels()
        for folder in self.published:
            if not Path(folder).is_dir():
                raise UserError(f"literature: scores: there is no folder '{folder}'")

    @cached_property
    def trained(self) -> list[str]:
        """Variants that are trained and scored, in the order of the config."""
        return [name for name, variant in self.variants.items() if variant.get("train", True)]

    @cached_property
    def untrained(self) -> list[str]:
        """Variants that take part before training only, in the order of the config."""
        return [name for name in self.variants if name not in self.trained]

    @property
    def scoring(self) -> str:
        """Canonical JSON of how models are scored; how scores are aggregated afterwards is not."""
        return canonical({k: v for k, v in self.config["evaluation"].items() if k != "aggregation"})

    @property
    def aggregation(self) -> str:
        """How scores are aggregated over frames and tracks."""
        return self.config["evaluation"].get("aggregation", "median")

    @property
    def published(self) -> list[str]:
        """Folders of published scores that rows of the literature name."""
        named = [row.get("scores", []) for row in self.config["literature"]]
        return [folder for one in named for folder in ([one] if isinstance(one, str) else one)]

    def section(self, name: str) -> str:
        """Canonical JSON of one section of the config, as the scale leaves it."""
        return canonical(self.config[name])

    def model(self, variant: str) -> str:
        """Canonical JSON of the model that is trained for `variant`."""
        return canonical(self._model(variant, self.config["model"]))

    def training(self, variant: str) -> str:
        """Canonical JSON of the training settings of `variant`."""
        return canonical(self._training(variant))

    def initialisation(self, variant: str) -> dict[str, Any]:
        """The random model at paper width, and its probe signal, for Figs. 1 and 9.

        Keys: `model`, `probe` and `paper_model` (canonical JSON), `seed`. `paper_model` is what
        would be trained at paper scale; its parameters are counted, whatever width is probed.
        """
        own = self.variants[variant].get("initialisation", {})
        section = merge(self.config["initialisation"], own)
        paper_model = self._model(variant, self.unscaled["model"])
        changes = {} if self._is_melgan(variant) else {k: section[k] for k in PROBED_MODEL}
        return {
            "model": canonical(paper_model | changes),
            "paper_model": canonical(paper_model),
            "probe": canonical({key: section[key] for key in ("signal", "seconds")}),
            "seed": section["seed"],
        }

    @property
    def demo_songs(self) -> dict[str, Any]:
        """What the composer of the demo songs is asked for; empty for a real data set."""
        if self.data["dataset"] != "demo":
            return {}
        return {key: self.data[key] for key in DEMO_KEYS} | {"real_track": True}

    @property
    def signals(self) -> list[str]:
        """The probe signals that go through each model before and after training."""
        return self.config["probes"]["signals"]

    def distribution(self, variant: str) -> dict[str, str]:
        """The model whose random initialisations are measured, and how: both canonical JSON."""
        section = self.config["distribution"]
        widths = ("channels",) if self._is_melgan(variant) else ("channels", "depth")
        model = self._model(variant, self.config["model"]) | {key: section[key] for key in widths}
        measured = {key: section[key] for key in ("seeds", "seconds")}
        measured["probe_seed"] = self.config["probes"]["seed"]
        return {"model": canonical(model), "distribution": canonical(measured)}

    def stack(self, figure: str, side: str) -> str:
        """Canonical JSON of the operator stack of one column of Figs. 6-8."""
        return canonical(merge(STACK, self.config["figures"][figure][side]))

    def figures(self, results: str) -> list["Figure"]:
        """Figs. 1-10 and the overviews of all variants; their inputs lie below `results`."""
        seeds = self.config["figures"]
        figures = [
            Figure("figure2", {"seed": seeds["figure2"]["seed"]}, ["a"]),
            Figure("figure3", {}, ["a"]),
            Figure("figure4", {}, ["a"]),
            Figure("figure5", {"seed": seeds["figure5"]["seed"]}, ["1", "2", "3", "4"]),
        ]
        for name in ("figure1", "figure9"):
            variants = seeds[name]["panels"]
            figures.append(self._grid(results, name, variants, ascii_lowercase[: len(variants)]))
        figures.append(self._grid(results, "initialisation", self.variants, self.variants))
        for name in ("figure6", "figure7", "figure8"):
            inputs = [f"{results}/stacks/{name}_{side}.npz" for side in ("left", "right")]
            panels = [f"{side}_{layer}" for side in ("left", "right") for layer in LAYERS]
            figures.append(Figure(name, {}, panels, inputs))
        layers = [panel for panel in panels if "signal" not in panel]
        figures.append(Figure("figure10", {}, layers, inputs[:1]))
        figures += [self._differences(results), *self._measured(results)]
        titles = {name: self.title(name) for name in self.variants}
        return [*figures, *theory_figures(seeds, results, panels, titles)]

    def probe(self, name: str) -> str:
        """Canonical JSON of a probe of scripts/theory.py: replicas, responses or loss_gradient."""
        settings = self.config["figures"][name]
        if name == "responses":
            base = self.config["model"]
            operators = {key: outermost(self._model(key, base)) for key in self.variants}
            settings = settings | {"operators": operators}
        return canonical(settings)

    def panel(self, variant: str) -> str:
        """Canonical JSON of the figure that shows one variant alone."""
        return canonical(self._grid("", "variant", [variant], ["initialised"]).spec)

    def before_after(self, variant: str, seed: str) -> str:
        """Canonical JSON of the figure that shows a run's model before and after training."""
        model = self._model(variant, self.config["model"])
        spec = {
            "title": f"{self.title(variant)}, seed {seed}",
            "rows": [{"name": name, "title": name.replace("_", " ")} for name in self.signals],
            "strides": [model["stride"]] * model["depth"],
        }
        return canonical(spec)

    def _grid(
        self, results: str, name: str, variants: Iterable[str], panels: Iterable[str]
    ) -> "Figure":
        # The notebooks draw MelGAN down to -200 dB: its weights of deviation 0.02 make it quiet.
        drawn = [
            {"name": panel, "title": self._panel_title(variant)}
            | ({"floor": -200.0} if self._is_melgan(variant) else {})
            for variant, panel in zip(variants, panels, strict=True)
        ]
        inputs = [f"{results}/initialisation/{variant}.npz" for variant in variants]
        return Figure(name, {"panels": drawn}, list(panels), inputs)

    def _panel_title(self, variant: str) -> str:
        """The title of an initialised model's panel; it tells a width that is not the paper's."""
        own = self.variants[variant].get("initialisation", {}).get("channels")
        width = self.config["initialisation"]["channels"]
        narrow = own not in (None, width)
        return self.title(variant) + (f"\n({own} channels)" if narrow else "")

    def _differences(self, results: str) -> "Figure":
        """Every row against the first one that is trained: in the paper, the one as published."""
        titles = {name: self.title(name) for name in self.trained}
        spec = {"reference": next(iter(titles), ""), "titles": titles}
        inputs = [f"{results}/tables/{name}.csv" for name in ("comparisons", "track_scores")]
        return Figure("track_differences", spec, ["all"], inputs)

    def _measured(self, results: str) -> list["Figure"]:
        """Artifacts before and after training, and over random initialisations, of all variants."""
        spec = {"rows": [{"name": v, "title": self.title(v)} for v in self.variants]}
        tables = {"artifact_changes": "artifacts", "distribution": "distribution"}
        return [
            Figure(name, spec, ["all"], [f"{results}/tables/{table}.csv"])
            for name, table in tables.items()
        ]

    def _is_melgan(self, variant: str) -> bool:
        return self.variants[variant].get("model", {}).get("architecture") == "melgan"

    def table_rows(self) -> str:
        """Canonical JSON of the rows of Table 1: trained variants, then the literature."""
        rows = [
            {
                "variant": name,
                "label": self.label(name),
                "trained": True,
                "paper": self.variants[name].get("paper"),
            }
            for name in self.trained
        ]
        return canonical(rows + list(self.config["literature"]))

    def artifact_rows(self) -> str:
        """Canonical JSON of the rows of Table 2: trained variants, then the others."""
        rows = [
            {"variant": name, "label": self.title(name), "trained": name in self.trained}
            for name in [*self.trained, *self.untrained]
        ]
        return canonical(rows)

    def compared_rows(self) -> str:
        """Canonical JSON of the rows that have scores, without labels that change nothing."""
        own = [{"variant": name, "label": name} for name in self.trained]
        others = [row for row in self.config["literature"] if "scores" in row]
        return canonical(own + [{key: row[key] for key in ("label", "scores")} for row in others])

    def description(self) -> str:
        """Canonical JSON of what was trained on what, for the table's caption."""
        training, model = self.config["training"], self.config["model"]
        values = {
            "data_set": DATASETS[self.data["dataset"]],
            "epochs": training["epochs"],
            "channels": model["channels"],
            "aggregation": self.aggregation,
        }
        return canonical(values)

    def training_summary(self) -> str:
        """Canonical JSON of how much was trained, whatever was scored how."""
        sections = {"epochs": "training", "channels": "model"}
        return canonical({key: self.config[section][key] for key, section in sections.items()})

    def label(self, variant: str) -> str:
        """The label of a variant in tables."""
        return self.variants[variant].get("label", self.title(variant))

    def title(self, variant: str) -> str:
        """The short name of a variant in figures."""
        return self.variants[variant].get("title", variant.replace("_", " "))

    def _model(self, variant: str, base: Mapping[str, Any]) -> dict[str, Any]:
        entry = self.variants[variant]
        melgan = self._is_melgan(variant)
        model = merge({} if melgan else base, entry.get("model", {}))
        model |= {"operator": entry["operator"]}
        if not melgan:
            model |= {"options": entry.get("options", {})}
        last = model.get("last") or {}
        named = {"operator": entry["operator"], "model.last.operator": last.get("operator", "")}
        codes = [
            code_of(name, f"variants.{variant}.{key}")
            for key, name in named.items()
            if ".py:" in name
        ]
        if codes:
            model["operator_code"] = " ".join(codes)
        return model

    def _training(self, variant: str) -> dict[str, Any]:
        return merge(self.config["training"], self.variants[variant].get("training", {}))

    def _check_panels(self) -> None:
        for figure in ("figure1", "figure9"):
            for panel in self.config["figures"][figure]["panels"]:
                if panel not in self.variants:
                    raise UserError(
                        f"figures.{figure}.panels: there is no variant '{panel}'"
                        f"{nearest_match(panel, self.variants)}; "
                        f"choose from {', '.join(self.variants)}"
                    )
