"""Fig. 5: transposed convolutions with partial and full overlap, fed with ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from upsampling.config.declared import read_settings
from upsampling.figures.style import COLUMN_WIDTH, PALETTE, Drawing, new_figure, stems
from upsampling.figures.transposed_diagrams import TransposedSpec, shade_borders, upsampled_ones

WORDS = {"ones": "all weights 1", "random": "random weights"}


@dataclass(frozen=True)
class StemsSpec:
    """Rows of the figure, each with keys of `TransposedSpec`; `inputs` and `seed` for all rows."""

    rows: tuple[Mapping[str, Any], ...] = (
        {"kernel_size": 8, "stride": 6, "weights": "ones"},
        {"kernel_size": 8, "stride": 6, "weights": "random"},
        {"kernel_size": 8, "stride": 4, "weights": "ones"},
        {"kernel_size": 8, "stride": 4, "weights": "random"},
    )
    inputs: int = 10
    seed: int = 0


def overlap_stems(values: Mapping[str, Any], where: str) -> Drawing:
    """Draw the output for ones of each row's transposed convolution; panels `1`, `2`, ..."""
    spec = read_settings(StemsSpec, values, where)
    shared = {"inputs": spec.inputs, "seed": spec.seed}
    figure = new_figure(COLUMN_WIDTH, 0.95 * len(spec.rows) + 0.15)
    panels = figure.subplots(len(spec.rows), 1, squeeze=False)[:, 0]
    arrays = {}
    for index, (axes, row) in enumerate(zip(panels, spec.rows, strict=True)):
        transposed = read_settings(TransposedSpec, shared | dict(row), f"{where}, row {index + 1}")
        arrays[str(index + 1)] = upsampled_ones(transposed)
        samples = arrays[str(index + 1)]["samples"]
        shade_borders(axes, transposed, len(samples))
        stems(axes, samples, PALETTE[0] if transposed.weights == "ones" else PALETTE[1])
        axes.set_xlim(-1, len(samples))
        axes.set_title(
            f"row {index + 1}: length {transposed.kernel_size}, stride {transposed.stride}, "
            f"{WORDS[transposed.weights]}, {transposed.overlap}",
            loc="left",
        )
    panels[-1].set_xlabel("output sample")
    figure.supylabel("output", fontsize=6.5)
    return Drawing(figure, arrays)
