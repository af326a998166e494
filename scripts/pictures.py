"""Shrink figures for the documentation: fewer pixels and colours, the same picture."""

import argparse
from pathlib import Path

from upsampling.files import atomic_path
from upsampling.settings import run

WIDTH = 1000
COLORS = 96


def main() -> None:
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="+", type=Path, help="PNG files")
    parser.add_argument("--folder", required=True, type=Path)
    arguments = parser.parse_args()
    for path in arguments.figures:
        picture = Image.open(path).convert("RGB")
        if picture.width > WIDTH:
            size = (WIDTH, round(picture.height * WIDTH / picture.width))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        # An octree keeps rare colours, such as markers; dithering would add noise to compress.
        reduced = picture.quantize(COLORS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        with atomic_path(arguments.folder / path.name) as temporary:
            reduced.save(temporary, format="PNG", optimize=True)
        print(arguments.folder / path.name)


if __name__ == "__main__":
    run(main)
