"""Join tidy CSV files of equal columns into one.

    python scripts/collect.py results/demo/probes/*/seed0/measures.csv --output artifacts.csv

All files have the same columns in the same order.
"""

from pathlib import Path

from upsampling.arguments import parser
from upsampling.errors import UserError, command_line
from upsampling.files import checked, write_text
from upsampling.measures.artifact_rows import read_rows


def main() -> None:
    options = parser(__doc__)
    options.add_argument("tables", type=Path, nargs="+", help="CSV files")
    options.add_argument("--output", type=Path, required=True, help="CSV of all their rows")
    arguments = options.parse_args()
    lines: list[str] = []
    for path in arguments.tables:
        read_rows(path)
        header, *rows = checked(path).read_text(encoding="utf-8").splitlines()
        if lines and header != lines[0]:
            raise UserError(f"{path} has the columns {header}, not {lines[0]}")
        lines += rows if lines else [header, *rows]
    write_text(arguments.output, "\n".join(lines) + "\n", checksum=True)


if __name__ == "__main__":
    command_line(main)
