"""Style and files of all figures: page sizes, fonts, colors, reproducible bytes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from upsampling.figures.drawing import Drawing
from upsampling.files import save_arrays, write_content

# Inches: one column, and the full text width, of a two-column page.
COLUMN_WIDTH = 3.4
TEXT_WIDTH = 7.0
DPI = 300

INK = "#222222"
MUTED = "#767676"
MARGIN_SHADE = "#8a8a8a"
# Distinct for any color vision (Okabe and Ito).
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")
COLORMAP = "magma"

# The prediction is a thin line over the measurement: both are visible where they agree.
PREDICTED: dict[str, Any] = {"color": PALETTE[1], "linewidth": 0.5}

TICKS = {"labelsize": 6, "color": INK, "major.size": 2, "major.width": 0.5, "major.pad": 2}
SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 6.5,
    "legend.fontsize": 6,
    "axes.titlepad": 3,
    "axes.labelpad": 2,
    "axes.linewidth": 0.5,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    **{f"{axis}tick.{name}": value for axis in "xy" for name, value in TICKS.items()},
    "lines.linewidth": 0.8,
    # Labels come from the configuration; only text that is drawn with parse_math is mathematics.
    "text.parse_math": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "figure",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in the project's style, independent of the user's matplotlib settings."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of `width` x `height` inches with an automatic layout of panels."""
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    return Figure(figsize=(width, height), layout=layout)


def stems(axes: Axes, samples: NDArray[Any], color: str = INK) -> None:
    """Draw `samples` [count] as stems over a zero line."""
    positions = np.arange(len(samples))
    axes.hlines(0, -0.5, len(samples) - 0.5, color=MUTED, linewidth=0.5)
    axes.vlines(positions, 0, samples, color=color, linewidth=0.8)
    axes.plot(positions, samples, "o", color=color, markersize=2.2)
    axes.spines[["top", "right"]].set_visible(False)
    low, high = min(0.0, float(samples.min())), max(0.0, float(samples.max()))
    margin = 0.12 * (high - low)
    axes.set_ylim(low - (margin if low < 0 else margin / 3), high + margin)


def save(drawing: Drawing, pdf: Path, png: Path, arrays: str) -> list[Path]:
    """Write a drawing as PDF and PNG, and each panel to the file `arrays`, a pattern with {panel}.

    Neither PDF nor PNG holds a date: equal data gives equal bytes. Returns the paths written.
    """
    for path, metadata in ((pdf, {"CreationDate": None}), (png, {"Software": None})):
        kind = path.suffix.removeprefix(".")
        page = io.BytesIO()
        drawing.figure.savefig(page, format=kind, dpi=DPI, metadata=metadata)
        write_content(path, page.getbuffer(), checksum=True)
    written = [pdf, png]
    for panel, content in drawing.arrays.items():
        written.append(Path(arrays.format(panel=panel)))
        save_arrays(written[-1], content)
    return written
