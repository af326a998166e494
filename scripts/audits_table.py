"""Write the table of all audits as CSV, Markdown, LaTeX and HTML.

    python scripts/audits_table.py results/demo/audits/vocoder/report.json --md audits.md \\
        --rows '[{"audit": "vocoder", "title": "vocoder"}]'
"""

from pathlib import Path

from upsampling.arguments import json_or_file, parser
from upsampling.config.declared import read_settings
from upsampling.errors import UserError, command_line
from upsampling.files import write_text

SUFFIXES = ("csv", "md", "tex", "html")


def main() -> None:
    options = parser(__doc__)
    options.add_argument("reports", nargs="+", type=Path, help="reports of audits (.json)")
    options.add_argument("--rows", type=json_or_file, required=True, help="JSON list, or its file")
    for suffix in SUFFIXES:
        options.add_argument(f"--{suffix}", type=Path, help=f"the table as .{suffix}")
    arguments = options.parse_args()

    from upsampling.tables.audits import AuditRow, audits_table, render

    rows = [read_settings(AuditRow, row, "--rows") for row in arguments.rows]
    if len(rows) != len(arguments.reports):
        raise UserError(f"--rows: {len(rows)} rows for {len(arguments.reports)} reports")
    for suffix, text in render(audits_table(rows, arguments.reports)).items():
        if path := getattr(arguments, suffix):
            write_text(path, text, checksum=True)


if __name__ == "__main__":
    command_line(main)
