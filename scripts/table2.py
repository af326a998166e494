"""Write Table 2, artifacts before and after training, as CSV, Markdown, LaTeX and HTML."""

import argparse
from pathlib import Path

from upsampling.files import write_text
from upsampling.settings import from_mapping, run

SUFFIXES = ("csv", "md", "tex", "html")


def main() -> None:
    from upsampling.paper.tables import json_or_file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=Path, required=True, help="tidy artifact measures")
    parser.add_argument("--rows", type=json_or_file, required=True, help="JSON list, or its file")
    parser.add_argument("--description", type=json_or_file, default={}, help="JSON, or its file")
    parser.add_argument("--scale", required=True)
    for suffix in SUFFIXES:
        parser.add_argument(f"--{suffix}", type=Path)
    arguments = parser.parse_args()

    from upsampling.paper import artifact_table
    from upsampling.paper.artifact_summary import read_artifacts
    from upsampling.paper.table_text import Description

    rows = [from_mapping(artifact_table.Row, row, "--rows") for row in arguments.rows]
    description = from_mapping(Description, arguments.description, "--description")
    table = artifact_table.table2(read_artifacts(arguments.artifacts), rows)
    for suffix, text in artifact_table.render(table, arguments.scale, description).items():
        if path := getattr(arguments, suffix):
            write_text(path, text)


if __name__ == "__main__":
    run(main)
