"""Compare every two rows of Table 1: differences, their intervals and their significance.

    python scripts/row_differences.py --scores 'results/demo/scores/{variant}/seed{seed}.csv' \\
        --rows '[{"variant": "nearest", "label": "a"}, {"variant": "transposed", "label": "b"}]' \\
        --comparisons comparisons.csv --tracks track_scores.csv
"""

from pathlib import Path

from upsampling.arguments import json_or_file, parser
from upsampling.errors import command_line


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--rows", type=json_or_file, required=True, help="JSON list, or its file")
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--scores", required=True, help="CSV: pattern with {variant} and {seed}")
    options.add_argument("--aggregation", default="median", help="as evaluation.aggregation")
    options.add_argument("--comparisons", type=Path, required=True, help="CSV: one row per pair")
    options.add_argument("--tracks", type=Path, required=True, help="CSV: one row per track score")
    arguments = options.parse_args()

    from upsampling.scoring import published, score_files, significance
    from upsampling.tables import table1

    rows = table1.read_rows(arguments.rows)
    scores = table1.read_runs(rows, arguments.seeds, arguments.scores, score_files.read_scores)
    by_track = table1.track_scores(table1.scores_of_rows(rows, scores), arguments.aggregation)
    score_files.write_frame(arguments.tracks, significance.tidy(by_track))
    table = significance.compare(by_track, published.SOURCES, arguments.aggregation)
    score_files.write_frame(arguments.comparisons, table)


if __name__ == "__main__":
    command_line(main)
