"""Compare every two rows of Table 1: differences, their intervals, and whether they are real."""

import argparse
from collections import defaultdict
from pathlib import Path

from upsampling.settings import run


def main() -> None:
    from upsampling.paper import tables

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=tables.json_or_file, required=True, help="JSON list, or its file"
    )
    parser.add_argument(
        "--scores", action="append", default=[], nargs=3, metavar=("VARIANT", "SEED", "CSV"),
        help="tidy scores of one training run",
    )  # fmt: skip
    parser.add_argument("--aggregation", default="median", help="as evaluation.aggregation")
    parser.add_argument("--comparisons", type=Path, required=True, help="CSV: one row per pair")
    parser.add_argument("--tracks", type=Path, required=True, help="CSV: one row per track score")
    arguments = parser.parse_args()

    from upsampling.scoring import records, significance

    scores: dict[str, dict[str, tables.Scores]] = defaultdict(dict)
    for variant, seed, path in arguments.scores:
        scores[variant][seed] = records.read_scores(path)
    by_row = tables.scores_of_rows(tables.read_rows(arguments.rows), scores)
    by_track = tables.track_scores(by_row, arguments.aggregation)
    records.write_csv(arguments.tracks, significance.tidy(by_track))
    table = significance.compare(by_track, tables.SOURCES, arguments.aggregation)
    records.write_csv(arguments.comparisons, table)


if __name__ == "__main__":
    run(main)
