"""Draw one figure.

    python scripts/draw_figure.py figure3 --pdf figure3.pdf --png figure3.png \\
        --arrays 'figure3_{panel}.npz'

Most figures show files that other programs wrote: --inputs names them in order.
"""

from pathlib import Path

from upsampling.arguments import json_or_file, parser
from upsampling.errors import UserError, command_line
from upsampling.figures.registry import FIGURES, render


def main() -> None:
    options = parser(__doc__)
    options.add_argument("name", help=", ".join(FIGURES))
    options.add_argument("--settings", type=json_or_file, default={}, help="JSON or file")
    options.add_argument("--inputs", nargs="*", type=Path, default=[], help="files, in order")
    options.add_argument("--pdf", type=Path, required=True)
    options.add_argument("--png", type=Path, required=True)
    options.add_argument("--arrays", required=True, help="pattern with {panel} (.npz)")
    arguments = options.parse_args()
    if not isinstance(arguments.settings, dict):
        raise UserError('--settings: an object of settings is needed, such as {"seed": 1}')
    for path in arguments.inputs:
        if not path.is_file():
            raise UserError(f"--inputs: there is no file '{path}'")
    print(*render(**vars(arguments)), sep="\n")


if __name__ == "__main__":
    command_line(main)
