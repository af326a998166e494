"""Write the table of lines of losses, in gradients and in outputs of trained models.

    python scripts/loss_lines.py --artifacts artifacts.csv --gradients training_losses.npz \\
        --rows '[{"variant": "mse", "label": "MSE", "group": "transposed", "loss": "mse"}]' \\
        --csv loss_lines.csv --md loss_lines.md
"""

from pathlib import Path

from upsampling.arguments import json_or_file, parser
from upsampling.config.declared import read_settings
from upsampling.errors import command_line
from upsampling.files import write_table, write_text
from upsampling.tables.captions import caption_arguments


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--artifacts", type=Path, required=True, help="CSV of all measures")
    options.add_argument("--gradients", type=Path, required=True, help="of the losses (.npz)")
    options.add_argument("--rows", type=json_or_file, required=True, help="JSON list, or its file")
    options.add_argument("--samplerate", type=int, default=44100, help="of the models, in Hz")
    caption_arguments(options)
    options.add_argument("--csv", type=Path, help="the table as .csv")
    options.add_argument("--md", type=Path, help="the table as .md")
    arguments = options.parse_args()

    from upsampling.tables.loss_lines import LossRow, loss_lines, read_gradients
    from upsampling.tables.loss_lines_cells import render
    from upsampling.tables.table2 import read_artifacts

    rows = [read_settings(LossRow, row, "--rows") for row in arguments.rows]
    gradients = read_gradients(arguments.gradients, rows)
    artifacts = read_artifacts(arguments.artifacts)
    table = loss_lines(artifacts, gradients, rows, arguments.samplerate)
    if arguments.csv:
        write_table(arguments.csv, table)
    if arguments.md:
        text = render(table, rows, arguments.scale, arguments.description)
        write_text(arguments.md, text, checksum=True)


if __name__ == "__main__":
    command_line(main)
