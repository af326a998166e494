"""Join tidy CSV files of equal columns into one: collect.py OUTPUT INPUT [INPUT ...]."""

import argparse
from pathlib import Path

from upsampling.files import write_text
from upsampling.settings import UserError, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("inputs", type=Path, nargs="+")
    arguments = parser.parse_args()
    lines: list[str] = []
    for path in arguments.inputs:
        header, *rows = path.read_text().splitlines()
        if lines and header != lines[0]:
            raise UserError(f"{path} has the columns {header}, not {lines[0]}")
        lines += rows if lines else [header, *rows]
    write_text(arguments.output, "\n".join(lines) + "\n")


if __name__ == "__main__":
    run(main)
