"""Write Table 2, artifacts before and after training, as CSV, Markdown, LaTeX and HTML.

    python scripts/table2.py --artifacts results/demo/tables/artifacts.csv --md table2.md \\
        --rows '[{"variant": "nearest", "label": "nearest"}]'
"""

from pathlib import Path

from upsampling.arguments import json_or_file, parser
from upsampling.config.declared import read_settings
from upsampling.errors import command_line
from upsampling.files import write_text
from upsampling.tables.captions import caption_arguments

SUFFIXES = ("csv", "md", "tex", "html")


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--artifacts", type=Path, required=True, help="tidy artifact measures")
    options.add_argument("--rows", type=json_or_file, required=True, help="JSON list, or its file")
    caption_arguments(options)
    for suffix in SUFFIXES:
        options.add_argument(f"--{suffix}", type=Path, help=f"Table 2 as .{suffix}")
    arguments = options.parse_args()

    from upsampling.tables.table2 import read_artifacts
    from upsampling.tables.table2_cells import ArtifactRow, render, table2

    rows = [read_settings(ArtifactRow, row, "--rows") for row in arguments.rows]
    table = table2(read_artifacts(arguments.artifacts), rows)
    for suffix, text in render(table, arguments.scale, arguments.description).items():
        if path := getattr(arguments, suffix):
            write_text(path, text, checksum=True)


if __name__ == "__main__":
    command_line(main)
