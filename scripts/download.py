"""Download a data set, check it and unpack it; a copy that is there already is taken as it is."""

import argparse
from pathlib import Path

from upsampling.files import write_json
from upsampling.settings import run
from upsampling.tracks.download import DATASETS, fetch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", choices=DATASETS, required=True)
    parser.add_argument(
        "--root", type=Path, required=True, help="folder that has, or will have, the data"
    )
    parser.add_argument("--record", type=Path, required=True, help="JSON that says where it lies")
    parser.add_argument("--keep-archive", action="store_true", help="do not remove the zip file")
    options = parser.parse_args()
    folder = fetch(options.dataset, options.root, options.keep_archive)
    write_json(options.record, {"dataset": options.dataset, "folder": str(folder)})


if __name__ == "__main__":
    run(main)
