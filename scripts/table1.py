"""Write Table 1 as CSV, Markdown, LaTeX and HTML from the scores of all trained variants.

    python scripts/table1.py --seeds 0 --scores 'results/demo/scores/{variant}/seed{seed}.csv' \\
        --rows '[{"variant": "nearest", "label": "nearest"}]' --md table1.md

File names with {variant} and {seed} are patterns, filled in for each variant of --rows.
"""

from pathlib import Path

from upsampling.arguments import parser
from upsampling.errors import command_line
from upsampling.tables.captions import caption_arguments, table_arguments, write_texts


def main() -> None:
    options = parser(__doc__)
    table_arguments(options)
    options.add_argument("--sources-tex", type=Path, help="its further columns as .tex")
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    caption_arguments(options)
    options.add_argument("--scores", required=True, help="tidy scores of a run (CSV)")
    options.add_argument("--timing", help="seconds of a run's epochs (CSV)")
    options.add_argument("--identity", help="JSON with the parameters of a run's model")
    options.add_argument("--parameters", help="JSON with the parameters of the paper's model")
    options.add_argument("--comparisons", type=Path, help="CSV by scripts/row_differences.py")
    options.add_argument("--artifacts", type=Path, help="tidy artifact measures (CSV)")
    arguments = options.parse_args()

    from upsampling.measures.artifact_rows import read_rows
    from upsampling.scoring.score_files import read_scores
    from upsampling.scoring.significance import read_comparisons
    from upsampling.tables import statements, table1, table1_cells

    rows, seeds = table1.read_rows(arguments.rows), arguments.seeds
    trained = [row for row in rows if row.trained]
    scores = table1.read_runs(rows, seeds, arguments.scores, read_scores)
    timings = table1.read_runs(trained, seeds, arguments.timing, table1.read_timing)
    counts = table1.read_parameters(rows, seeds, (arguments.identity, arguments.parameters))
    comparisons = read_comparisons(arguments.comparisons) if arguments.comparisons else None
    description = arguments.description
    table = table1.table1(rows, scores, timings, counts, description.aggregation, comparisons)
    artifacts = read_rows(arguments.artifacts) if arguments.artifacts else None
    footnote = statements.footnote(rows, table, comparisons, artifacts)
    write_texts(arguments, table1_cells.render(table, arguments.scale, description, footnote))


if __name__ == "__main__":
    command_line(main)
