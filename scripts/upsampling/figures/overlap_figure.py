"""Fig. 5: transposed convolutions with partial and full overlap, fed with ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from upsampling.config.declared import read_settings
from upsampling.figures.style import COLUMN_WIDTH, PALETTE, Drawing, new_figure, stems
from upsampling.figures.transposed_diagrams import TransposedSettings, shade_borders, upsampled_ones

WEIGHT_TITLES = {"ones": "all weights 1", "random": "random weights"}


@dataclass(frozen=True)
class OverlapSettings:
    """Rows of the figure; `inputs` and `seed` replace those of all rows."""

    rows: tuple[TransposedSettings, ...] = (
        TransposedSettings(kernel_size=8, stride=6, weights="ones"),
        TransposedSettings(kernel_size=8, stride=6, weights="random"),
        TransposedSettings(kernel_size=8, stride=4, weights="ones"),
        TransposedSettings(kernel_size=8, stride=4, weights="random"),
    )
    inputs: int = 10
    seed: int = 0


def overlap_stems(values: Mapping[str, Any], where: str) -> Drawing:
    """Draw the output of each row's transposed convolution for ones; panels `1`, `2`, ..."""
    settings = read_settings(OverlapSettings, values, where)
    figure = new_figure(COLUMN_WIDTH, 0.95 * len(settings.rows) + 0.15)
    panels = figure.subplots(len(settings.rows), 1, squeeze=False)[:, 0]
    arrays = {}
    for number, (axes, row) in enumerate(zip(panels, settings.rows, strict=True), start=1):
        transposed = replace(row, inputs=settings.inputs, seed=settings.seed)
        arrays[str(number)] = upsampled_ones(transposed)
        samples = arrays[str(number)]["samples"]
        shade_borders(axes, transposed, len(samples))
        stems(axes, samples, PALETTE[0] if transposed.weights == "ones" else PALETTE[1])
        axes.set_xlim(-1, len(samples))
        axes.set_title(
            f"row {number}: length {transposed.kernel_size}, stride {transposed.stride}, "
            f"{WEIGHT_TITLES[transposed.weights]}, {transposed.overlap}",
            loc="left",
        )
    panels[-1].set_xlabel("output sample")
    figure.supylabel("output", fontsize=6.5)
    return Drawing(figure, arrays)
