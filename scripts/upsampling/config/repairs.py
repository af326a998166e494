"""Variants that are another one's trained models, repaired.

Standard library only, as each job of the workflow imports it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from upsampling.config.audits import Aim
from upsampling.config.declared import shown, suggest
from upsampling.config.model import ModelSettings
from upsampling.config.operators import LEARNED_PHASES, OPTIONS
from upsampling.errors import UserError, choose_from

if TYPE_CHECKING:
    from upsampling.config.sections import Variant

# Keys of a variant that a repaired one takes from the variant whose models it repairs.
TAKEN = ("operator", "options", "model", "training", "scales")


@dataclass(frozen=True)
class Repair:
    """The variant whose trained models are repaired, and the aim of the repair."""

    of: Annotated[str, "the trained variant"]
    aim: Annotated[
        Aim,
        "no comb is left in silence; in silence, noise and music (sounds); in any constant input",
    ] = "silence"


def resolve_repairs(variants: Mapping[str, "Variant"]) -> dict[str, "Variant"]:
    """The variants, repaired ones with the model, the training and the names of their originals.

    Repaired ones that are not enabled are left out: their originals may be absent. Raises
    `UserError` for an original that is unknown, not trained, repaired itself or left out, and for a
    repaired variant with settings of a model or a training.
    """
    return {
        name: _resolved(name, variants) if entry.repair else entry
        for name, entry in variants.items()
        if entry.enabled or not entry.repair
    }


def _resolved(name: str, variants: Mapping[str, "Variant"]) -> "Variant":
    entry = variants[name]
    assert entry.repair is not None
    of = entry.repair.of
    _check_original(f"variants.{name}.repair.of", of, variants)
    for key in (*TAKEN, "train", "printed"):
        if getattr(entry, key) != getattr(type(entry)(), key):
            raise UserError(f"variants.{name}.{key}: the model is that of '{of}'; leave it out")
    original = variants[of]
    title = original.figure_title or of.replace("_", " ")
    label = original.table_label or title
    return replace(
        entry,
        figure_title=entry.figure_title or f"{title}, repaired",
        table_label=entry.table_label or entry.figure_title or f"{label}, repaired",
        **{key: getattr(original, key) for key in TAKEN},
    )


def _check_original(where: str, of: str, variants: Mapping[str, "Variant"]) -> None:
    trained = [name for name, other in variants.items()
               if other.train and other.enabled and not other.repair]  # fmt: skip
    if of not in variants:
        raise UserError(f"{where}: there is no variant {shown(of)}{suggest(of, trained)}")
    original = variants[of]
    if original.repair:
        raise UserError(
            f"{where}: '{of}' is a repair itself; name the variant that it repairs, "
            f"{shown(original.repair.of)}"
        )
    if not original.train:
        raise UserError(f"{where}: '{of}' is not trained here; {choose_from(trained)}")
    if not original.enabled:
        raise UserError(
            f"{where}: '{of}' is left out of the experiment; remove its `enabled: false`, or "
            f"{choose_from(trained)}"
        )


def check_repairable(name: str, repair: Repair, settings: ModelSettings) -> None:
    """Raise `UserError` for a model of registered operators without learned filters per phase.

    A model that has an operator in a file may have such filters; the job finds out.
    """
    operators = {settings.operator, settings.outermost[0]} - {None, ""}
    if operators and all(op in OPTIONS and op not in LEARNED_PHASES for op in operators):
        raise UserError(
            f"variants.{name}.repair.of: the upsampling layers of '{repair.of}' "
            f"({', '.join(sorted(map(str, operators)))}) have no learned filters per phase to "
            "repair; name a variant with transposed or subpixel convolutions"
        )
