"""Train one variant with one seed; resumes from its checkpoints after any interruption."""

import argparse
import json
import sys
from pathlib import Path

from upsampling.settings import (
    DemucsLikeSettings,
    TrainingSettings,
    UserError,
    from_mapping,
    model_settings,
    run,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="what progress and messages call this run")
    parser.add_argument("--model", required=True, type=json.loads, help="model settings, JSON")
    parser.add_argument("--training", required=True, type=json.loads, help="settings, JSON")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--store", required=True, type=Path, help="folder of the track store")
    parser.add_argument("--checkpoints", required=True, type=Path)
    parser.add_argument("--output", required=True, type=Path, help="folder of the trained model")
    parser.add_argument("--max-minutes", type=float, default=0, help="0: no limit")
    arguments = parser.parse_args()

    from upsampling.tracks.store import TrackStore
    from upsampling.training.loop import OutOfTime, Run, Trainer

    model = model_settings(arguments.model, f"{arguments.name}: model")
    if not isinstance(model, DemucsLikeSettings):
        raise UserError(f"{arguments.name}: a {model.architecture} model cannot be trained here")
    trainer = Trainer(
        Run(
            model=model,
            training=from_mapping(
                TrainingSettings, arguments.training, f"{arguments.name}: training"
            ),
            seed=arguments.seed,
            store=TrackStore.open(arguments.store),
            checkpoints=arguments.checkpoints,
            name=arguments.name,
            max_minutes=arguments.max_minutes or float("inf"),
        )
    )
    try:
        trainer.train()
    except OutOfTime as stop:
        print(f"{stop}; start again to continue", file=sys.stderr)
        sys.exit(75)
    trainer.export(arguments.output)


if __name__ == "__main__":
    run(main)
