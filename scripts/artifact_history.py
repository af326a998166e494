"""Write the table of artifacts through training as CSV and Markdown.

    python scripts/artifact_history.py --csv artifact_history.csv --md artifact_history.md \\
        --histories 'results/demo/models/{variant}/seed{seed}/artifact_history.csv' --seeds 0 \\
        --rows '[{"variant": "nearest", "label": "nearest"}]'

The CSV has the epochs 0, 1, 2, 4 and so on, and the last, of each run.
"""

from itertools import product

from upsampling.arguments import parser
from upsampling.config.declared import read_settings
from upsampling.errors import command_line
from upsampling.files import write_table, write_text
from upsampling.tables.captions import caption_arguments, table_arguments


def main() -> None:
    options = parser(__doc__)
    table_arguments(options, ["csv", "md"])
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--histories", required=True, help="a run's artifact_history.csv")
    caption_arguments(options)
    arguments = options.parse_args()

    from upsampling.tables.artifact_history import artifact_history, at_milestones, read_history
    from upsampling.tables.artifact_history_cells import HistoryRow, render

    rows = [read_settings(HistoryRow, row, "--rows") for row in arguments.rows]
    runs = product((row.variant for row in rows), arguments.seeds)
    table = artifact_history(
        {(name, seed): read_history(arguments.histories.format(variant=name, seed=seed))
         for name, seed in runs}
    )  # fmt: skip
    if arguments.csv:
        write_table(arguments.csv, at_milestones(table))
    if arguments.md:
        text = render(table, rows, arguments.scale, arguments.description)
        write_text(arguments.md, text, checksum=True)


if __name__ == "__main__":
    command_line(main)
