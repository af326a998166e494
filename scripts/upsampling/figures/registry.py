"""All figures by name, with defaults that draw them as in the paper."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from upsampling.config.mapping import merge
from upsampling.errors import UserError, nearest_match
from upsampling.figures import style
from upsampling.figures.artifact_history import artifact_curves
from upsampling.figures.artifact_overviews import artifact_changes, init_statistics
from upsampling.figures.audits import audit_panels
from upsampling.figures.before_after import before_after
from upsampling.figures.drawing import Draw
from upsampling.figures.loss_lines import loss_lines_panels
from upsampling.figures.overlays import stacks_and_theory
from upsampling.figures.predicted_spectra import loss_panels, operator_panels, replica_panels
from upsampling.figures.row_differences import track_differences
from upsampling.figures.spectrograms import grid, stacks, stft_setups
from upsampling.figures.transposed_diagrams import diagram, overlap_stems


def _lettered(**titles: str) -> dict[str, Any]:
    """Two columns of panels; the output of MelGAN is by far the faintest."""
    panels = [
        {"name": name, "title": title, "floor": -200.0 if title == "MelGAN" else None}
        for name, title in titles.items()
    ]
    return {"letters": True, "columns": 2, "panels": panels}


STACKS = {
    "figure6": {"left": "nearest, music", "right": "linear, white noise"},
    "figure7": {"left": "subpixel, ones", "right": "subpixel, white noise\n(not in the paper)"},
    "figure8": {"left": "transposed, ones", "right": "linear only, white noise"},
}
FIGURES: dict[str, tuple[Draw, dict[str, Any]]] = {
    "figure1": (
        grid,
        _lettered(a="MelGAN", b="transposed convolution", c="nearest", d="subpixel convolution"),
    ),
    "figure2": (diagram, {"kernel_size": 3, "stride": 3, "inputs": 5, "seed": 2}),
    "figure3": (diagram, {"kernel_size": 3, "stride": 2, "inputs": 6, "weights": "ones"}),
    "figure4": (diagram, {"kernel_size": 3, "stride": 1, "inputs": 7, "weights": "ones"}),
    "figure5": (overlap_stems, {}),
    **{name: (stacks, titles) for name, titles in STACKS.items()},
    **{f"{name}_theory": (stacks_and_theory, titles) for name, titles in STACKS.items()},
    "figure9": (grid, _lettered(a="transposed convolution", b="subpixel convolution")),
    "figure10": (stft_setups, {"left": "center=False", "right": "center=True"}),
    "initialisation": (grid, {}),
    "variant": (grid, {"columns": 1}),
    "before_after": (before_after, {}),
    "figure1_trained": (before_after, {}),
    "track_differences": (track_differences, {}),
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
    name: str, settings: dict[str, Any], inputs: Sequence[Path], pdf: Path, png: Path, arrays: str
) -> list[Path]:
    """Draw figure `name` with `settings` over its defaults; return the files written.

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
            return style.save(draw(merge(defaults, settings), inputs, name), pdf, png, arrays)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        files = ", ".join(map(str, inputs)) or "its settings"
        reason = " ".join(str(error).split())
        raise UserError(
            f"figure '{name}' cannot be drawn from {files} ({type(error).__name__}: {reason}); "
            "delete the file at fault, and run the same command again"
        ) from error
