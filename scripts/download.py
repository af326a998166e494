"""Download a data set, verify it and unpack it.

    python scripts/download.py --dataset musdb18_7s --root data/musdb18_7s --record dataset.json

An interrupted download resumes; an existing copy is used as it is.
"""

from pathlib import Path

from upsampling.arguments import parser
from upsampling.errors import command_line
from upsampling.files import write_json
from upsampling.tracks.download import ARCHIVES, fetch
from upsampling.tracks.listing import record


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--dataset", choices=(*ARCHIVES, "own"), required=True)
    options.add_argument("--root", type=Path, required=True, help="folder of the data set")
    options.add_argument("--record", type=Path, required=True, help="JSON with its location")
    options.add_argument("--keep-archive", action="store_true", help="do not remove the zip file")
    arguments = options.parse_args()
    folder = fetch(arguments.dataset, arguments.root, arguments.keep_archive)
    write_json(arguments.record, record(arguments.dataset, folder))


if __name__ == "__main__":
    command_line(main)
