"""Separate all test tracks with a trained model and score them with BSSEval."""

import argparse
import json
import sys
from pathlib import Path

from upsampling.settings import from_mapping, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    parser.add_argument("--store", type=Path, required=True, help="prepared tracks")
    parser.add_argument("--output", type=Path, required=True, help="tidy CSV of all test tracks")
    parser.add_argument("--folder", type=Path, required=True, help="folder of per-track scores")
    parser.add_argument("--evaluation", type=json.loads, default={}, help="settings, JSON")
    parser.add_argument("--audio", type=Path, help="folder of separated excerpts (none without)")
    parser.add_argument("--workers", type=int, default=1, help="tracks that are scored at once")
    parser.add_argument("--excerpt-seconds", type=float, help="instead of the evaluation's")
    arguments = parser.parse_args()

    from upsampling.scoring import records
    from upsampling.scoring.job import EvaluationSettings, ScoringJob, summary
    from upsampling.tracks.store import TrackStore

    evaluation = arguments.evaluation
    if arguments.excerpt_seconds is not None:
        evaluation["excerpt_seconds"] = arguments.excerpt_seconds
    store = TrackStore.open(arguments.store)
    job = ScoringJob(
        model_folder=arguments.model,
        store=store,
        settings=from_mapping(EvaluationSettings, evaluation, "--evaluation"),
        folder=arguments.folder,
        audio=arguments.audio,
        workers=arguments.workers,
    )
    scores = job.run()
    records.write_csv(arguments.output, scores)
    print(f"{arguments.model}: {summary(scores, store.sources)}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
