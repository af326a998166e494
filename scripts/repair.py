"""Repair a trained model: no comb is left in silence, in silence and sounds, or in any constant.

    python scripts/repair.py --model results/demo/models/transposed/seed0 --for silence \\
        --output transposed_repaired
"""

import sys
from pathlib import Path

from upsampling.arguments import parser
from upsampling.config.audits import Aim
from upsampling.config.declared import choices
from upsampling.errors import command_line


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    options.add_argument(
        "--for", dest="aim", choices=choices(Aim), default="silence", help="default: silence"
    )
    options.add_argument("--output", type=Path, required=True, help="folder of the repaired model")
    arguments = options.parse_args()

    from upsampling.audit.repairing import repair_trained

    repaired = repair_trained(arguments.model, arguments.aim, arguments.output)
    print(f"{arguments.model}: {repaired['summary']}", file=sys.stderr)


if __name__ == "__main__":
    command_line(main)
