"""Measure the artifacts of many random initialisations of one model, and predict them.

    python scripts/init_statistics.py --variant nearest --output nearest.csv \\
        --model-settings '{"operator": "nearest", "channels": 4, "depth": 5}' \\
        --statistics '{"seeds": 3, "seconds": 1, "probe_seed": 0}'
"""

from pathlib import Path

from upsampling.arguments import json_or_file, parser
from upsampling.config.model import model_settings
from upsampling.errors import command_line


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--variant", required=True, help="name in the table")
    options.add_argument("--model-settings", type=json_or_file, required=True, help="JSON or file")
    options.add_argument(
        "--statistics",
        type=json_or_file,
        default={"seeds": 24, "seconds": 2.0, "probe_seed": 0},
        help="initialisations (seeds 0, 1, ..), seconds and seed of each probe, JSON or file",
    )
    options.add_argument("--output", type=Path, required=True, help="CSV of all measures")
    arguments = options.parse_args()

    from upsampling.measures.artifact_rows import write_rows
    from upsampling.measures.init_statistics import init_statistics
    from upsampling.theory.expectation import expectations

    settings = model_settings(arguments.model_settings, "--model-settings")
    rows = init_statistics(settings, arguments.variant, **arguments.statistics)
    write_rows(rows + expectations(settings, arguments.variant), arguments.output)


if __name__ == "__main__":
    command_line(main)
