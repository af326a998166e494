"""Write the table of all audits as CSV, Markdown, LaTeX and HTML.

    python scripts/audits_table.py results/demo/audits/vocoder/report.json --md audits.md \\
        --rows '[{"audit": "vocoder", "title": "vocoder"}]'
"""

from pathlib import Path

from upsampling.arguments import parser
from upsampling.config.declared import read_settings
from upsampling.errors import UserError, command_line
from upsampling.tables.captions import table_arguments, write_texts


def main() -> None:
    options = parser(__doc__)
    options.add_argument("reports", nargs="+", type=Path, help="reports of audits (.json)")
    table_arguments(options)
    arguments = options.parse_args()

    from upsampling.tables.audits import AuditRow, audits_table, render

    rows = [read_settings(AuditRow, row, "--rows") for row in arguments.rows]
    if len(rows) != len(arguments.reports):
        raise UserError(f"--rows: {len(rows)} rows for {len(arguments.reports)} reports")
    write_texts(arguments, render(audits_table(rows, arguments.reports)))


if __name__ == "__main__":
    command_line(main)
