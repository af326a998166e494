"""Write the gallery: one HTML page of all upsamplers' artifacts, with pictures and sounds.

    snakemake --cores all results/demo/report/gallery.html

creates the files that the page shows, and calls this program. File names are patterns with
{variant} and, where needed, {seed}, {signal}, {stage}, {track} and {source}.
"""

from dataclasses import fields
from pathlib import Path

from upsampling.arguments import json_or_file, parser
from upsampling.errors import command_line
from upsampling.files import write_text


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--content", type=json_or_file, required=True, help="JSON or file")
    options.add_argument("--initialised", required=True, help="outputs at initialisation (.npz)")
    options.add_argument("--probes", required=True, help="outputs for probe signals (.npz)")
    options.add_argument("--excerpts", required=True, help="separated music (.wav)")
    options.add_argument("--artifacts", type=Path, required=True, help="CSV of all measures")
    options.add_argument("--table1", type=Path, required=True, help="Table 1 (.csv)")
    options.add_argument(
        "--training", type=Path, nargs="?", help="figure of artifacts through training (.png)"
    )
    options.add_argument("--audits", default="", help="reports of audits (.json), with {audit}")
    options.add_argument("--audit-pages", default="", help="links to their pages, with {audit}")
    options.add_argument("--workers", type=int, default=1, help="pictures and sounds made at once")
    options.add_argument("--output", type=Path, required=True, help="the page (.html)")
    arguments = options.parse_args()

    from upsampling.gallery.clips import Files
    from upsampling.gallery.page import MEGABYTE, gallery

    files = Files(**{field.name: getattr(arguments, field.name) for field in fields(Files)})
    page, left_out = gallery(arguments.content, files, arguments.workers)
    write_text(arguments.output, page)
    print(f"{arguments.output}: {len(page.encode()) / MEGABYTE:.1f} MB")
    if left_out:
        print(f"{left_out} pictures and sounds are left out; see gallery.megabytes in config.yaml")


if __name__ == "__main__":
    command_line(main)
