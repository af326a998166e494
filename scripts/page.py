"""Write the gallery: one HTML page to see, hear and sort what every upsampler does."""

import argparse
import json
from pathlib import Path

from upsampling.files import atomic_path
from upsampling.settings import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, type=json.loads, help="what is shown, JSON")
    parser.add_argument("--results", required=True, type=Path, help="the folder results/{scale}")
    parser.add_argument("--workers", type=int, default=1, help="pictures and sounds made at once")
    parser.add_argument("--output", required=True, type=Path, help="the page (.html)")
    arguments = parser.parse_args()

    from upsampling.paper.gallery.page import MEGABYTE, gallery

    page, left_out = gallery(arguments.spec, arguments.results, arguments.workers)
    content = page.encode()
    with atomic_path(arguments.output) as temporary:
        temporary.write_bytes(content)
    print(f"{arguments.output}: {len(content) / MEGABYTE:.1f} MB")
    if left_out:
        print(f"{left_out} pictures and sounds found no room; see gallery.megabytes in config.yaml")


if __name__ == "__main__":
    run(main)
