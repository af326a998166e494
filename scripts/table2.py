"""Write Table 2, artifacts before and after training, as CSV, Markdown, LaTeX and HTML.

    python scripts/table2.py --artifacts results/demo/tables/artifacts.csv --md table2.md \\
        --rows '[{"variant": "nearest", "label": "nearest"}]'
"""

from pathlib import Path

from upsampling.arguments import parser
from upsampling.config.declared import read_settings
from upsampling.errors import command_line
from upsampling.tables.captions import caption_arguments, table_arguments, write_texts


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--artifacts", type=Path, required=True, help="tidy artifact measures")
    table_arguments(options)
    caption_arguments(options)
    arguments = options.parse_args()

    from upsampling.measures.artifact_rows import read_rows
    from upsampling.tables.table2_cells import ArtifactRow, render, table2

    rows = [read_settings(ArtifactRow, row, "--rows") for row in arguments.rows]
    table = table2(read_rows(arguments.artifacts), rows)
    write_texts(arguments, render(table, arguments.scale, arguments.description))


if __name__ == "__main__":
    command_line(main)
