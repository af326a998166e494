"""Write the table of lines of losses, in gradients and in outputs of trained models.

    python scripts/loss_lines.py --artifacts artifacts.csv --gradients training_losses.npz \\
        --rows '[{"variant": "mse", "label": "MSE", "group": "transposed", "loss": "mse"}]' \\
        --csv loss_lines.csv --md loss_lines.md
"""

from pathlib import Path

from upsampling.arguments import parser
from upsampling.config.declared import read_settings
from upsampling.errors import command_line
from upsampling.files import write_table, write_text
from upsampling.tables.captions import caption_arguments, table_arguments


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--artifacts", type=Path, required=True, help="CSV of all measures")
    options.add_argument("--gradients", type=Path, required=True, help="of the losses (.npz)")
    table_arguments(options, ["csv", "md"])
    options.add_argument("--samplerate", type=int, default=44100, help="of the models, in Hz")
    caption_arguments(options)
    arguments = options.parse_args()

    from upsampling.measures.artifact_rows import read_rows
    from upsampling.tables.loss_lines import LossRow, loss_lines, read_gradients
    from upsampling.tables.loss_lines_cells import render

    rows = [read_settings(LossRow, row, "--rows") for row in arguments.rows]
    gradients = read_gradients(arguments.gradients, rows)
    artifacts = read_rows(arguments.artifacts)
    table = loss_lines(artifacts, gradients, rows, arguments.samplerate)
    if arguments.csv:
        write_table(arguments.csv, table)
    if arguments.md:
        text = render(table, rows, arguments.scale, arguments.description)
        write_text(arguments.md, text, checksum=True)


if __name__ == "__main__":
    command_line(main)
