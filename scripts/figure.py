"""Draw one figure from the waveforms that scripts/probe.py wrote.

    python scripts/figure.py figure8 --inputs left.npz right.npz \\
        --pdf figure8.pdf --png figure8.png --arrays arrays

Each panel's content goes to ARRAYS/{PDF's stem}_{panel}.npz.
"""

import argparse
import json
from pathlib import Path

from upsampling.paper.figures import FIGURES, render
from upsampling.settings import UserError, run


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help=", ".join(FIGURES))
    parser.add_argument("--spec", default="{}", help="settings over the figure's defaults, JSON")
    parser.add_argument("--inputs", nargs="*", type=Path, default=[], help=".npz files, in order")
    parser.add_argument("--pdf", type=Path, required=True)
    parser.add_argument("--png", type=Path, required=True)
    parser.add_argument("--arrays", type=Path, required=True, help="folder for the panels' arrays")
    arguments = parser.parse_args()
    try:
        spec = json.loads(arguments.spec)
    except json.JSONDecodeError as error:
        raise UserError(f"--spec: not JSON ({error})") from error
    if not isinstance(spec, dict):
        raise UserError('--spec: an object of settings is needed, such as {"seed": 1}')
    for path in arguments.inputs:
        if not path.is_file():
            raise UserError(f"--inputs: no file '{path}'; make it with scripts/probe.py")
    files = render(
        arguments.name, spec, arguments.inputs, arguments.pdf, arguments.png, arguments.arrays
    )
    print("\n".join(map(str, files)))


if __name__ == "__main__":
    run(main)
