"""Write Table 1 as CSV, Markdown, LaTeX and HTML from the scores of all trained variants."""

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

from upsampling.files import write_text
from upsampling.settings import from_mapping, run

SUFFIXES = ("csv", "md", "tex", "html")
COUNTS = ("parameters", "parameters_paper")


def main() -> None:
    from upsampling.paper import tables
    from upsampling.paper.tables import json_or_file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=json_or_file, required=True, help="JSON list, or its file")
    parser.add_argument("--description", type=json_or_file, default={}, help="JSON, or its file")
    parser.add_argument("--scale", required=True)
    many: dict[str, Any] = {"action": "append", "default": []}
    run_csv = many | {"nargs": 3, "metavar": ("VARIANT", "SEED", "CSV")}
    parser.add_argument("--scores", **run_csv, help="tidy scores of one training run")
    parser.add_argument("--history", **run_csv, help="its 'seconds' per epoch")
    parser.add_argument("--parameters", **many, nargs=2, metavar=("VARIANT", "JSON"))
    parser.add_argument("--comparisons", type=Path, help="which rows differ, by scripts/compare.py")
    for suffix in SUFFIXES:
        parser.add_argument(f"--{suffix}", type=Path)
    arguments = parser.parse_args()

    from upsampling.paper import table_text
    from upsampling.scoring.records import read_scores
    from upsampling.scoring.significance import read_comparisons

    measured = tables.Measurements(defaultdict(dict), defaultdict(dict), {})
    for variant, seed, path in arguments.scores:
        measured.scores[variant][seed] = read_scores(path)
    for variant, seed, path in arguments.history:
        measured.timings[variant][seed] = tables.read_timing(path)
    for variant, text in arguments.parameters:
        counts = {key: count for key, count in json_or_file(text).items() if key in COUNTS}
        measured.parameters[variant] = measured.parameters.get(variant, {}) | counts
    description = from_mapping(table_text.Description, arguments.description, "--description")
    comparisons = read_comparisons(arguments.comparisons) if arguments.comparisons else None
    rows = tables.read_rows(arguments.rows)
    table = tables.table1(rows, measured, description.aggregation, comparisons)
    for suffix, text in table_text.render(table, arguments.scale, description).items():
        if path := getattr(arguments, suffix):
            write_text(path, text)


if __name__ == "__main__":
    run(main)
