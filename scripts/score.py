"""Separate all test tracks with a trained model and score them with BSSEval.

    python scripts/score.py --model results/demo/models/nearest/seed0 --store data/demo/store \\
        --scores scores/nearest --output scores/nearest.csv
"""

import sys
from pathlib import Path

from upsampling.arguments import add_settings, parser
from upsampling.code_fingerprint import program_fingerprint
from upsampling.config.sections import EvaluationSettings
from upsampling.errors import command_line


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    options.add_argument("--store", type=Path, required=True, help="folder of the prepared tracks")
    add_settings(
        options, "--evaluation", EvaluationSettings, "the section evaluation of config.yaml"
    )
    options.add_argument("--workers", type=int, default=1, help="tracks that are scored at once")
    options.add_argument("--scores", type=Path, required=True, help="folder of per-track scores")
    options.add_argument("--audio", type=Path, help="folder of separated excerpts; default: none")
    options.add_argument("--output", type=Path, required=True, help="tidy CSV of all test tracks")
    arguments = options.parse_args()

    from upsampling.scoring import score_files
    from upsampling.scoring.scoring_job import ScoringJob, summary
    from upsampling.tracks.store import TrackStore

    store = TrackStore.open(arguments.store)
    scores = ScoringJob(
        model_folder=arguments.model,
        store=store,
        settings=arguments.evaluation,
        folder=arguments.scores,
        code=program_fingerprint(Path(__file__)),
        audio=arguments.audio,
        workers=arguments.workers,
    ).run()
    score_files.write_frame(arguments.output, scores)
    print(f"{arguments.model}: {summary(scores, store.sources)}", file=sys.stderr)


if __name__ == "__main__":
    command_line(main)
