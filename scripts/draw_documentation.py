"""Shrink figures for the documentation: fewer pixels and colors, the same picture.

    python scripts/draw_documentation.py results/demo/figures/figure5.png --folder pictures

`snakemake --cores 2 draw_documentation` calls it for the pictures of README.md and docs/.
"""

from pathlib import Path

from upsampling.arguments import parser
from upsampling.errors import command_line
from upsampling.files import atomic_path

WIDTH = 1000
COLORS = 160


def main() -> None:
    options = parser(__doc__)
    options.add_argument("figures", nargs="+", type=Path, help="PNG files to shrink")
    options.add_argument("--folder", type=Path, required=True, help="of the smaller files")
    arguments = options.parse_args()

    from PIL import Image

    for path in arguments.figures:
        picture = Image.open(path).convert("RGB")
        if picture.width > WIDTH:
            size = (WIDTH, round(picture.height * WIDTH / picture.width))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        # Keeps rare colors, as of markers and color bars; dithering would add noise to compress.
        reduced = picture.quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        with atomic_path(arguments.folder / path.name) as temporary:
            reduced.save(temporary, format="PNG", optimize=True)
        print(arguments.folder / path.name)


if __name__ == "__main__":
    command_line(main)
