"""Which figures the configuration asks for beyond the paper's: what theory predicts, drawn.

Standard library only, as all that the Snakefile imports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FIGURE_STACKS = ("figure6", "figure7", "figure8")
LAYERS = ("signal", "1", "2", "3")
REPLICAS = ("tones", "filtering", "offsets")
GRADIENTS = (
    "waveform",
    "score_strided",
    "score_dense",
    "features_strided",
    "features_dense",
    "coverage",
)


@dataclass(frozen=True)
class Figure:
    """One figure: settings over its defaults, its panels' names, the files it is drawn from."""

    name: str
    spec: dict[str, Any]
    panels: list[str]
    inputs: list[str] = field(default_factory=list)


def theory_figures(
    section: Mapping[str, Any], results: str, panels: Sequence[str], titles: Mapping[str, str]
) -> list[Figure]:
    """Figs. 6-8 beside their prediction, operators, replicas by kind, gradients of losses.

    `section` is `figures` of the config, which leaves out what it does not want; `panels` are those
    of Figs. 6-8; `titles` of all variants by name; inputs lie below `results`.
    """
    figures = []
    for name in FIGURE_STACKS if section.get("overlay", False) else ():
        stacks = [f"{results}/stacks/{name}_{side}" for side in ("left", "right")]
        inputs = [f"{stack}{kind}.npz" for kind in ("", "_theory") for stack in stacks]
        figures.append(Figure(f"{name}_theory", {}, list(panels), inputs))
    if "responses" in section:
        drawn = [{"name": name, "title": title} for name, title in titles.items()]
        probed = [f"{results}/theory/responses.npz"]
        figures.append(Figure("responses", {"panels": drawn}, list(titles), probed))
    if "replicas" in section:
        rows = [replica_title(entry) for entry in section["replicas"]["following"]]
        names = [f"{kind}_{row + 1}" for kind in REPLICAS for row in range(len(rows))]
        probed = [f"{results}/theory/replicas.npz"]
        figures.append(Figure("replicas", {"rows": rows}, names, probed))
    if "loss_gradient" in section:
        critic = section["loss_gradient"]["critic"]
        spec = {key: critic[key] for key in ("layers", "stride") if key in critic}
        probed = [f"{results}/theory/loss_gradient.npz"]
        figures.append(Figure("loss_gradient", spec, list(GRADIENTS), probed))
    return figures


def outermost(model: Mapping[str, Any]) -> dict[str, Any]:
    """The operator of a model's outermost block: its name, options, bias; and its own code."""
    named = model.get("last") or model
    entry = {
        "operator": named["operator"],
        "options": named.get("options", {}),
        "bias": model.get("bias", True),
    }
    return entry | ({"code": model["operator_code"]} if "operator_code" in model else {})


def replica_title(entry: Mapping[str, Any]) -> str:
    """The title of a row of the replicas: what its operator is, if there is no more to it."""
    length = entry.get("options", {}).get("length")
    if entry["operator"] == "stretch" and length == 1:
        return "zero insertion"
    return entry["operator"].replace("_", " ") + (" alone" if length == 0 else "")
