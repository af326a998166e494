"""All figures by name, with defaults that draw them as in the paper."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from upsampling.config.mapping import merge
from upsampling.errors import UserError, nearest_match
from upsampling.figures import style
from upsampling.figures.artifact_history import artifact_curves
from upsampling.figures.artifact_overviews import artifact_changes, init_statistics
from upsampling.figures.audits import audit_panels
from upsampling.figures.before_after import before_after
from upsampling.figures.loss_lines import loss_lines_panels
from upsampling.figures.overlap_figure import overlap_stems
from upsampling.figures.overlays import stacks_and_theory
from upsampling.figures.predicted_spectra import loss_panels, operator_panels, replica_panels
from upsampling.figures.spectrograms import expect_inputs, grid, stacks, stft_setups
from upsampling.figures.transposed_diagrams import diagram

Draw = Callable[[Mapping[str, Any], Sequence[Path], str], style.Drawing]


def _computed(draw: Callable[[Mapping[str, Any], str], style.Drawing]) -> Draw:
    """Adapt a figure that reads no files."""

    def without_inputs(
        values: Mapping[str, Any], inputs: Sequence[Path], where: str
    ) -> style.Drawing:
        expect_inputs(inputs, 0, where)
        return draw(values, where)

    return without_inputs


def _track_differences(
    values: Mapping[str, Any], inputs: Sequence[Path], where: str
) -> style.Drawing:
    """Import pandas and SciPy's statistics for this figure alone; no other needs them."""
    from upsampling.figures.row_differences import track_differences

    return track_differences(values, inputs, where)


def _panels(**titles: str) -> list[dict[str, str]]:
    return [{"name": name, "title": title} for name, title in titles.items()]


STACKS = {
    "figure6": {"left": "nearest, music", "right": "linear, white noise"},
    "figure7": {"left": "subpixel, ones", "right": "subpixel, white noise\n(not in the paper)"},
    "figure8": {"left": "transposed, ones", "right": "linear only, white noise"},
}
FIGURES: dict[str, tuple[Draw, dict[str, Any]]] = {
    "figure1": (
        grid,
        {
            "letters": True,
            "columns": 2,
            "panels": [
                {"name": "a", "title": "MelGAN", "floor": -200.0},
                *_panels(b="transposed convolution", c="nearest", d="subpixel convolution"),
            ],
        },
    ),
    "figure2": (
        _computed(diagram),
        {"kernel_size": 3, "stride": 3, "inputs": 5, "weights": "random", "seed": 2},
    ),
    "figure3": (
        _computed(diagram),
        {"kernel_size": 3, "stride": 2, "inputs": 6, "weights": "ones"},
    ),
    "figure4": (
        _computed(diagram),
        {"kernel_size": 3, "stride": 1, "inputs": 7, "weights": "ones"},
    ),
    "figure5": (_computed(overlap_stems), {}),
    **{name: (stacks, titles) for name, titles in STACKS.items()},
    **{f"{name}_theory": (stacks_and_theory, titles) for name, titles in STACKS.items()},
    "figure9": (
        grid,
        {
            "letters": True,
            "columns": 2,
            "panels": _panels(a="transposed convolution", b="subpixel convolution"),
        },
    ),
    "figure10": (stft_setups, {"left": "center=False", "right": "center=True"}),
    "initialisation": (grid, {}),
    "variant": (grid, {"columns": 1}),
    "before_after": (before_after, {}),
    "figure1_trained": (before_after, {}),
    "track_differences": (_track_differences, {}),
    "operator_spectra": (operator_panels, {}),
    "replicas": (replica_panels, {}),
    "loss_gradient": (loss_panels, {}),
    "artifact_changes": (artifact_changes, {}),
    "init_statistics": (init_statistics, {}),
    "artifact_history": (artifact_curves, {}),
    "loss_lines": (loss_lines_panels, {}),
    "audit": (audit_panels, {}),
}


def render(
    name: str, values: Mapping[str, Any], inputs: Sequence[Path], pdf: Path, png: Path, arrays: str
) -> list[Path]:
    """Draw figure `name` with the settings `values` over its defaults; return the files written.

    Raises `UserError` for an unknown figure, unknown settings, or inputs whose content is not that
    of the figure's inputs.
    """
    if name not in FIGURES:
        raise UserError(
            f"unknown figure '{name}'{nearest_match(name, FIGURES)}; "
            f"choose from {', '.join(FIGURES)}"
        )
    draw, defaults = FIGURES[name]
    try:
        with style.style():
            return style.save(draw(merge(defaults, values), inputs, name), pdf, png, arrays)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        files = ", ".join(map(str, inputs)) or "its settings"
        reason = " ".join(str(error).split())
        raise UserError(
            f"figure '{name}' cannot be drawn from {files} ({type(error).__name__}: {reason}); "
            "delete the file at fault, and run the same command again"
        ) from error
